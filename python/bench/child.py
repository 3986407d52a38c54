"""A library in a process of its own: a JSON request a line in, a JSON answer a line out."""

import json
import os
import subprocess


class Failed(Exception):
    """A library that cannot do something, or does it wrong."""


class Child:
    """The process; `serve.py`, `worker.py` and the Rust workers are what runs in it."""

    def __init__(self, command: list[str]):
        # Compiled files are kept, as those of an installed package are.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         env=environment)

    def answer(self) -> dict:
        """The next answer; the first one comes unasked, when the library is imported."""
        line = self._process.stdout.readline()
        if not line:
            raise Failed(f"the process ended with {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"].splitlines()[0])
        return answer

    def ask(self, **request) -> dict:
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()

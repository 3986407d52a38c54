"""The samples are the files that samples/README.md says they are."""

from __future__ import annotations

import hashlib
import re

ROW = re.compile(r"\| `(?P<name>[^`]+)` \|.*\| `(?P<sha256>[0-9a-f]{16})` \|")


def test_samples_are_unchanged_since_they_were_taken(samples):
    text = (samples / "README.md").read_text(encoding="utf-8")
    promised = {match["name"]: match["sha256"] for match in ROW.finditer(text)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in samples.iterdir()
        if path.suffix in {".h5", ".h5ad", ".zip"}
    }
    assert found == promised

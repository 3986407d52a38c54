"""Coroutines from synchronous code: one event loop in a thread of its own.

The loop serves stores that are written in Python; the library itself needs none. A fork leaves it
to the parent: the child makes its own when it needs one.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from .config import config

__all__ = [
    "SyncError",
    "SyncMixin",
    "cleanup_resources",
    "collect_aiterator",
    "reset_resources_after_fork",
    "sync",
]

T = TypeVar("T")

# Lists of one, because that is how scripts know them.
iothread: list[threading.Thread | None] = [None]
loop: list[asyncio.AbstractEventLoop | None] = [None]
_lock: threading.Lock | None = None
_executor: ThreadPoolExecutor | None = None
_native_executor: ThreadPoolExecutor | None = None


class SyncError(Exception):
    """Synchronous code was called by the event loop that would have to do its work."""


def _get_lock() -> threading.Lock:
    global _lock
    if _lock is None:
        _lock = threading.Lock()
    return _lock


def _get_loop() -> asyncio.AbstractEventLoop:
    """The loop, which runs."""
    running = loop[0]
    if running is not None:
        return running
    with _get_lock():
        # Another thread may have been faster.
        running = loop[0]
        if running is None:
            running = asyncio.new_event_loop()
            thread = threading.Thread(target=running.run_forever, name="zarr_io", daemon=True)
            thread.start()
            loop[0], iothread[0] = running, thread
        return running


def _get_executor() -> ThreadPoolExecutor:
    """The threads that the loop hands blocking work to; as many as the configuration says."""
    global _executor
    if _executor is None:
        workers = config.get("threading.max_workers", None)
        executor = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="zarr_pool")
        _get_loop().set_default_executor(executor)
        _executor = executor
    return _executor


def cleanup_resources() -> None:
    """Ends the loop and its threads; the next use makes new ones."""
    global _executor
    if _executor is not None:
        _executor.shutdown(wait=True, cancel_futures=True)
        _executor = None
    running, thread = loop[0], iothread[0]
    if running is None:
        return
    with _get_lock():
        running.call_soon_threadsafe(running.stop)
        if thread is not None:
            thread.join(timeout=0.2)
        if not running.is_running():
            running.close()
        loop[0] = iothread[0] = None


def reset_resources_after_fork() -> None:
    """Forgets the loop of the parent, whose thread this process does not have."""
    global _executor, _native_executor, _lock
    loop[0] = iothread[0] = None
    _executor = _native_executor = _lock = None


atexit.register(cleanup_resources)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=reset_resources_after_fork)


def sync(
    coro: Coroutine[Any, Any, T],
    loop: asyncio.AbstractEventLoop | None = None,
    timeout: float | None = None,
) -> T:
    """Runs a coroutine on the loop, by default the package's own, and waits for its result.

    Raises
    ------
    SyncError
        If the caller is that loop: it would wait for itself.
    TimeoutError
        If there is no result after ``timeout`` seconds; the coroutine is cancelled.
    """
    if loop is None:
        loop = _get_loop()
        if _executor is None and config.get("threading.max_workers", None) is not None:
            _get_executor()
    if not isinstance(loop, asyncio.AbstractEventLoop):
        raise TypeError(f"loop cannot be of type {type(loop)}")
    if loop.is_closed():
        coro.close()
        raise RuntimeError("Loop is not running")
    if asyncio._get_running_loop() is loop:
        coro.close()
        raise SyncError("Calling sync() from within a running loop")
    future = asyncio.run_coroutine_threadsafe(_guarded(coro), loop)
    try:
        found, error = future.result(timeout)
    except TimeoutError as raised:
        future.cancel()
        raise TimeoutError(f"Coroutine {coro} failed to finish within {timeout} s") from raised
    except BaseException:
        # An interrupt: nobody waits for the result.
        future.cancel()
        raise
    if error is not None:
        raise error
    return found


async def _guarded(coro: Coroutine[Any, Any, T]) -> tuple[T, Exception | None]:
    """Result and exception: so that a timeout of the coroutine is not one of the wait for it."""
    try:
        return await coro, None
    except Exception as error:
        return None, error  # type: ignore[return-value]


async def _collect_aiterator(data: AsyncIterator[T]) -> tuple[T, ...]:
    return tuple([item async for item in data])


def collect_aiterator(data: AsyncIterator[T]) -> tuple[T, ...]:
    """All that an asynchronous iterator yields."""
    return sync(_collect_aiterator(data))


class SyncMixin:
    """Gives a class with coroutines their synchronous twins; obeys ``async.timeout``."""

    def _sync(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return sync(coroutine, timeout=config.get("async.timeout"))

    def _sync_iter(self, async_iterator: AsyncIterator[T]) -> list[T]:
        return list(self._sync(_collect_aiterator(async_iterator)))


async def in_thread(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Runs a call of the library in a thread.

    Such a call waits for no coroutine, and these threads run nothing else: so they are never all
    waiting for each other, as those of the loop may be.
    """
    global _native_executor
    if _native_executor is None:
        _native_executor = ThreadPoolExecutor(thread_name_prefix="stook_io")
    work = _Once(functools.partial(call, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_native_executor, work)


class _Once(Generic[T]):
    """A call that holds nothing after it: a thread of a pool keeps its last one for a moment, and
    a store that was closed meanwhile would stay open.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work

    def __call__(self) -> T:
        work = self._work
        del self._work
        return work()


async def _with_semaphore(
    func: Callable[[], Awaitable[T]], semaphore: asyncio.Semaphore | None = None
) -> T:
    if semaphore is None:
        return await func()
    async with semaphore:
        return await func()

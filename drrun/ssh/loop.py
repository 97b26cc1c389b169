"""asyncio's loop in a thread of its own: who waits for a host holds no thread.

Rules:
- Nothing on the loop blocks. What does block gets a thread, and ends by a deadline of its own.
- All threads are daemons: leaving the program waits for none of them.
- Whoever stops waiting for a thread gives up what it may still bring: `drop` closes that.
"""

import asyncio
import concurrent.futures
import functools
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class LoopClosed(Exception):
    """The loop is over."""


class Loop:
    """Runs coroutines for threads. Begins with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._begun = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run it; cancelling the future cancels it.

        Raises:
            LoopClosed: It was closed.
        """
        with self._lock:
            if self._closed:
                coroutine.close()
                raise LoopClosed("drrun is leaving its hosts")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ssh", daemon=True)
                self._thread.start()
                self._begun.wait()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self) -> None:
        """Cancel whatever runs, and end; does not wait."""
        with self._lock:
            if not self._closed and self._thread is not None:
                self._loop.call_soon_threadsafe(self._over.set)
            self._closed = True

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        await self._over.wait()


async def in_thread(call: Callable[[], T], drop: Callable[[T], object] | None = None) -> T:
    """The result of a call that blocks.

    Args:
        call: Runs in a thread of its own.
        drop: Given the result if nobody waits for it any more.
    """
    done: concurrent.futures.Future[T] = concurrent.futures.Future()

    def work() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            with suppress(concurrent.futures.InvalidStateError):
                done.set_exception(error)
            return
        try:
            done.set_result(result)
        except concurrent.futures.InvalidStateError:
            if drop is not None:
                drop(result)

    in_background(work)
    try:
        return await asyncio.wrap_future(done)
    except asyncio.CancelledError:
        # It may have come in the same instant.
        if drop is not None and not done.cancelled() and done.exception(0) is None:
            in_background(functools.partial(drop, done.result(0)))
        raise


def in_background(call: Callable[[], object]) -> None:
    """Run it in a thread that nobody waits for."""
    threading.Thread(target=call, daemon=True).start()

"""Runs several attempts, each with a head start over the next; the first success wins. RFC 8305.

Rules:
- The next attempt begins when the one before it failed, or has used up its head start. The time
  that an attempt waits for its turn does not count: the attempt says when it begins.
- A final failure ends the attempts behind it, as if they came one after another. Those before it
  go on.
- The race returns one result. It drops other results, and cancels attempts that still go on.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: Is given the event to set once it begins.
Attempt = Callable[[asyncio.Event], Coroutine[Any, Any, T]]


class RaceLost(Exception):
    """No attempt succeeded."""

    def __init__(self, faults: Sequence[Exception]) -> None:
        #: In the order of the attempts.
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in faults))


class Race(Generic[T]):
    """One race."""

    def __init__(
        self,
        attempts: Sequence[Attempt[T]],
        head_start: float | None,
        final: Callable[[Exception], bool],
        drop: Callable[[T], object],
    ) -> None:
        """Prepare it.

        Args:
            attempts: In the order of preference.
            head_start: Seconds; None: each attempt has all the time that it takes.
            final: Whether a failure forbids the attempts behind it.
            drop: Given the results that came too late.
        """
        self._waiting = list(attempts)
        self._head_start = head_start
        self._final = final
        self._drop = drop
        self._begun: list[asyncio.Task[T]] = []
        self._pause: asyncio.Task[None] | None = None

    async def run(self) -> T:
        """The first result.

        Raises:
            RaceLost: No attempt succeeded.
        """
        winner: asyncio.Task[T] | None = None
        try:
            while winner is None and (going := self._going()):
                await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
                winner = next(filter(_succeeded, self._begun), None)
        finally:
            self._leave(winner)
        if winner is None:
            raise RaceLost([error for task in self._begun if (error := _fault(task))])
        return winner.result()

    def _going(self) -> set[asyncio.Task[Any]]:
        """The tasks to wait for; begins the next attempt if its time has come."""
        self._obey_final()
        going: set[asyncio.Task[Any]] = {task for task in self._begun if not task.done()}
        late = self._pause is not None and self._pause.done()
        if self._waiting and (late or not going):
            self._stop_pause()
            begun = asyncio.Event()
            task = asyncio.ensure_future(self._waiting.pop(0)(begun))
            self._begun.append(task)
            going.add(task)
            if self._waiting and self._head_start is not None:
                self._pause = asyncio.ensure_future(_after(begun, self._head_start))
        if going and self._pause is not None and not self._pause.done():
            going.add(self._pause)
        return going

    def _obey_final(self) -> None:
        for number, task in enumerate(self._begun):
            fault = _fault(task)
            if fault is not None and self._final(fault):
                self._waiting.clear()
                for later in self._begun[number + 1 :]:
                    later.cancel()
                return

    def _stop_pause(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def _leave(self, winner: asyncio.Task[T] | None) -> None:
        """Cancel the attempts that go on. No await: the caller may be cancelled as well."""
        self._stop_pause()
        for task in self._begun:
            if task is not winner:
                task.cancel()
                task.add_done_callback(self._drop_late)

    def _drop_late(self, task: asyncio.Task[T]) -> None:
        if _succeeded(task):
            self._drop(task.result())


async def _after(begun: asyncio.Event, seconds: float) -> None:
    await begun.wait()
    await asyncio.sleep(seconds)


def _succeeded(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _fault(task: asyncio.Task[Any]) -> Exception | None:
    if not task.done() or task.cancelled():
        return None
    error = task.exception()
    return error if isinstance(error, Exception) else None

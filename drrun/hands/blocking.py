"""Hands that block, each attempt in a thread of a pool.

Rules:
- The blocking side never raises for what a host does; what it raises is an outcome too.
"""

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import field
from typing import Protocol

from drrun.core.dataclass import dataclass
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Outcome, OutcomeUnknown
from drrun.engine.cancel import AnyCancel
from drrun.engine.pool import Pool
from drrun.ports.clock import Cancel
from drrun.ports.hands import AttemptListener, HostClaim
from drrun.ports.places import AttemptOrder, AttemptProgress, Output

#: How many attempts are carried out at once.
_AT_ONCE = 1024


class BlockingHands(Protocol):
    """Does things to hosts, and returns once they are done."""

    def perform(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute one attempt to its end."""
        ...

    def reconcile(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Find out what became of an attempt that was intended by an earlier controller."""
        ...

    def end(self, order: AttemptOrder) -> None:
        """End all processes of an attempt; returns at once."""
        ...

    def forget(self, order: AttemptOrder) -> None:
        """Remove what a place keeps of an attempt."""
        ...

    def close(self) -> None:
        """Leave all hosts."""
        ...


@dataclass(slots=True)
class PooledHands:
    """Gives each attempt of blocking hands a thread. A `Hands`."""

    hands: BlockingHands
    _pool: Pool = field(default_factory=lambda: Pool(_AT_ONCE))
    _leave: threading.Event = field(default_factory=threading.Event)
    _followed: dict[int, threading.Event] = field(default_factory=dict)

    def take_up(self, claim: HostClaim) -> None:
        """Nothing: these leave nothing behind that others must know of."""

    def visit(self, places: Collection[Host | None]) -> Callable[[], bool]:
        """Nothing, for the same reason."""
        del places
        return lambda: True

    def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
        """Carry out one attempt; see `Hands.begin`."""
        let_go = self._followed[id(order)] = threading.Event()

        def work() -> None:
            do = self.hands.reconcile if order.again else self.hands.perform
            try:
                outcome = do(order, output, report.news, AnyCancel(self._leave, let_go))
            except Exception as error:  # noqa: BLE001 - a lost outcome is a step that hangs
                outcome = OutcomeUnknown(f"drrun failed here: {type(error).__name__}: {error}")
            self._followed.pop(id(order), None)
            report.done(outcome)

        self._pool.run(work)

    def let_go(self, order: AttemptOrder) -> None:
        """Follow an attempt no longer."""
        if let_go := self._followed.get(id(order)):
            let_go.set()

    def end(self, order: AttemptOrder) -> None:
        """End all processes of an attempt."""
        self.hands.end(order)

    def forget(self, order: AttemptOrder) -> None:
        """Remove what a place keeps of an attempt; returns at once."""

        def work() -> None:
            with suppress(Exception):  # what is left over is found by the next controller
                self.hands.forget(order)

        self._pool.run(work)

    def leave(self) -> None:
        """Let go of everything."""
        self._leave.set()

    def close(self) -> None:
        """Leave all hosts."""
        self.hands.close()

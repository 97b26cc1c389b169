"""Hands that only read: each attempt blocks in a thread of a pool.

Rules:
- The blocking side never raises for what a host does; what it raises is an outcome too.
- An attempt that only reads leaves nothing behind. An earlier controller's is made again.
"""

import threading
from collections.abc import Callable, Collection
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
    """Reads what hosts have, and returns once it is read."""

    def perform(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute one attempt to its end."""
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
            cancel = AnyCancel(self._leave, let_go)
            try:
                outcome = self.hands.perform(order, output, report.news, cancel)
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
        """Nothing: what reads is waited for, it has its own time limit."""

    def forget(self, order: AttemptOrder) -> None:
        """Nothing is kept."""

    def leave(self) -> None:
        """Let go of everything."""
        self._leave.set()

    def close(self) -> None:
        """Leave all hosts."""
        self.hands.close()

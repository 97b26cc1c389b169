"""A job's contact with its place: lost, sought, found again, and what is said about it.

Rules:
- Every request may be repeated, so each is asked again until it is answered or given up.
- Losing contact is no failure. It is told when it lasts (FAULTS 52: "not seen for"), and so is
  finding the place again.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import field
from typing import Protocol, TypeVar

from drrun.core.dataclass import dataclass
from drrun.core.outcomes import Outcome
from drrun.engine.ports import Progress
from drrun.ssh.deadlines import Deadlines
from drrun.ssh.resident import Resident, ResidentLost

#: Seconds without an answer after which people are told (FAULTS G3 allows 15).
TOLD_AFTER = 10.0

Answer = TypeVar("Answer")
#: Whether contact has been sought for long enough, given the seconds for which it was.
Enough = Callable[[float], bool]


class Parted(Exception):
    """Contact was lost; the job, if there is one, goes on."""


class Absent(Exception):
    """The place was not reached. `outcome` says what that means."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(getattr(outcome, "why", ""))
        self.outcome = outcome


class Place(Protocol):
    """Where a job runs."""

    def reach(self) -> Resident:
        """An answering launcher, tried once.

        Raises:
            Absent: There is none; nothing was sent.
        """
        ...

    def find(self, enough: Enough) -> Resident:
        """An answering launcher, sought with patience, for a job that may be going on.

        Raises:
            Parted: There is none.
        """
        ...

    @property
    def route(self) -> str:
        """The route by which it was reached last."""
        ...

    def __str__(self) -> str:
        """For messages."""
        ...


@dataclass(slots=True)
class _Silence:
    """One request that is not answered yet."""

    tell: Callable[[Progress], None]
    began: float = field(default_factory=time.monotonic)
    why: str = "it does not answer"
    #: Contact was lost at least once.
    lost: bool = False
    told: bool = False
    over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def lasts(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self.began

    def say(self) -> None:
        """Tell that it lasts, unless it is over."""
        with self.lock:
            if not self.over:
                self.told = True
                self.tell(Progress(silent=self.lasts, note=self.why))

    def end(self) -> None:
        """Nothing is told from now on."""
        with self.lock:
            self.over = True


@dataclass(frozen=True, slots=True)
class Contact:
    """Asks a job's place, through losses."""

    place: Place
    tell: Callable[[Progress], None]
    watch: Deadlines
    enough: Enough
    #: Seconds that one answer may take now; after that the launcher is given up and sought anew.
    patience: Callable[[], float]

    def ask(self, request: Callable[[Resident], Answer]) -> Answer:
        """The answer to a request that may be repeated.

        Raises:
            Parted: None came, for longer than makes sense.
        """
        silence = _Silence(self.tell)
        try:
            with self.watch.limit(TOLD_AFTER, silence.say):
                answer = self._insist(request, silence)
        finally:
            silence.end()
        if silence.lost or silence.told:
            self.tell(Progress(found_after=silence.lasts, route=self.place.route))
        return answer

    def _insist(self, request: Callable[[Resident], Answer], silence: _Silence) -> Answer:
        while True:
            resident = self.place.find(self.enough)
            try:
                with self.watch.limit(self.patience(), resident.close):
                    return request(resident)
            except ResidentLost as error:
                silence.lost, silence.why = True, str(error)

"""How many targets of one step stand where, and which of them have not begun."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence

from drrun.core.dataclass import dataclass
from drrun.core.model.status import FINAL, Status, step_status
from drrun.core.state.target import TargetState


@dataclass(slots=True)
class Tally:
    """Kept as targets change, so that nobody has to look at all of them."""

    #: How many targets may fail without failing the step.
    allowed_failures: int
    #: None of the counts is 0.
    counts: Counter[Status]
    #: Places in the plan's order of targets that have not begun, and that have not ended; growing.
    queued: list[int]
    unended: list[int]
    status: Status
    #: Failures that were known when a target was last opened again. They keep it from nothing.
    excused: int = 0

    @classmethod
    def of(cls, states: Sequence[TargetState], allowed_failures: int) -> "Tally":
        """Count once."""
        counts = Counter(each.status for each in states)
        queued = [place for place, each in enumerate(states) if each.queued]
        unended = [place for place, each in enumerate(states) if each.status not in FINAL]
        status = step_status(counts, allowed_failures)
        return cls(allowed_failures, counts, queued, unended, status)

    def move(self, place: int, before: Status, after: Status) -> None:
        """A target has another status."""
        if (before in FINAL) is not (after in FINAL):
            _list(self.unended, place, listed=after not in FINAL)
        self.counts[before] -= 1
        self.counts[after] += 1
        if not self.counts[before]:
            del self.counts[before]
        self.excused = min(self.excused, self.counts[Status.FAILED])
        self.status = step_status(self.counts, self.allowed_failures)

    def excuse(self) -> None:
        """A target is to be done again, by somebody who knows which others failed."""
        self.excused = self.counts[Status.FAILED]

    def queue(self, place: int, *, waits: bool) -> None:
        """A target waits to begin, or does so no more."""
        _list(self.queued, place, listed=waits)

    @property
    def open(self) -> bool:
        """Whether something of the step has not ended."""
        return bool(self.counts) and self.status not in FINAL


def _list(places: list[int], place: int, *, listed: bool) -> None:
    if listed:
        insort(places, place)
    else:
        del places[bisect_left(places, place)]

"""What was decided about a step, and by whom, in words."""

from collections.abc import Iterable, Iterator

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.seat import Seat
from drrun.core.state.event_text import tell
from drrun.report.facts import Fact

#: Told with the attempt that they belong to.
_OF_ATTEMPTS = (
    ev.ActionShown,
    ev.AttemptEnded,
    ev.AttemptTimedOut,
    ev.AttemptStopped,
    ev.AttemptNeverStarted,
    ev.ContactLost,
    ev.WaitEnded,
)


@dataclass(frozen=True, slots=True)
class Word:
    """What a person, or the controller, decided about a target."""

    at: float
    by: str
    text: str
    #: Where the person sat; None: that is not known, or it was the controller.
    seat: Seat | None = None

    @property
    def who(self) -> str:
        """Who, with the account that was used where that is called otherwise."""
        return self.seat.beside(self.by) if self.seat else self.by


def words_of(facts: Iterable[Fact]) -> Iterator[Word]:
    """What was decided and told, in order."""
    for fact in facts:
        told = None if isinstance(fact.event, _OF_ATTEMPTS) else tell(fact.event)
        if told is not None:
            yield Word(fact.at, fact.actor, told.text, fact.seat)

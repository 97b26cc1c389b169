"""The clocks of an incident, and how long each service was away by two of them."""

from collections.abc import Iterable, Iterator, Mapping

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.values import Duration
from drrun.report.facts import Fact
from drrun.report.services import ServiceView

#: In the order in which they usually come.
_ORDER = (
    "disrupted", "detected", "acknowledged", "declared", "run started", "services back",
    "run ended", "protected", "closed",
)  # fmt: skip


#: From which clock objectives count: the first of these that somebody stated.
COUNTING = ("disrupted", "detected", "declared")


@dataclass(frozen=True, slots=True)
class Milestone:
    """One moment, in seconds since the epoch; `why` where a person stated it."""

    name: str
    at: float
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Away:
    """How long one service was away."""

    service: str
    title: str
    rto: Duration | None
    #: None: not known, or it never came back.
    from_disruption: Duration | None
    from_declaration: Duration | None

    @property
    def met(self) -> bool | None:
        """Whether the objective was met, counted from the disruption where that is known."""
        took = self.from_disruption or self.from_declaration
        return None if self.rto is None or took is None else took <= self.rto


def clocks_of(
    facts: Iterable[Fact], services: Iterable[ServiceView], wall: float
) -> tuple[Milestone, ...]:
    """All moments that are known; of what was stated twice the last word.

    Args:
        facts: The whole journal.
        services: When they came back.
        wall: How far the clock on the wall is ahead of the run's: people state what that one says.
    """
    found: dict[str, Milestone] = {}
    started: float | None = None
    for fact in facts:
        event = fact.event
        if isinstance(event, ev.ClockStated):
            found[event.name] = Milestone(event.name, event.moment, event.by, event.why)
        elif isinstance(event, ev.RunStarted):
            started = fact.at + wall
            found["run started"] = Milestone("run started", started)
        elif isinstance(event, ev.RunEnded):
            found["run ended"] = Milestone("run ended", fact.at + wall, why=event.status)
        elif isinstance(event, ev.RunClosed):
            found["closed"] = Milestone("closed", fact.at + wall, event.by, event.why)
    back = [view.recovered for view in services if view.rungs]
    if started is not None and back and None not in back:
        latest = max(each for each in back if each is not None)
        found["services back"] = Milestone("services back", started + latest)
    return tuple(found[name] for name in _ORDER if name in found)


def away(clocks: Iterable[Milestone], services: Iterable[ServiceView]) -> Iterator[Away]:
    """How long each service was away; without a declaration from the start of the run."""
    at: Mapping[str, float] = {clock.name: clock.at for clock in clocks}
    started = at.get("run started")
    disrupted = at.get("disrupted", at.get("detected"))
    declared = at.get("declared", started)
    for view in services:
        back = None if started is None or view.recovered is None else started + view.recovered
        title = view.title or view.name
        spans = (_span(disrupted, back), _span(declared, back))
        yield Away(view.name, title, view.rto, *spans)


def _span(since: float | None, until: float | None) -> Duration | None:
    return None if since is None or until is None else Duration(max(0.0, until - since))

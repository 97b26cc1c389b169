"""Where the time of a run went: work, and waits by cause, that add up to the wall clock.

Rules:
- The time between two entries of the journal belongs to one cause, so the sum is the wall clock
  by construction; which cause is a function of the state that held meanwhile.
- Work beats every wait: while anything acts, the run is not waiting. Of several waits the one that
  somebody else has to end is named first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.actions import UsesAction
from drrun.core.model.ids import TargetKey
from drrun.core.model.status import Cause, Phase, Status
from drrun.core.model.values import Duration
from drrun.core.state.clocks import TakenOver
from drrun.core.state.run_state import RunState, planned
from drrun.report.facts import Fact

#: Causes, first the one that counts when several hold.
CAUSES = (
    "work", "transfer", "verification", "third party", "person", "unknown outcome", "waiting time",
    "retry", "clock", "lock", "paused", "after its end", "no controller", "drrun",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of time that belongs to one cause. Moments in seconds since the epoch."""

    cause: str
    since: float
    until: float
    #: Seconds of it that are none: the clocks of two controllers jumped.
    jumped: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it was."""
        return max(0.0, self.until - self.since - self.jumped)


def spells(state: RunState, facts: Iterable[Fact], end: float) -> list[Spell]:
    """All stretches of a run in order, without gaps, from its first entry to `end`.

    Args:
        state: An empty state of the run's plan; it is folded here.
        facts: The whole journal.
        end: When to stop counting: the end of the run, or now.
    """
    found: list[Spell] = []
    since: float | None = None
    left = False
    for fact in facts:
        if since is not None and since >= end:
            break  # what people add afterwards takes no time of the run
        if since is not None and fact.at > since:
            away = left or isinstance(fact.event, ev.ControllerTook)
            _add(found, _cause(state, away=away), since, min(fact.at, end))
        since = max(fact.at, since or fact.at)
        # Nobody drives a run that has ended until somebody goes on with it.
        left = isinstance(fact.event, ev.ControllerLeft | ev.RunEnded) or (
            left and not isinstance(fact.event, ev.ControllerTook)
        )
        state.apply(fact.event, fact.at)
    if since is not None and end > since and state.ended is None:
        _add(found, _cause(state, away=left), since, end)
    return [_corrected(spell, state.time.unsure) for spell in found]


def _corrected(spell: Spell, unsure: Iterable[TakenOver]) -> Spell:
    within = (each for each in unsure if spell.since < each.at <= spell.until)
    jumped = sum(each.jump or 0.0 for each in within)
    return replace(spell, jumped=jumped) if jumped else spell


def _cause(state: RunState, *, away: bool) -> str:
    """What the run waits for; without a controller only what a controller would wait for too."""
    if away and state.ended is not None:
        return "after its end"
    cause = cause_now(state)
    return cause if cause in _WITHOUT_US or not away else "no controller"


def totals(found: Iterable[Spell]) -> dict[str, Duration]:
    """Seconds by cause, the longest first."""
    sums: dict[str, float] = {}
    for spell in found:
        sums[spell.cause] = sums.get(spell.cause, 0.0) + spell.seconds
    ordered = sorted(sums.items(), key=lambda each: -each[1])
    return {cause: Duration(seconds) for cause, seconds in ordered}


def cause_now(state: RunState) -> str:
    """What the run as a whole is doing, or waits for."""
    causes = set()
    for cause in _of_active(state):
        if cause == CAUSES[0]:
            return cause  # nothing comes before it
        causes.add(cause)
    if not causes & _ACTING:
        # What is queued waits outside of `active`; looked at only where it can matter.
        causes |= set(_of_queued(state))
        if state.paused:
            causes.add("paused")
    return next((cause for cause in CAUSES if cause in causes), "drrun")


#: What goes on waiting whoever drives the run.
_WITHOUT_US = frozenset({"person", "third party", "unknown outcome"})
_ACTING = frozenset({"work", "transfer", "verification"})


def _of_queued(state: RunState) -> Iterator[str]:
    for target in state.targets.values():
        if target.status is Status.WAITING and not target.begun and target.waits_for:
            yield _waited_for(target.waits_for)


def _of_active(state: RunState) -> Iterator[str]:
    for key in state.active:
        target = state.targets[key]
        if target.gate is not None:
            yield "unknown outcome" if target.gate.kind == "unknown" else _whose(state, key)
        elif target.status is Status.WAITING and target.waits_for is not None:
            yield _waited_for(target.waits_for)
        elif target.status is Status.VERIFYING:
            yield "verification"
        elif target.phase is Phase.ACTING:
            yield _acting(state, key)
        elif target.status is Status.UNKNOWN:
            yield "unknown outcome"
        elif target.status is Status.RUNNING:
            yield "verification"


def _waited_for(cause: Cause) -> str:
    match cause:
        case Cause.PERSON:
            return "person"
        case Cause.THIRD_PARTY:
            return "third party"
        case Cause.CLOCK:
            return "clock"
        case Cause.LOCK:
            return "lock"
        case Cause.RETRY:
            return "retry"
        case _:
            assert_never(cause)


def _whose(state: RunState, key: TargetKey) -> str:
    waits_for = state.targets[key].waits_for
    return "third party" if waits_for is Cause.THIRD_PARTY else "person"


def _acting(state: RunState, key: TargetKey) -> str:
    action = planned(state, key).step.action
    name = action.name if isinstance(action, UsesAction) else ""
    if name == "wait":
        return "waiting time"
    return "transfer" if name in ("rsync", "fetch", "copy") else "work"


def _add(found: list[Spell], cause: str, since: float, until: float) -> None:
    if until <= since:
        return
    if found and found[-1].cause == cause and found[-1].until == since:
        found[-1] = Spell(cause, found[-1].since, until)
    else:
        found.append(Spell(cause, since, until))

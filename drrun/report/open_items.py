"""What a run leaves to do: findings, follow-ups, workarounds. Pure."""

from collections.abc import Iterable, Iterator

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.status import Status
from drrun.core.state.run_state import RunState
from drrun.report.facts import Fact

#: Of a step that never acted nothing is left to do.
_ACTED = frozenset({Status.PASSED, Status.REGRESSED, Status.FAILED, Status.UNKNOWN})


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """One thing that is still to be done."""

    #: `finding`, `follow-up`, `workaround`.
    kind: str
    text: str
    #: `low`, `medium`, `high`; "" for what is no finding.
    severity: str = ""
    owner: str = ""
    #: A date, or a duration after the run.
    due: str = ""
    step: str = ""
    by: str = ""


def loose_ends(state: RunState, facts: Iterable[Fact]) -> Iterator[LooseEnd]:
    """All of them, what people found first."""
    for event in (fact.event for fact in facts):
        if isinstance(event, ev.FindingNoted):
            yield LooseEnd(
                "finding",
                event.text,
                event.severity,
                event.owner,
                event.due,
                event.step,
                event.by,
            )
        elif isinstance(event, ev.FollowUpNoted):
            yield LooseEnd(
                "follow-up",
                event.text,
                owner=event.owner,
                due=event.due,
                step=event.step,
                by=event.by,
            )
    for step in state.plan.order:
        written = state.plan.steps[step].step
        if written.follow_up and state.step(step) in _ACTED:
            yield LooseEnd("follow-up", written.follow_up, owner=written.owner, step=step)
    for step in state.plan.order:
        given = state.plan.steps[step].step.workaround
        if given is not None and state.step(step) is Status.PASSED:
            yield LooseEnd(
                "workaround",
                str(given.get("reason", "")),
                "",
                str(given.get("owner", "")),
                str(given.get("expires", "")),
                step,
            )

"""What a dry-run found: every action that a live run would execute, and on what."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.ids import TargetKey
from drrun.core.model.runbook import Mode, Step
from drrun.core.model.status import Status
from drrun.core.rules.dry_run import REACHED, doubtful
from drrun.core.rules.endings import exceptions_of
from drrun.core.state.run_state import RunState
from drrun.report.facts import Fact

#: (step, target, attempt) -> what a look at the target printed.
Printed = Mapping[tuple[str, str, int], list[str]]


@dataclass(frozen=True, slots=True)
class DryCounts:
    """How many targets a live run would act on, and where it would not go well."""

    execute: int
    already: int
    faults: int

    def __str__(self) -> str:
        faults = "1 fault" if self.faults == 1 else f"{self.faults} faults"
        return f"would execute {self.execute}, {self.already} done already, {faults}"


@dataclass(frozen=True, slots=True)
class ShownAction:
    """One action on one target."""

    step: str
    target: str
    host: str
    action: str
    #: As it would be executed, secrets masked.
    command: str
    become: str
    environment: tuple[str, ...]
    #: Which check was tolerated.
    note: str
    #: Who is asked before it, and what is asked before and afterwards: head -> questions.
    around: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: What it would change, or what looking at it printed.
    printed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DryView:
    """Everything that a dry-run found."""

    counts: DryCounts
    actions: tuple[ShownAction, ...]
    #: Targets that are done already.
    already: tuple[str, ...]
    #: What failed, or could not be told, with the reason.
    faults: tuple[tuple[str, str], ...]
    #: Guards that do not hold, where steps come before that may make them hold.
    not_yet: int


def dry_counts(state: RunState) -> DryCounts | None:
    """The counts of a dry-run; None for any other run."""
    if state.plan.mode is not Mode.DRY_RUN:
        return None
    return DryCounts(
        execute=sum(
            _shown(state, key) and not doubtful(target) for key, target in state.targets.items()
        ),
        already=sum(target.already for target in state.targets.values()),
        faults=len(list(exceptions_of(state))),
    )


def dry_view(state: RunState, facts: Iterable[Fact], printed: Printed) -> DryView:
    """Look at a dry-run, in the order in which it came along.

    Args:
        state: The run.
        facts: Its journal.
        printed: What looks at targets printed.
    """
    shown = [fact.event for fact in facts if isinstance(fact.event, ev.ActionShown)]
    targets = state.targets.items()
    counts = dry_counts(state)
    assert counts is not None  # noqa: S101 - nobody looks so at another run
    return DryView(
        counts=counts,
        actions=tuple(
            ShownAction(
                step=event.step,
                target=event.target,
                host=event.host,
                action=event.action,
                command=event.command,
                become=event.become,
                environment=tuple(event.environment),
                note=event.note,
                around=dict(_around(state.plan.steps[event.key.step].step)),
                printed=tuple(printed.get((event.step, event.target, event.attempt), ())),
            )
            for event in shown
        ),
        already=tuple(str(key) for key, target in targets if target.already),
        faults=tuple((each.about, each.why) for each in exceptions_of(state)),
        not_yet=sum(
            _shown(state, key) and target.judged is not None and not doubtful(target)
            for key, target in targets
        ),
    )


def _shown(state: RunState, key: TargetKey) -> bool:
    return state.targets[key].status is Status.SKIPPED and key.step in state.shown


def _around(step: Step) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a live run asks around an action: people and probes."""
    people = []
    if step.approval is not None:
        count = int(step.approval.get("count") or 1)
        several = f"{count} of " if count > 1 else ""
        people.append(f"approval by {several}{step.approval.get('role') or 'anybody'}")
    if step.irreversible:
        people.append("a person to allow it: there is no way back")
    asked = {
        "asks": tuple(people),
        "guard": tuple(probe.label for probe in step.guard if probe.label != REACHED),
        "done when": tuple(probe.label for probe in step.done_when),
        "verify": tuple(probe.label for probe in step.verify),
    }
    yield from ((head, each) for head, each in asked.items() if each)

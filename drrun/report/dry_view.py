"""What a dry-run found: every action that a live run would execute, and on what."""

from collections.abc import Iterable

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.status import Status
from drrun.core.state.run_state import RunState
from drrun.report.facts import Fact


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


@dataclass(frozen=True, slots=True)
class DryView:
    """Everything that a dry-run found."""

    actions: tuple[ShownAction, ...]
    #: Targets that are done already.
    already: tuple[str, ...]
    #: Targets that a live run would fail on as well, with the reason.
    faults: tuple[tuple[str, str], ...]


def dry_view(state: RunState, facts: Iterable[Fact]) -> DryView:
    """Look at a dry-run, in the order in which it came along."""
    shown = [fact.event for fact in facts if isinstance(fact.event, ev.ActionShown)]
    targets = state.targets.items()
    return DryView(
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
            )
            for event in shown
        ),
        already=tuple(str(key) for key, target in targets if target.already),
        faults=tuple(
            (str(key), target.note) for key, target in targets if target.status is Status.FAILED
        ),
    )

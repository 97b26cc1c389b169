"""What becomes of a request, and which targets it means."""

from collections.abc import Sequence

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.nearest import did_you_mean
from drrun.core.people.commands import StepCommand
from drrun.core.state.run_state import RunState


@dataclass(frozen=True, slots=True)
class Granted:
    """The request can be done; these facts are to be recorded (none: it was done before)."""

    events: Sequence[ev.Event]
    message: str


@dataclass(frozen=True, slots=True)
class Denied:
    """The request cannot be done."""

    why: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks something of which run, and when."""

    state: RunState
    by: str
    #: Seconds since the epoch.
    now: float


def step_of(state: RunState, command: StepCommand) -> StepId | Denied:
    """The step that is meant."""
    name = command.step.partition("@")[0]
    if name not in state.plan.steps:
        hint = did_you_mean(name, state.plan.steps)
        return Denied(f"there is no step {name!r}{hint}; `drrun status` lists them")
    return StepId(name)


def keys_of(state: RunState, command: StepCommand) -> list[TargetKey] | Denied:
    """The targets that are meant: one, or all of a step."""
    step = step_of(state, command)
    if isinstance(step, Denied):
        return step
    target = command.target or command.step.partition("@")[2]
    keys = [key for key in state.keys(step) if target in ("", key.target)]
    if not keys:
        names = ", ".join(key.target for key in state.keys(step))
        return Denied(f"step {step} has no target {target!r}, only {names}")
    return keys

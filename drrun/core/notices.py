"""What is worth telling people who do not sit at a terminal. Pure.

Rules:
- Few and plain: who is waited for, what failed, what broke again, what users have back, the end.
- Texts come from the record, where secrets are masked already.
"""

from collections.abc import Iterator
from dataclasses import field

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.ids import Key, StepId, TargetName
from drrun.core.people.roles import members
from drrun.core.state import RunState
from drrun.core.status import Status
from drrun.core.values import Duration

#: What may be subscribed to.
KINDS = ("waiting", "failed", "regressed", "service", "ended", "message")


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell."""

    kind: str
    run: str
    text: str
    #: Who is meant; empty: whoever listens.
    to: tuple[str, ...] = ()
    step: str = ""
    #: Service -> level, once one has changed.
    levels: dict[str, str] = field(default_factory=dict)


def notices(state: RunState, event: ev.Event, run: str) -> Iterator[Notice]:
    """What follows from an event that has just been applied to `state`."""
    yield from _of_people(state, event, run)
    match event:
        case ev.TargetFailed(step=step, target=target, why=why):
            yield Notice("failed", run, f"{_key(step, target)} failed: {why}", step=step)
        case ev.Regressed(step=step, target=target, why=why):
            yield Notice("regressed", run, f"{_key(step, target)} regressed: {why}", step=step)
        case ev.InvariantBroken(name=name, why=why):
            yield Notice("regressed", run, f"invariant {name!r} is broken: {why}")
        case ev.AttemptLate(step=step, target=target, p90=p90):
            told = f"{_key(step, target)} is late: longer than {Duration(p90)}, and goes on"
            yield Notice("waiting", run, told, members(state, _owner(state, step)), step)
        case ev.RunPaused(why=why):
            yield Notice("waiting", run, f"paused: {why}")
        case ev.RunEnded(status=status):
            yield Notice("ended", run, f"the run has ended: {status}")
        case ev.TargetEvent(step=step):
            yield from _of_services(state, StepId(step), event, run)
        case _:
            return


def _of_people(state: RunState, event: ev.Event, run: str) -> Iterator[Notice]:
    match event:
        case ev.GateOpened(step=step, target=target, role=role, text=text):
            to = members(state, role)
            named = f" ({', '.join(to)})" if to else ""
            whom = f"{role or 'anybody'}{named}"
            yield Notice("waiting", run, f"{_key(step, target)} asks {whom}: {text}", to, step)
        case ev.PersonReminded(step=step, target=target, to=to, times=times):
            told = f"{_key(step, target)} still waits for an answer (reminder {times})"
            yield Notice("waiting", run, told, to, step)
        case ev.GateEscalated(step=step, target=target, to=to):
            yield Notice("waiting", run, f"nobody answers {_key(step, target)}", to, step)
        case _:
            return


def _of_services(
    state: RunState, step: StepId, event: ev.TargetEvent, run: str
) -> Iterator[Notice]:
    """A step that has just passed as a whole raises its services."""
    raises = state.plan.steps[step].step.raises if step in state.plan.steps else {}
    key = Key(step, TargetName(event.target))
    just = isinstance(event, ev.ProbesConcluded | ev.GateAnswered | ev.TargetMarked)
    if not (raises and just) or state.targets[key].status is not Status.PASSED:
        return
    if state.step(step) is Status.PASSED:
        levels = {service: str(level) for service, level in raises.items()}
        said = ", ".join(f"{service} is {level}" for service, level in levels.items())
        yield Notice("service", run, said, step=step, levels=levels)


def _owner(state: RunState, step: str) -> str:
    return state.plan.steps[StepId(step)].step.owner


def _key(step: str, target: str) -> str:
    return str(Key(StepId(step), TargetName(target)))

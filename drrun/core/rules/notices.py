"""What is worth telling people who do not sit at a terminal. Pure.

Rules:
- Few and plain: who is waited for, what failed, what broke again, what users have back, the end.
- Texts come from the record, where secrets are masked already.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.status import Status
from drrun.core.rules.roles import asked_now, members, still_asked
from drrun.core.state.event_text import tell
from drrun.core.state.run_state import RunState, planned

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
    if isinstance(event, ev.TargetEvent):
        yield from _of_services(state, event, run)
    kind = _KINDS.get(type(event))
    told = tell(event)
    if kind is None or told is None:
        return
    asked = ""
    if isinstance(event, ev.GateOpened):
        asked = f" {asked_now(state, event.key, event.role)}"
    text = f"{told.about or 'the run'} {told.word}{asked}"
    text += f": {told.detail}" if told.detail else ""
    step = event.step if isinstance(event, ev.StepEvent) else ""
    yield Notice(kind, run, text, _meant(state, event), step)


#: What is worth a notice, and as what.
_KINDS: Mapping[type[ev.EventBase], str] = {
    ev.TargetFailed: "failed",
    ev.Regressed: "regressed",
    ev.InvariantBroken: "regressed",
    ev.GateOpened: "waiting",
    ev.PersonReminded: "waiting",
    ev.GateEscalated: "waiting",
    ev.AttemptLate: "waiting",
    ev.RunPaused: "waiting",
    ev.RunEnded: "ended",
}


def _meant(state: RunState, event: ev.Event) -> tuple[str, ...]:
    """Whoever is to hear of it; nobody: whoever listens."""
    if isinstance(event, ev.GateOpened):
        gate = state.targets[event.key].gate
        return () if gate is None else still_asked(state, event.key, gate)
    if isinstance(event, ev.PersonReminded | ev.GateEscalated):
        return event.to
    if isinstance(event, ev.AttemptLate):
        return members(state, planned(state, event.key).step.owner)
    return ()


def _of_services(state: RunState, event: ev.TargetEvent, run: str) -> Iterator[Notice]:
    """A step that has just passed as a whole raises its services."""
    key = event.key
    raises = planned(state, key).step.raises
    just = isinstance(event, ev.ProbesConcluded | ev.GateAnswered | ev.TargetMarked)
    if not (raises and just) or state.targets[key].status is not Status.PASSED:
        return
    if state.step(key.step) is Status.PASSED:
        levels = {service: str(level) for service, level in raises.items()}
        said = ", ".join(f"{service} is {level}" for service, level in levels.items())
        yield Notice("service", run, said, step=key.step, levels=levels)

"""Which probes a step asks, and when."""

from dataclasses import replace

from drrun.core.model.actions import UsesAction
from drrun.core.model.ids import TargetKey
from drrun.core.model.probes import Probe, ProbeKind, Purpose
from drrun.core.model.runbook import StandIn, Step
from drrun.core.state.run_state import RunState


def waits(step: Step) -> bool:
    """Whether the action is a wait that needs nobody's hands."""
    action = step.action
    return (
        isinstance(action, UsesAction) and action.name == "wait" and "ttl" not in action.arguments
    )


def waits_now(state: RunState, key: TargetKey) -> bool:
    """Whether a target waits; its undo, or its form after a loss, is another action."""
    instead = state.targets[key].undoing or key in state.in_lost_form
    return not instead and waits(state.plan.steps[key.step].step)


def until_of(step: Step) -> tuple[Probe, ...]:
    """The probes that a `wait` waits for."""
    if isinstance(step.action, UsesAction) and step.action.name == "wait":
        return tuple(step.action.arguments.get("until", ()))
    return ()


def asked_of(state: RunState, key: TargetKey, purpose: Purpose) -> tuple[Probe, ...]:
    """The probes that a target is asked now; the form after a loss has only its own verify."""
    step = state.plan.steps[key.step].step
    if key in state.in_lost_form and isinstance(step.when_lost, StandIn):
        verifies = purpose in (Purpose.VERIFY, Purpose.RECONCILE)
        return step.when_lost.verify if verifies else ()
    return probes_of(step, purpose)


def own_undo_verify(step: Step) -> tuple[Probe, ...]:
    """What has to hold once a step is undone, in its author's words."""
    return step.undo.verify if isinstance(step.undo, StandIn) else ()


def _no_longer(step: Step) -> tuple[Probe, ...]:
    """What must hold no longer once a step is undone: its verify, asked once and of nobody."""
    return tuple(
        replace(probe, within=None, stable_for=None)
        for probe in step.verify
        if probe.kind is not ProbeKind.ASK
    )


def probes_of(step: Step, purpose: Purpose) -> tuple[Probe, ...]:
    """The list of probes for a purpose; looking after lost contact asks what verify asks."""
    match purpose:
        case Purpose.GUARD:
            return step.guard
        case Purpose.DONE_WHEN:
            return step.done_when
        case Purpose.UNTIL:
            return until_of(step)
        case Purpose.VERIFY | Purpose.RECONCILE:
            return step.verify
        case Purpose.UNDONE:
            return own_undo_verify(step) or _no_longer(step)
        case Purpose.WATCH:
            return step.watch

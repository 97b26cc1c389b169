"""What a step lacks that somebody will look for: an owner, a way back, an estimate, a gate."""

from collections.abc import Iterator

from drrun.core.model.actions import DecisionAction, ManualAction
from drrun.core.model.errors import Finding
from drrun.core.model.graph import ancestors_of, find_cycles
from drrun.core.model.runbook import Step
from drrun.lint.subject import Subject, advice, doubt


def unraised(subject: Subject) -> Iterator[Finding]:
    """Services that no step brings back."""
    runbook = subject.runbook
    raised = {name for step in runbook.steps.values() for name in step.raises}
    for service in runbook.services.values():
        if service.name not in raised:
            message = f"services.{service.name}: no step raises it, so nobody sees it come back"
            yield doubt(service.place, message, "unraised-service")


def ungated(subject: Subject) -> Iterator[Finding]:
    """Points of no return that nobody is asked about."""
    steps = subject.runbook.steps
    if find_cycles(steps):
        return
    for step in steps.values():
        if not step.irreversible or _is_gate(step):
            continue
        if not any(_is_gate(steps[each]) for each in ancestors_of(steps, step.id)):
            message = (
                f"steps.{step.id}: cannot be taken back, and nobody is asked before it:"
                " give it an approval, or let it need a manual step or a decision"
            )
            yield doubt(step.place, message, "ungated-irreversible")


def unowned(subject: Subject) -> Iterator[Finding]:
    """Steps for which nobody is responsible."""
    for step in subject.changing():
        if not step.owner:
            yield _lacks(step, "has no owner", "missing-owner")


def without_undo(subject: Subject) -> Iterator[Finding]:
    """Steps that change something and say neither how to take that back nor that nothing does."""
    for step in subject.changing():
        if step.undo is None:
            message = "has no undo; if there is none, say why: undo: {none: WHY}"
            yield _lacks(step, message, "missing-undo")


def without_estimate(subject: Subject) -> Iterator[Finding]:
    """Steps without which no plan can say how long it takes."""
    for step in subject.changing():
        if step.estimate is None:
            yield _lacks(step, "has no estimate", "missing-estimate")


def _lacks(step: Step, what: str, code: str) -> Finding:
    return advice(step.place, f"steps.{step.id}: {what}", code)


def _is_gate(step: Step) -> bool:
    return step.approval is not None or isinstance(step.action, ManualAction | DecisionAction)

"""Whether a runbook was ever tried, how much of it people do, and what everything goes through."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date

from drrun.core.model.actions import ManualAction
from drrun.core.model.errors import Finding
from drrun.core.model.graph import find_cycles
from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Step
from drrun.lint.subject import Subject, advice, doubt, some

#: At least yearly, where the runbook says nothing (SOC 2, DORA, NIST SP 800-34).
_PERIOD = 365 * 86400.0
_DAY = 86400.0


def unrehearsed(subject: Subject) -> Iterator[Finding]:
    """Runbooks that nobody has rehearsed for longer than was promised, as this state knows."""
    runbook, last = subject.runbook, subject.rehearsed
    if last is None:
        return
    age = (subject.today - date.fromisoformat(last)).days
    if age * _DAY > (runbook.rehearse_every or _PERIOD):
        message = f"last rehearsed, or executed, on {last}, {age} days ago: rehearse it again"
        yield doubt(runbook.place, message, "overdue-rehearsal")


def manual_share(subject: Subject) -> Iterator[Finding]:
    """Runbooks of which people do more than half by hand: these are the hours that it takes."""
    steps = subject.runbook.steps.values()
    by_hand = [step.id for step in steps if isinstance(step.action, ManualAction)]
    if len(by_hand) * 2 > len(subject.runbook.steps) > 2:
        share = f"{len(by_hand)} of {len(subject.runbook.steps)} steps"
        message = f"{share} are done by people: {some(list(by_hand))}"
        yield advice(subject.runbook.place, message, "manual-share")


def single_points(subject: Subject) -> Iterator[Finding]:
    """Hosts that every way to a service goes through: without one of them it never comes back."""
    steps = subject.runbook.steps
    if find_cycles(steps):
        return
    needed: dict[str, list[str]] = {}
    hosts = {step.id: _hosts(subject, step) for step in steps.values()}
    everywhere = sorted({name for names in hosts.values() for name in names})
    for service in subject.runbook.services:
        raisers = [step for step in steps.values() if service in step.raises]
        for host in everywhere:
            without = {name for name, its in hosts.items() if its == {host}}
            if raisers and not any(_can(steps, step.id, without) for step in raisers):
                needed.setdefault(service, []).append(host)
    for service, names in needed.items():
        message = f"services.{service}: every way to it goes through {some(names)}"
        place = subject.runbook.services[service].place
        yield advice(place, message, "single-point")


def _hosts(subject: Subject, step: Step) -> AbstractSet[str]:
    """Hosts that a step names by themselves; patterns and templates may mean others.

    A step that may be left out, or has another form without its host, needs none of them.
    """
    if step.when_lost is not None or step.when or step.modes is not None or step.variants:
        return set()
    return {each for each in step.on if each in subject.inventory.hosts}


def _can(steps: Mapping[StepId, Step], step: StepId, without: AbstractSet[StepId]) -> bool:
    """Whether a step can pass if these cannot."""
    known: dict[StepId, bool] = {}

    def can(name: StepId) -> bool:
        if name not in known:
            needs = steps[name].needs if name in steps else ()
            known[name] = name not in without and all(
                any(can(each) for each in need.any_of) for need in needs
            )
        return known[name]

    return can(step)

"""Whether others can be reached, and what happens if they cannot deliver."""

from collections.abc import Iterator
from datetime import date

from drrun.core.model.errors import Finding
from drrun.lint.subject import Subject, advice, doubt

_DAY = 86400.0
_FEW = "few-approvers"


def single_channels(subject: Subject) -> Iterator[Finding]:
    """Contacts with one way to reach them, which may be down with everything else."""
    for contact in subject.inventory.contacts.values():
        if len(contact.channels) == 1:
            message = f"contacts.{contact.name}: one channel only; what if that is down too?"
            yield doubt(contact.place, message, "single-channel")


def overdue_contacts(subject: Subject) -> Iterator[Finding]:
    """Contacts that nobody has tried for longer than was promised."""
    for contact in subject.inventory.contacts.values():
        if not contact.verified or contact.verify_every is None:
            continue
        age = (subject.today - date.fromisoformat(contact.verified)).days
        if age * _DAY > contact.verify_every:
            message = (
                f"contacts.{contact.name}: last tried on {contact.verified}, {age} days ago;"
                f" should be tried every {contact.verify_every}"
            )
            yield doubt(contact.place, message, "overdue-contact")


def few_approvers(subject: Subject) -> Iterator[Finding]:
    """Approvals that take as many people as the role has, or more: who drives never approves."""
    for step in subject.runbook.steps.values():
        written = step.approval or {}
        role = subject.runbook.roles.get(str(written.get("role", "")))
        people = dict.fromkeys((*role.people, *role.deputies)) if role else {}
        count = int(written.get("count", 1))
        if role is None or not people or count < len(people):
            continue
        place = step.places.get("approval", step.place)
        of = f"steps.{step.id}.approval: {count} of {role.name} ({', '.join(people)}) must approve"
        if count > len(people):
            yield doubt(place, f"{of}: they are too few, so the step can never begin", _FEW)
        else:
            message = (
                f"{of}, and the person who drives the run or retries the step may not: if it is"
                " one of them, the step waits for ever. Lower count, or add a deputy"
            )
            yield advice(place, message, _FEW)


def no_alternate(subject: Subject) -> Iterator[Finding]:
    """Dependencies without anything in their place, and nobody's word that this is accepted."""
    for each in subject.inventory.dependencies.values():
        if each.alternate not in ("", "none"):
            continue
        if each.accepted_risk and not subject.is_past(each.expires):
            continue
        over = f" (accepted until {each.expires}, which is over)" if each.accepted_risk else ""
        message = f"dependencies.{each.name}: nothing takes its place{over}"
        yield doubt(each.place, message, "no-alternate")

"""Whether others can be reached, and what happens if they cannot deliver."""

from collections.abc import Iterator
from datetime import date

from drrun.core.model.errors import Finding
from drrun.lint.subject import Subject, doubt

_DAY = 86400.0


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
                f" wanted every {contact.verify_every}"
            )
            yield doubt(contact.place, message, "overdue-contact")


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

"""What is judged: a runbook, its inventory, and which day it is."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.actions import changes
from drrun.core.model.errors import Finding, Place, Severity
from drrun.core.model.inventory import Inventory
from drrun.core.model.runbook import Runbook, Step


@dataclass(frozen=True, slots=True)
class Subject:
    """A runbook in its surroundings."""

    runbook: Runbook
    inventory: Inventory
    today: date
    #: The day when it was last rehearsed or executed, as far as is known here.
    rehearsed: str | None = None

    def changing(self) -> Iterator[Step]:
        """Steps whose action changes something."""
        return (step for step in self.runbook.steps.values() if changes(step.action))

    def is_over(self, waiver: Mapping[str, Any]) -> bool:
        """Whether a waiver's day is over; one without a day, or with a duration, never is."""
        return self.is_past(str(waiver.get("expires") or ""))

    def is_past(self, day: str) -> bool:
        """Whether a day like 2027-01-31 is over; "" is not."""
        try:
            return date.fromisoformat(day) < self.today
        except ValueError:
            return False


def doubt(place: Place, message: str, code: str) -> Finding:
    """A finding that `--strict` makes an error."""
    return Finding(place, message, Severity.WARNING, code)


def advice(place: Place, message: str, code: str) -> Finding:
    """A finding that never forbids anything."""
    return Finding(place, message, Severity.NOTE, code)


def some(names: list[str]) -> str:
    """Names for people: the first ones, and how many more."""
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"

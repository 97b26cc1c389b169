"""Which values of its secrets a run has used, by their marks; and which of them a target used.

Rules:
- A mark tells two values apart and reveals neither. Where it comes from is the journal's secret.
- Who knows a value can hide it. A target whose last attempt was intended with a value that nobody
  knows any more may show that value, wherever something of it is looked at.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import TargetKey


@dataclass(slots=True)
class Secrecy:
    """What is known of a run's secrets."""

    #: Name -> mark of each secret, as of each time that one of them was new.
    times: list[dict[str, str]] = field(default_factory=list)
    #: Which of those times a target's last attempt was intended in.
    acted: dict[TargetKey, int] = field(default_factory=dict)

    def use(self, marks: Mapping[str, str]) -> None:
        """From now on these values are used."""
        if marks != self.now:
            self.times.append(dict(marks))

    def intend(self, key: TargetKey) -> None:
        """An attempt was intended."""
        if self.times:
            self.acted[key] = len(self.times) - 1

    @property
    def now(self) -> Mapping[str, str]:
        """The values that are used."""
        return self.times[-1] if self.times else {}

    def changed(self, marks: Mapping[str, str]) -> tuple[str, ...]:
        """Names of secrets that had another value until now."""
        return tuple(name for name in marks if self.now.get(name, marks[name]) != marks[name])

    def used(self, name: str, mark: str) -> bool:
        """Whether a secret ever had this value."""
        return any(marks.get(name) == mark for marks in self.times)

    def outdated(self, key: TargetKey, known: Collection[str]) -> dict[str, str]:
        """What a target's last attempt used and nobody knows any more, by name."""
        marks = self.times[self.acted[key]] if key in self.acted else {}
        return {name: mark for name, mark in marks.items() if mark not in known}

    def lost(self, known: Collection[str]) -> tuple[str, ...]:
        """Names of all secrets of which somebody used a value that nobody knows any more."""
        used = (marks for at, marks in enumerate(self.times) if at in self.acted.values())
        return tuple(
            dict.fromkeys(
                name for marks in used for name, mark in marks.items() if mark not in known
            )
        )


def withheld(names: Iterable[str]) -> str:
    """In place of what may show former values of these secrets."""
    return (
        f"not shown: it may hold a former value of {', '.join(sorted(names))}; "
        "give it with: drrun resume RUN --old-secret"
    )

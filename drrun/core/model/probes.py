"""Probes: questions with three answers, and what an author expects as the answer.

Rules:
- A probe holds, does not hold, or could not tell; the third is never taken for the second
  (contract guarantee 4).
- `Expect` judges text only: what was seen, and how the command or request ended.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Place
from drrun.core.model.execution import Execution
from drrun.core.model.shell_values import readable
from drrun.core.model.values import Duration, written


class Verdict(StrEnum):
    """The answer of a probe."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    COULD_NOT_TELL = "could not tell"


class ProbeKind(StrEnum):
    """What a probe asks with."""

    RUN = "run"
    HTTP = "http"
    TCP = "tcp"
    DNS = "dns"
    SQL = "sql"
    FILE = "file"
    ASK = "ask"


class PortState(StrEnum):
    """What becomes of an attempt to connect to a port."""

    OPEN = "open"
    #: Something answers that nobody listens.
    REFUSED = "refused"
    #: Nothing answers.
    SILENT = "silent"


class Purpose(StrEnum):
    """What the answer is for; also the order in which a target goes through them."""

    GUARD = "guard"
    DONE_WHEN = "done_when"
    UNTIL = "until"
    VERIFY = "verify"
    RECONCILE = "reconcile"
    #: Whether an undo took the step back.
    UNDONE = "undone"
    #: Goes on after the step has passed.
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Expect:
    """What the answer must look like; all that is given must be met (contract section 2)."""

    exit: tuple[int, ...] | None = None
    #: HTTP status codes.
    status: tuple[int, ...] | None = None
    equals: str | None = None
    #: Regular expression, searched.
    matches: str | None = None
    contains: str | None = None
    #: Text that must not occur; True: there must be nothing at all (no file, no record).
    absent: str | bool | None = None
    lt: str | None = None
    le: str | None = None
    gt: str | None = None
    ge: str | None = None
    #: Path into a JSON answer, `data.items.0.name`; the other members then judge that value.
    json: str | None = None

    def __str__(self) -> str:
        """For people: `equals 't'`."""
        names = ("exit", "status", "json", "equals", "matches", "contains", "absent")
        parts = []
        for name in (*names, "lt", "le", "gt", "ge"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, tuple):
                value = " or ".join(str(member) for member in value)
            elif isinstance(value, str):
                value = f"'{value}'"
            parts.append(f"{name} {value}")
        return " and ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question, where it is asked, what must be answered and for how long."""

    kind: ProbeKind
    #: The question itself by kind, templates not yet rendered: `text` for run, `url` for http…
    ask: Mapping[str, Any]
    name: str = ""
    #: How `run` and `sql` execute.
    execution: Execution = field(default_factory=Execution)
    #: Pattern of hosts to ask on, as of a step; None: on the target itself.
    on: tuple[str, ...] | None = None
    expect: Expect = field(default_factory=Expect)
    #: Poll until it holds, for at most so long; None: one answer decides.
    within: Duration | None = None
    every: Duration = Duration(5)
    #: Must keep holding for so long.
    stable_for: Duration | None = None
    #: Limit of one evaluation, so that a hanging probe becomes "could not tell".
    timeout: Duration = Duration(30)
    #: Names of other hosts or `local`, resolved from `on` when the plan is bound.
    hosts: tuple[str, ...] = ()
    place: Place = Place()

    @property
    def label(self) -> str:
        """What people call this probe: its name, or the question."""
        return self.name or f"{self.kind}: {self.question}"

    @property
    def question(self) -> str:
        """The question in one line."""
        return asked_in_a_line(self.ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant(Probe):
    """What must stay true, for the whole run or between two of its steps."""

    #: Watched once this step has passed or was skipped; "": from the start.
    since: str = ""
    #: Watched until this step begins to act; "": to the end.
    until: str = ""


def asked_in_a_line(ask: Mapping[str, Any]) -> str:
    """What a probe asks, for people: the command, the URL, the file, `host:port`."""
    if "port" in ask:
        return ":".join(str(ask[part]) for part in ("host", "port") if ask.get(part))
    lines = readable(written(next(iter(ask.values()), ""))).strip().splitlines()
    return " ⏎ ".join(" ".join(line.split()) for line in lines if line.strip())

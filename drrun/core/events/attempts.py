"""Facts about attempts to act, and about what probes saw."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.events.base import AttemptEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptIntended(AttemptEvent):
    """The command is about to be sent. Durable before it is."""

    action: str
    #: As sent, secrets masked.
    command: str
    host: str
    #: Names of the variables given, never their values.
    environment: tuple[str, ...] = ()
    become: str = ""
    #: What its host tells with its outcome, and nobody else there can know before.
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(AttemptEvent):
    """The place was reached and took the command."""

    route: str = ""
    host_key: str = ""
    user: str = ""
    #: What is unusual about it: that the command does not outlive the link.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(AttemptEvent):
    """The action ended by itself."""

    exit: int | None
    signal: str = ""
    note: str = ""
    #: Why it did not do although it exited with 0: a value to capture was not there.
    fault: str = ""
    captured: Mapping[str, Any] = field(default_factory=dict)
    #: Bytes seen and kept for each stream, and their hashes.
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTimedOut(AttemptEvent):
    """The written time limit was over; `gone`: the processes are proved to be dead."""

    gone: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptNeverStarted(AttemptEvent):
    """Provably nothing happened; `final`: trying again cannot help."""

    why: str
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLost(AttemptEvent):
    """The outcome of the attempt is not known."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMissed(AttemptEvent):
    """The place has not answered for `silent` seconds; it is sought, the command may go on."""

    silent: float
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFound(AttemptEvent):
    """The place answers again, `after` seconds without an answer."""

    after: float
    route: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLate(AttemptEvent):
    """It takes longer than the author's bad case of `p90` seconds; nothing is ended for that."""

    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingBegan(AttemptEvent):
    """All processes of the attempt are about to be ended."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStopped(AttemptEvent):
    """The attempt was ended on request; `gone`: its processes are proved to be dead."""

    gone: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionShown(AttemptEvent):
    """In a dry-run: what a live run would do here. Nothing was done."""

    action: str
    command: str
    host: str
    become: str = ""
    environment: tuple[str, ...] = ()
    #: Which check was tolerated, because steps before would change what it sees.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitBegan(AttemptEvent):
    """A wait has an end on the clock."""

    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEnded(AttemptEvent):
    """The wait is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSeen(AttemptEvent):
    """One evaluation of one probe."""

    purpose: str
    #: Position in the list of that purpose.
    index: int
    name: str
    question: str
    where: str
    expected: str
    verdict: str
    value: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbesConcluded(AttemptEvent):
    """All probes of a purpose together were found to hold, or not."""

    purpose: str
    verdict: str
    why: str = ""

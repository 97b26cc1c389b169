"""Facts about people who were asked, who answered, and who took something on."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.events.base import EventBase, StepEvent, TargetEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened(TargetEvent):
    """A person is asked."""

    #: `manual`, `approval`, `decision`, `irreversible`, `ask`, `unknown`, `late`.
    gate: str
    text: str
    #: Typed answers that are wanted: name -> type.
    input: Mapping[str, str] = field(default_factory=dict)
    evidence: bool = False
    #: For `ask`: which probe.
    purpose: str = ""
    index: int = 0
    #: Role that may answer, "" for anybody, and how many different persons it takes.
    role: str = ""
    count: int = 1
    #: What must be typed, "" for nothing.
    typed: str = ""
    #: Only answers that are signed with the person's SSH key count.
    signed: bool = False
    #: Options of a decision: name -> what is said about it.
    options: Mapping[str, str] = field(default_factory=dict)
    #: When the default is taken, and which it is.
    decide_at: float | None = None
    default: str = ""
    #: Seconds after which they are reminded, again and again, and after which others are told.
    remind_every: float | None = None
    escalate_after: float | None = None
    #: The third party that is waited for: a contact of the inventory.
    contact: str = ""
    #: What was known when it was asked, for whoever looks at a decision later.
    known: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalNotNeeded(TargetEvent):
    """`when` of an approval does not hold, or does no more: nobody is asked."""

    expression: str
    #: What its names stood for: `steps.a.lag` -> `300`.
    seen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(TargetEvent):
    """One of several persons that an approval takes."""

    by: str
    reason: str = ""
    #: `ssh-keygen -Y sign` over what was approved; "" if it was not signed.
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswered(TargetEvent):
    """A person answered, or a decision's time was over."""

    gate: str
    #: `confirm`, `reject`, `approve`, or `decide`.
    answer: str
    by: str
    reason: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = ""
    index: int = 0
    #: Of a decision.
    option: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReminded(TargetEvent):
    """They were told again that they are waited for."""

    to: tuple[str, ...]
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEscalated(TargetEvent):
    """Nobody answered for too long; more people were told."""

    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatTaken(EventBase):
    """A person acts from here from now on: what follows in their name was done at this seat."""

    by: str
    #: The account of the operating system, whatever name was given with `--by`.
    user: str
    host: str
    #: `pts/3`; "" where there is none.
    terminal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(StepEvent):
    """A person has taken a step on, so that nobody else does the same."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned(StepEvent):
    """A step is somebody's."""

    to: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(EventBase):
    """One person went off duty and another took over what was theirs."""

    by: str
    to: str
    note: str
    steps: tuple[str, ...]

"""Facts about people who were asked, and who answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drrun.core.events.base import TargetEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened(TargetEvent):
    """A person is asked."""

    #: `manual`, `irreversible`, `ask`, `unknown`.
    gate: str
    text: str
    #: Typed answers that are wanted: name -> type.
    input: Mapping[str, str] = field(default_factory=dict)
    evidence: bool = False
    #: For `ask`: which probe.
    purpose: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswered(TargetEvent):
    """A person answered."""

    gate: str
    #: `confirm` or `reject`.
    answer: str
    by: str
    reason: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = ""
    index: int = 0

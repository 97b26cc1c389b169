"""What all events share."""

from typing import ClassVar

from drrun.core.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    VERSION: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent(Event):
    """Something that happened to a step as a whole."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEvent(StepEvent):
    """Something that happened to one target of a step."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent(TargetEvent):
    """Something that happened to one attempt, counted from 1."""

    attempt: int

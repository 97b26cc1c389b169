"""What all events share."""

from typing import ClassVar, TypedDict

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId, TargetKey, TargetName


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBase:
    """Something that happened."""

    VERSION: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent(EventBase):
    """Something that happened to a step as a whole."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEvent(StepEvent):
    """Something that happened to one target of a step."""

    target: str

    @property
    def key(self) -> TargetKey:
        """Which target."""
        return TargetKey(StepId(self.step), TargetName(self.target))


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent(TargetEvent):
    """Something that happened to one attempt, counted from 1."""

    attempt: int


class AttemptName(TypedDict):
    """What names an attempt in an event."""

    step: str
    target: str
    attempt: int


def attempt_name(key: TargetKey, attempt: int) -> AttemptName:
    """The name of one attempt on a target."""
    return {"step": key.step, "target": key.target, "attempt": attempt}

"""What all events share, and how the journal keeps them."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar, TypedDict

from drrun.core.dataclass import dataclass
from drrun.core.ids import Key, StepId, TargetName

#: Kind -> class, for every event; what others only derive from is none.
KINDS: "dict[str, type[Event]]" = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    VERSION: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        """Make an event known to the journal."""
        if cls.__module__ != __name__:
            KINDS[cls.__name__] = cls


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent(Event):
    """Something that happened to a step as a whole."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEvent(StepEvent):
    """Something that happened to one target of a step."""

    target: str

    @property
    def key(self) -> Key:
        """Which target."""
        return Key(StepId(self.step), TargetName(self.target))


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent(TargetEvent):
    """Something that happened to one attempt, counted from 1."""

    attempt: int


class AttemptName(TypedDict):
    """What names an attempt in an event."""

    step: str
    target: str
    attempt: int


def attempt_name(key: Key, attempt: int) -> AttemptName:
    """The name of one attempt on a target."""
    return {"step": key.step, "target": key.target, "attempt": attempt}


def kind_of(event: Event) -> str:
    """The kind under which the journal keeps an event."""
    return type(event).__name__


def body_of(event: Event) -> dict[str, Any]:
    """An event as plain JSON values."""
    return {member.name: getattr(event, member.name) for member in fields(event)}


def event_of(kind: str, body: Mapping[str, Any]) -> Event:
    """The event that a journal entry holds.

    Raises:
        KeyError: An unknown kind: the journal was written by a newer drrun.
    """
    known, names = KINDS[kind], _members(kind)
    if not body.keys() <= names:
        body = {name: value for name, value in body.items() if name in names}
    return known(**body)


@cache
def _members(kind: str) -> frozenset[str]:
    return frozenset(member.name for member in fields(KINDS[kind]))

"""Facts about the world around a run: what was lost, which way is taken, what broke again."""

from collections.abc import Mapping
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.events.base import EventBase, TargetEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(EventBase):
    """A person declared a site, host, provider or person lost: nothing contacts it any more."""

    #: `site:phl`, `host:db1.phl`, `provider:cogent`, `person:drew`.
    thing: str
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(EventBase):
    """A declaration of loss was taken back."""

    thing: str
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSet(EventBase):
    """A route was chosen for a host; `auto`: as the inventory says."""

    host: str
    route: str
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLost(TargetEvent):
    """A target's host was declared lost, and the step has no other form."""

    #: `skipped` or `blocked`, by the step's `when_lost`.
    becomes: str
    thing: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSeen(TargetEvent):
    """A watch of a passed step answers differently, or its answers come nearer to a threshold."""

    index: int
    name: str
    verdict: str
    value: str
    why: str = ""
    #: The last answers that could be told, as many as its threshold looks at; True: broken.
    window: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressed(TargetEvent):
    """What had passed is broken again."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(TargetEvent):
    """What had regressed holds again, by itself."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantSeen(EventBase):
    """An invariant answers differently than before."""

    index: int
    name: str
    verdict: str
    value: str
    where: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantBroken(EventBase):
    """What must never be, is; the run pauses. `suspects`: steps that acted since it held."""

    name: str
    why: str
    suspects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackBegan(EventBase):
    """Passed steps are undone from now on, in reverse order of dependency."""

    why: str
    by: str
    #: Steps that will be undone, and those that cannot be, with the reason.
    steps: tuple[str, ...]
    without_undo: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoBegan(TargetEvent):
    """A passed target is being undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRolledBack(TargetEvent):
    """A passed target stays as it is: its undo provably never began."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneUnverified(TargetEvent):
    """The undo ended well, and nothing shows that the step is undone."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAmended(EventBase):
    """Steps were added or changed, by this text or by files that were edited."""

    path: str
    #: `steps:` as in a runbook; "" where files were edited.
    text: str
    by: str
    why: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    #: Steps of which only the title, the estimate or other words for people changed.
    reworded: tuple[str, ...] = ()
    #: Files that count from now on as they were then: `kind`, `path` and `content` of each.
    files: tuple[Mapping[str, str], ...] = ()

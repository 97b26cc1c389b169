"""Facts about a run as a whole."""

from collections.abc import Mapping
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.events.base import EventBase


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(EventBase):
    """A plan began to be executed. Its documents are pinned beside the journal."""

    name: str
    title: str
    mode: str
    variant: str
    inputs: Mapping[str, Any]
    #: `max_parallel`, `allow_irreversible`; `ssh_config` and `fetch_into` where they were given.
    options: Mapping[str, Any]
    by: str
    tool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerTook(EventBase):
    """A controller took the lease."""

    epoch: int
    holder: str
    host: str
    pid: int
    tool: str
    #: It records every host before it asks anything of it; older controllers did not.
    meets: bool = False
    #: How far its clock is ahead of the run's; whether that is known, or taken for granted.
    ahead: float = 0.0
    exact: bool = False
    #: Which boot of its machine counts its seconds, and since which moment of the run's clock.
    boot: str = ""
    booted: float = 0.0
    #: The last sign of life of whoever drove the run before, by the clock of that one.
    sign_of_life: float | None = None
    #: The account that the process belongs to, and its terminal; "" where that is not known.
    user: str = ""
    terminal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallClockSet(EventBase):
    """The clock of the controller's machine was set; the run's goes on as before."""

    #: How far it is ahead of the run's now.
    ahead: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReached(EventBase):
    """A launcher answers on a host; recorded before anything is asked of it."""

    #: "" for the controller's own machine.
    host: str
    #: What tells one boot of the host from the next; "-" where there is none.
    boot: str
    #: By which route, as which user, and the fingerprint of its key.
    route: str = ""
    user: str = ""
    host_key: str = ""
    #: How far its clock is ahead of the run's, give or take `error`; None: it did not say.
    ahead: float | None = None
    error: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAccepted(EventBase):
    """A second person lets this journal count, although hosts know of more."""

    by: str
    why: str
    #: Names what is written from here on: hosts tell it from what went on elsewhere before.
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOverruled(EventBase):
    """A host remembered another journal of the run, and obeys this one by people's word."""

    #: "" for the controller's own machine.
    host: str
    #: The end of the other journal, and the token of the controller that told it.
    seq: int
    hash: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsUsed(EventBase):
    """A controller has found the runbook's secrets; recorded where one is not as it was."""

    #: Name -> what tells one value from another, and reveals neither.
    marks: Mapping[str, str]
    #: Names of those that had another value before.
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerLeft(EventBase):
    """The controller stopped driving the run on its own accord; the run can be resumed."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused(EventBase):
    """Nothing new begins."""

    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUnpaused(EventBase):
    """Steps begin again."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAborted(EventBase):
    """The run was given up; what was not begun is cancelled."""

    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed(EventBase):
    """A person resumed the run: failed, blocked and cancelled targets are open again."""

    by: str
    #: Nothing else is begun or opened again until somebody resumes the run anew; empty: all is.
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesChanged(EventBase):
    """On resuming, files differed from those that the run is pinned to."""

    #: `pinned`: go on with the stored ones.
    decision: str
    diff: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(EventBase):
    """Nothing is left to do."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(EventBase):
    """A person wrote something down."""

    by: str
    text: str
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused(EventBase):
    """A person asked for something that cannot be done."""

    kind: str
    by: str
    why: str
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn(EventBase):
    """A request that was kept while nobody drove the run was taken back."""

    kind: str
    #: As it was typed, and by whom.
    asked: str
    asker: str
    #: Who took it back.
    by: str
    why: str = ""
    step: str = ""

"""Facts about a run as a whole."""

from collections.abc import Mapping
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A plan began to be executed. Its documents are pinned beside the journal."""

    name: str
    title: str
    mode: str
    variant: str
    inputs: Mapping[str, Any]
    #: `max_parallel`, `leave_out`, `allow_irreversible`.
    options: Mapping[str, Any]
    by: str
    tool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerTook(Event):
    """A controller took the lease."""

    epoch: int
    holder: str
    host: str
    pid: int
    tool: str
    #: It records every host before it asks anything of it; older controllers did not.
    meets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReached(Event):
    """A launcher answers on a host; recorded before anything is asked of it."""

    #: "" for the controller's own machine.
    host: str
    #: What tells one boot of the host from the next; "-" where there is none.
    boot: str
    #: By which route, as which user, and the fingerprint of its key.
    route: str = ""
    user: str = ""
    host_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsUsed(Event):
    """A controller has found the runbook's secrets; recorded where one is not as it was."""

    #: Name -> what tells one value from another, and reveals neither.
    marks: Mapping[str, str]
    #: Names of those that had another value before.
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerLeft(Event):
    """The controller stopped driving the run on its own accord; the run can be resumed."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused(Event):
    """Nothing new begins."""

    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUnpaused(Event):
    """Steps begin again."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAborted(Event):
    """The run was given up; what was not begun is cancelled."""

    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed(Event):
    """A person resumed the run: failed, blocked and cancelled targets are open again."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesChanged(Event):
    """On resuming, files differed from those that the run is pinned to."""

    #: `pinned`: go on with the stored ones.
    decision: str
    diff: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    """Nothing is left to do."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """A person wrote something down."""

    by: str
    text: str
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused(Event):
    """A person asked for something that cannot be done."""

    kind: str
    by: str
    why: str
    step: str = ""

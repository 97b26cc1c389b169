"""The runbook as its author wrote it: steps, inputs, roles, services. Contract section 2.

Rules:
- Values only, nothing resolved: templates are text, hosts are patterns, files are names.
- A default that the contract names stands here once.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.actions import Action
from drrun.core.model.errors import Place
from drrun.core.model.execution import Execution as Execution  # noqa: PLC0414 - part of this model
from drrun.core.model.ids import StepId
from drrun.core.model.probes import Invariant, Probe
from drrun.core.model.values import Duration, Share


class Mode(StrEnum):
    """What a run may touch; it carries its mode for ever."""

    LIVE = "live"
    REHEARSAL = "rehearsal"
    DRY_RUN = "dry-run"
    TABLETOP = "tabletop"


class OnFailure(StrEnum):
    """What a failed step does to the run."""

    STOP = "stop"
    CONTINUE = "continue"
    PAUSE = "pause"
    ABORT = "abort"
    ROLLBACK = "rollback"


class OnUnknown(StrEnum):
    """What happens to an attempt whose outcome is not known."""

    RECONCILE = "reconcile"
    ASK = "ask"
    RERUN = "rerun"


class RetryCause(StrEnum):
    """What a retry may follow on."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    FAILED = "failed"
    VERIFY = "verify"


class Level(StrEnum):
    """How well a service serves; from nothing to everything."""

    DOWN = "down"
    READ_ONLY_STALE = "read-only-stale"
    READ_ONLY = "read-only"
    DEGRADED = "degraded"
    READ_WRITE = "read-write"


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long a step is expected to take: the middle, and the bad case."""

    p50: Duration
    p90: Duration
    #: Where it comes from if not from the author: `3 runs`.
    source: str = ""

    @property
    def late_after(self) -> Duration:
        """Longer than this is late: than the bad case, or than twice an estimate without one.

        The middle is no limit: half of all attempts take longer.
        """
        return self.p90 if self.p90 > self.p50 else Duration(2 * self.p50)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that must have passed: a step, or any one of several."""

    any_of: tuple[StepId, ...]

    def __str__(self) -> str:
        return " or ".join(self.any_of)


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often to try again."""

    attempts: int = 1
    delay: Duration = Duration(1)
    #: Factor by which the delay grows.
    backoff: float = 2.0
    max_delay: Duration = Duration(300)
    #: Largest random addition to the delay, in seconds.
    jitter: Duration = Duration(0)
    on: tuple[RetryCause, ...] = tuple(RetryCause)


@dataclass(frozen=True, slots=True)
class Capture:
    """A value taken from what an action printed; later steps read it as `steps.ID.NAME`."""

    name: str
    source: str = "stdout"
    regex: str | None = None
    json: str | None = None
    #: `int`, `float`, `duration`, `size`, `text`; "": a number where it reads as one, else text.
    type: str = ""


@dataclass(frozen=True, slots=True)
class Objectives:
    """How long a service may be away, and how much data may be lost."""

    rto: Duration | None = None
    rpo: Duration | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """What users use."""

    name: str
    title: str = ""
    priority: int = 0
    objectives: Objectives = Objectives()
    stores: tuple[str, ...] = ()
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True)
class Input:
    """A value that a run is started with."""

    name: str
    type: str = "string"
    default: Any = None
    required: bool = True
    choices: tuple[Any, ...] = ()
    description: str = ""
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is found; never the secret. `kind` is `env`, `file` or `command`."""

    name: str
    kind: str
    where: str


#: How long an answer takes where nobody says otherwise.
RESPONSE = Duration(300)


@dataclass(frozen=True, slots=True)
class Role:
    """Who may and must do something."""

    name: str
    people: tuple[str, ...] = ()
    deputies: tuple[str, ...] = ()
    contact: str = ""
    #: How long it takes until somebody answers; plans count with it.
    response: Duration = RESPONSE


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who answers, and the SSH public keys that their signatures are checked with."""

    name: str
    keys: tuple[str, ...] = ()
    contact: str = ""


@dataclass(frozen=True, slots=True)
class StandIn:
    """An action beside the step's own: its undo, its dry run, its form after a loss."""

    action: Action
    execution: Execution = field(default_factory=Execution)
    verify: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of a step mean that comes from a runbook inside the runbook."""

    #: Before the ids of the steps that it knows: `cutover--`.
    prefix: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    #: Folder of its local files, from that of the runbook.
    folder: str = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node of the DAG. docs/reference/runbook.md says what each key means."""

    id: StepId
    action: Action
    title: str = ""
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    estimate: Estimate | None = None
    needs: tuple[Need, ...] = ()
    when: str | None = None
    #: The step that makes this one needless once it has passed; "": none does.
    superseded_by: str = ""
    #: Conditions of the steps that this one is inside of; asked with their names.
    only_if: tuple[str, ...] = ()
    #: None: the runbook itself.
    scope: Scope | None = None
    modes: tuple[Mode, ...] | None = None
    variants: tuple[str, ...] | None = None
    #: `skip`, `block`, or the ungraceful form of the step.
    when_lost: str | StandIn | None = None
    on: tuple[str, ...] = ()
    for_each: Any = None
    batch: tuple[Share, ...] = ()
    max_failures: Share = Share(0)
    locks: tuple[str, ...] = ()
    not_before: str | None = None
    guard: tuple[Probe, ...] = ()
    done_when: tuple[Probe, ...] = ()
    verify: tuple[Probe, ...] = ()
    watch: tuple[Probe, ...] = ()
    watch_threshold: str | None = None
    #: `pause` (default), `continue`, `rerun`.
    on_regressed: str | None = None
    capture: tuple[Capture, ...] = ()
    execution: Execution = field(default_factory=Execution)
    timeout: Duration | None = None
    on_timeout: str | None = None
    retry: Retry = Retry()
    reboots: bool = False
    approval: Mapping[str, Any] | None = None
    irreversible: bool = False
    on_failure: OnFailure = OnFailure.STOP
    on_unknown: OnUnknown = OnUnknown.RECONCILE
    dry_run: StandIn | None = None
    #: Text: why there is none, `none`.
    undo: str | StandIn | None = None
    restores: tuple[str, ...] = ()
    raises: Mapping[str, Level] = field(default_factory=dict)
    workaround: Mapping[str, Any] | None = None
    follow_up: str = ""
    place: Place = Place()
    #: Positions of the keys, for errors found after reading: `verify` -> its place.
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What people call this step."""
        return self.title or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A DAG of steps with everything that they refer to."""

    name: str
    steps: Mapping[StepId, Step]
    title: str = ""
    description: str = ""
    objectives: Objectives = Objectives()
    inputs: Mapping[str, Input] = field(default_factory=dict)
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    locks: Mapping[str, int] = field(default_factory=dict)
    #: Watched for the whole run, or for a part of it; broken: the run pauses.
    invariants: tuple[Invariant, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    #: Name of a variant -> what it is for; empty: any name is accepted.
    variants: Mapping[str, str] = field(default_factory=dict)
    #: `{rule, steps, reason, owner, expires}` where somebody accepted that a rule is not met.
    waivers: tuple[Mapping[str, Any], ...] = ()
    #: For how long a rehearsal counts; None: a year.
    rehearse_every: Duration | None = None
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    place: Place = Place()

    def waives(self, rule: str, step: StepId) -> bool:
        """Whether somebody accepted that a step does not meet a rule."""
        return any(
            each["rule"] == rule and ("steps" not in each or step in each["steps"])
            for each in self.waivers
        )

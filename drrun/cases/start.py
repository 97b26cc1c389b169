"""Begin a run: pin the documents, take the lease, record that it started."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from drrun import __version__
from drrun.cases.load_plan import LoadedPlan, refuse_unsupported, replanner
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.integrity.masking import Mask
from drrun.core.model.errors import DiskFull, InputError, StateUnusable
from drrun.core.model.ids import RunId
from drrun.core.model.plan import Plan
from drrun.core.model.seat import Seat
from drrun.core.model.status import RunStatus
from drrun.core.model.values import written
from drrun.core.rules.decide import MAX_PARALLEL
from drrun.core.state.clocks import Join
from drrun.core.state.run_state import RunState
from drrun.engine.controller import Controller, Edges, Limits
from drrun.engine.crew import Crew
from drrun.engine.ledger import Ledger
from drrun.engine.naming import LateSecrets
from drrun.engine.orders import Orders
from drrun.engine.records import Records
from drrun.engine.redaction import Redaction
from drrun.engine.run_clock import RunClock
from drrun.engine.session import Session
from drrun.engine.signed import Unsigned
from drrun.ports.credentials import Secrets, Signatures
from drrun.ports.hands import Hands
from drrun.ports.journal import Document, Lease, RunRecord
from drrun.ports.places import Prober, Renderer


@dataclass(frozen=True, slots=True)
class RunTools:
    """What a run acts with."""

    hands: Hands
    prober: Prober
    renderer: Renderer
    secrets: Secrets
    signatures: Signatures = field(default_factory=Unsigned)


#: Makes the tools for a plan, and for the options that its run was started with; the mode decides
#: which hands.
ToolFactory = Callable[[LoadedPlan, Mapping[str, Any]], RunTools]


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is driven."""

    by: str
    #: None: as the run was started with, else `MAX_PARALLEL`.
    max_parallel: int | None = None
    allow_irreversible: tuple[str, ...] = ()
    #: How hosts are reached, and where fetched files may go; recorded, for whoever goes on.
    ssh_config: Path | None = None
    fetch_into: tuple[Path, ...] = ()
    #: Seconds to stay when only a person can go on; None: for ever.
    linger: float | None = 0.0
    #: A person sits at the terminal: a run that has failed waits for them before it ends.
    stays: bool = False
    #: Only to undo what has passed, as a request in the inbox wants: nothing is opened again, and
    #: a run that has succeeded is taken too.
    back: bool = False
    #: Of a run that is resumed: what alone goes on. `begin_at`: a step and all that needs it.
    only: tuple[str, ...] = ()
    begin_at: str = ""
    #: Why this journal counts although hosts know of more, a second person says; "": it does not.
    accept_older: str = ""
    #: Name and former value of secrets that changed, so that what shows it can be masked.
    former: Sequence[tuple[str, str]] = field(default=(), repr=False)
    #: Go on without a former value, although values for later steps are lost by that.
    seal: bool = False


def start(records: Records, equip: ToolFactory, loaded: LoadedPlan, options: Options) -> Session:
    """Make a new run, ready to be driven. Nothing has been contacted yet.

    Raises:
        NotSupported: The plan holds something that cannot be executed yet.
        NotReady: A secret cannot be resolved.
        StateUnusable: The state folder cannot be written.
    """
    refuse_unsupported(loaded.plan)
    tools = equip(loaded, _recorded(loaded.plan, options))
    secrets = LateSecrets(loaded.plan.runbook.secrets, tools.secrets)
    secrets.resolve_all()
    _refuse_recorded(loaded.plan, secrets)
    record = _record(records, loaded.plan, options)
    try:
        records.journal.create(record, [_pinned(each) for each in loaded.documents])
    except DiskFull:
        raise StateUnusable(
            "the disk with the state is full: no run was begun. Make room, then repeat the command"
        ) from None
    lease = records.leases.take(record.id)
    mark(records, record.id, secrets)
    place = ControllerSlot(record.id, lease, loaded.folder)
    session = seat(
        records, tools, secrets, RunState(loaded.plan, replanner(loaded.documents)), place, options
    )
    ledger = session.edges.ledger
    # The same moment as in the list of runs, so that both tell the same length.
    ledger.record(_started(loaded.plan, options), options.by, at=record.started_at)
    ledger.record(session.took)
    record_marks(ledger, secrets)
    ledger.commit()
    return session


def mark(records: Records, run: RunId, secrets: LateSecrets) -> None:
    """Learn the marks of a run's secrets, where there is somebody to make them."""
    if records.seals is not None and secrets.resolved:
        secrets.mark(records.seals, run)


def record_marks(ledger: Ledger, secrets: LateSecrets) -> None:
    """Record which values are used from now on, where one of them is new."""
    secrecy = ledger.state.secrecy
    if secrets.marks and secrets.marks != secrecy.now:
        changed = secrecy.changed(secrets.marks)
        ledger.record(ev.SecretsUsed(marks=dict(secrets.marks), changed=changed))


def _refuse_recorded(plan: Plan, secrets: LateSecrets) -> None:
    """An input is recorded, and a resume needs it as it is: it cannot be a secret.

    Raises:
        InputError: One of them holds a secret's value.
    """
    for name, value in plan.inputs.items():
        given = plan.runbook.inputs.get(name)
        if given is not None and value == given.default:
            continue
        text = written(value)
        if secrets.mask.text(text) != text:
            hidden = next(each for each in secrets if Mask([secrets[each]]).text(text) != text)
            raise InputError(
                f"input {name} holds the value of secret {hidden}, and inputs are recorded. "
                f"Nothing was begun. Name it in the runbook: {{{{ secrets.{hidden} }}}}"
            )


def _record(records: Records, plan: Plan, options: Options) -> RunRecord:
    now = records.clock.now()
    return RunRecord(
        id=records.ids.new_run(plan.runbook.name, now),
        runbook=plan.runbook.name,
        title=plan.runbook.title,
        mode=str(plan.mode),
        variant=plan.variant,
        started_at=now,
        started_by=options.by,
        status=RunStatus.RUNNING,
        ended_at=None,
        entries=0,
        services=services_of(plan),
    )


def services_of(plan: Plan) -> tuple[str, ...]:
    """Services that a plan declares or raises."""
    raised = (name for planned in plan.steps.values() for name in planned.step.raises)
    return tuple(dict.fromkeys((*plan.runbook.services, *raised)))


def _started(plan: Plan, options: Options) -> ev.RunStarted:
    return ev.RunStarted(
        name=plan.runbook.name,
        title=plan.runbook.title,
        mode=str(plan.mode),
        variant=plan.variant,
        inputs={name: _plain(value) for name, value in plan.inputs.items()},
        options=_recorded(plan, options),
        by=options.by,
        tool=__version__,
    )


def _recorded(plan: Plan, options: Options) -> Mapping[str, Any]:
    """What whoever goes on with the run needs as it was; paths are found from other folders."""
    recorded: dict[str, Any] = {
        "max_parallel": options.max_parallel or MAX_PARALLEL,
        "allow_irreversible": list(options.allow_irreversible),
    }
    if options.ssh_config is not None:
        recorded["ssh_config"] = str(options.ssh_config.absolute())
    if options.fetch_into:
        recorded["fetch_into"] = [str(each.absolute()) for each in options.fetch_into]
    if without := {step: list(each.without) for step, each in plan.steps.items() if each.without}:
        recorded["without"] = without
    return recorded


def _pinned(document: Document) -> Document:
    """A document that is found again from another folder, to see whether it changed."""
    if not document.path:
        return document
    return replace(document, path=str(Path(document.path).resolve()))


def _plain(value: object) -> object:
    """An input as JSON keeps it; a duration as its author would write it."""
    if isinstance(value, float) and type(value) is not float:
        return str(value)
    return (
        value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
    )


@dataclass(frozen=True, slots=True)
class ControllerSlot:
    """A controller's place: the run, its lease, the folder of its local files."""

    run: RunId
    lease: Lease
    folder: Path


def seat(
    records: Records,
    tools: RunTools,
    secrets: LateSecrets,
    state: RunState,
    place: ControllerSlot,
    options: Options,
) -> Session:
    """Put a controller together. The run's clock goes on where its journal ends."""
    own, lease = records.clock, place.lease
    join = state.time.join(own.origin(), own.now())
    clock = RunClock(own, join.ahead)
    ledger = Ledger(state, records.journal, lease, clock, Redaction(state, secrets))
    orders = Orders(state, place.run, tools.renderer, secrets, place.folder)
    crew = Crew(tools.hands, tools.prober, records.spool, clock)
    edges = Edges(ledger, orders, crew, clock, records.inbox, records.leases, records.ids,
                  tools.signatures)  # fmt: skip
    at_once = options.max_parallel or state.options.get("max_parallel") or MAX_PARALLEL
    limits = Limits(at_once, options.linger, options.stays)
    controller = Controller(edges, limits)
    took = _took(lease, clock, join, records.seat)
    return Session(place.run, controller, edges, records.journal, tools.hands, took)


def _took(lease: Lease, clock: RunClock, join: Join, where: Seat | None) -> ev.ControllerTook:
    """The fact that a lease was taken."""
    origin = clock.origin()
    return ev.ControllerTook(
        epoch=lease.epoch,
        holder=lease.holder,
        host=lease.host,
        pid=lease.pid,
        tool=__version__,
        meets=True,
        ahead=join.ahead,
        exact=join.exact,
        boot=origin.boot,
        booted=origin.at,
        sign_of_life=lease.seen_before,
        user=where.user if where else "",
        terminal=where.terminal if where else "",
    )

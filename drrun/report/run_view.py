"""A run as it stands now: every step in one line, who is waited for, what remains."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import chain
from typing import assert_never

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.model.runbook import Mode
from drrun.core.model.seat import Seat
from drrun.core.model.status import FINAL, Cause, Phase, RunStatus, Status
from drrun.core.model.values import Duration
from drrun.core.people.unanswered import KeptRequest
from drrun.core.rules.endings import RunException, exceptions_of
from drrun.core.rules.probe_lists import waits
from drrun.core.rules.roles import still_asked, stuck
from drrun.core.state.clocks import Span
from drrun.core.state.run_state import RunState
from drrun.core.state.target import TargetState
from drrun.report.clean import first_line
from drrun.report.counting import counted
from drrun.report.dry_view import DryCounts, dry_counts
from drrun.report.forecast import Forecast, forecast, is_late
from drrun.report.offsets import ClockLine, clock_lines, clock_warnings
from drrun.report.services import ServiceView, service_views
from drrun.report.times import clock

#: Statuses that stop what depends on a step.
BAD = frozenset({Status.FAILED, Status.BLOCKED, Status.REGRESSED, Status.CANCELLED})

#: The sentence of what went as it should; not worth a column.
_AS_EXPECTED = "verified"
#: Seconds for which reaching a host is nothing to speak of.
_PATIENCE = 2.0
#: Statuses of which only a live controller knows that they are still true.
MOVING = frozenset({Status.RUNNING, Status.VERIFYING})
#: How many failed steps are named with their reasons in one line.
_NAMED = 3
#: And of a target that nothing has verified.
_BY_WORD = "marked done by a person"


@dataclass(frozen=True, slots=True)
class RunHead:
    """What is known of a run beside its state."""

    id: str
    started_by: str
    #: Seen from outside: a run without a live controller is interrupted.
    status: RunStatus
    #: Who drives it, in one sentence; "" if nobody does.
    holder: str = ""
    #: Seconds since the epoch; None while it has not ended.
    ended_at: float | None = None
    #: `41 f1bb…`: last entry of the journal and its hash, to be kept elsewhere; "" if not known.
    seal: str = ""
    #: What is said of a journal that is not what was written, above everything else.
    damage: tuple[str, ...] = ()
    #: From when objectives count, if somebody stated it; None: from the start.
    disrupted_at: float | None = None
    #: Time on duty of each person.
    duty: Mapping[str, Duration] = field(default_factory=dict)
    #: Where whoever started it sat; None: that is not known.
    started_from: Seat | None = None
    #: What people asked for and nobody has done, because nobody drives it.
    kept: tuple[KeptRequest, ...] = ()

    @property
    def starter(self) -> str:
        """Who started it, with the account that was used where that is called otherwise."""
        return self.started_from.beside(self.started_by) if self.started_from else self.started_by


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step. Moments in seconds since the epoch."""

    id: StepId
    title: str
    owner: str
    status: Status
    #: Host or item, if the step has one target; else "".
    where: str
    counts: Mapping[Status, int]
    began_at: float | None
    ended_at: float | None
    #: Until it ended, or now; None: it has not begun. Its undo is no part of it.
    took: Span | None
    #: By the author's estimate.
    planned: Duration | None
    #: It has taken longer than the author's bad case.
    late: bool
    #: It has ended, and had taken longer than that.
    was_late: bool
    #: It was found done, nothing was executed.
    already: bool
    #: How it came to this, or what it waits for, on one line.
    note: str
    #: What stands between the controller and its hosts now: one is being reached, or not seen.
    contact: str = ""
    #: When its undo ended; None: it was not undone.
    undone_at: float | None = None
    #: It is being taken back now.
    undoing: bool = False

    @property
    def total(self) -> int:
        """How many targets there are."""
        return sum(self.counts.values())

    @property
    def told(self) -> str:
        """The note, behind a count where there are several targets; on one line."""
        if self.total == 1:
            return self.note
        return ": ".join(part for part in (counted(self.counts), self.note) if part)


@dataclass(frozen=True, slots=True)
class WaitingGate:
    """A question that waits for a person."""

    step: StepId
    target: TargetName
    #: `manual`, `approval`, `decision`, `irreversible`, `ask`, `unknown`, `late`.
    kind: str
    text: str
    since: float
    role: str
    #: Who may answer now; empty: anybody, unless it is stuck.
    people: tuple[str, ...]
    input: Mapping[str, str] = field(default_factory=dict)
    evidence: bool = False
    #: Options of a decision, and what is said about them.
    options: Mapping[str, str] = field(default_factory=dict)
    #: What an approval wants typed.
    typed: str = ""
    #: Who has approved, and how many have to.
    approved: tuple[str, ...] = ()
    count: int = 1
    #: The same people, with the accounts that they used where these are called otherwise.
    approvals: tuple[str, ...] = ()
    #: Why nobody can give what is missing, and the way out; "" while somebody can.
    stuck: str = ""
    #: When a default is taken, and which.
    decide_at: float | None = None
    default: str = ""
    #: Whose it is: assigned, or claimed.
    taken_by: str = ""

    @property
    def key(self) -> str:
        """What commands call it: `step`, or `step@target`."""
        return str(TargetKey(self.step, self.target))


@dataclass(frozen=True, slots=True)
class RunView:
    """A run now."""

    head: RunHead
    name: str
    title: str
    mode: str
    variant: str
    started_at: float | None
    now: float
    #: Why it stands as it does; "" where the status says it all.
    why: str
    lines: tuple[StepLine, ...]
    asks: tuple[WaitingGate, ...]
    forecast: Forecast | None
    services: tuple[ServiceView, ...]
    #: Since the start, until the end or now.
    took: Span
    #: Once it has ended: what is not as the runbook says.
    exceptions: tuple[RunException, ...] = ()
    #: What a dry-run found; None for any other run.
    dry: DryCounts | None = None
    #: How the clocks of hosts stood when they were reached, and what is to be known of that.
    clocks: tuple[ClockLine, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def elapsed(self) -> Duration:
        """Since the start, until the end or now."""
        return Duration(self.took.seconds)

    @property
    def counts(self) -> dict[Status, int]:
        """How many steps stand where, in the order of `Status`."""
        found = dict.fromkeys(Status, 0)
        for line in self.lines:
            found[line.status] += 1
        return {status: count for status, count in found.items() if count}


def run_view(state: RunState, head: RunHead, now: float) -> RunView:
    """Look at a run.

    Args:
        state: What its journal folds to.
        head: What is known beside that.
        now: Seconds since the epoch.
    """
    runbook = state.plan.runbook
    asks = tuple(asks_of(state))
    lines = tuple(step_line(state, step, now) for step in state.plan.order)
    if head.status is RunStatus.INTERRUPTED:
        lines = tuple(without_controller(line) for line in lines)
    return RunView(
        head=head,
        name=runbook.name,
        title=runbook.title,
        mode=str(state.plan.mode),
        variant=state.plan.variant,
        started_at=state.started_at,
        now=now,
        why=_why(state, head.status, asks, lines),
        lines=lines,
        asks=asks,
        forecast=forecast(state, now),
        services=()
        if state.plan.mode is Mode.DRY_RUN  # it raises none
        else service_views(state.plan, state, now, head.disrupted_at),
        took=_took(state, head, now),
        exceptions=tuple(exceptions_of(state)) if state.ended is not None else (),
        dry=dry_counts(state),
        clocks=clock_lines(state.time),
        warnings=tuple(clock_warnings(state.time)),
    )


def below(view: RunView) -> list[ServiceView]:
    """Services of a live run that are not on the level that its plan raises them to."""
    if view.mode != Mode.LIVE:
        return []
    return [each for each in view.services if each.rungs and each.level is not each.best]


def _took(state: RunState, head: RunHead, now: float) -> Span:
    if state.started_at is None:
        return Span(0.0)
    return state.time.span(state.started_at, now if head.ended_at is None else head.ended_at)


def without_controller(line: StepLine) -> StepLine:
    """What was in flight when the controller was lost is unknown (contract section 1)."""
    if line.status not in MOVING:
        return line
    note = "was in flight when its controller left; resume finds out"
    return replace(line, status=Status.UNKNOWN, note=note, late=False, contact="")


def asks_of(state: RunState) -> Iterator[WaitingGate]:
    """All open questions, oldest first."""
    gates = [(key, gate) for key in state.active if (gate := state.targets[key].gate) is not None]
    for key, gate in sorted(gates, key=lambda each: each[1].opened_at):
        yield WaitingGate(
            step=key.step,
            target=key.target,
            kind=gate.kind,
            text=gate.text,
            since=gate.opened_at,
            role=gate.asked.role,
            people=still_asked(state, key, gate),
            stuck=stuck(state, key, gate),
            input=gate.asked.input,
            evidence=gate.asked.evidence,
            options=gate.asked.options,
            typed=gate.asked.typed,
            approved=gate.approved,
            approvals=tuple(map(state.circumstances.signed, gate.approved)),
            count=gate.asked.count,
            decide_at=gate.asked.decide_at,
            default=gate.asked.default,
            taken_by=taken_by(state, key.step),
        )


def taken_by(state: RunState, step: StepId) -> str:
    """Whose a step is: whoever claimed it, else whoever it was assigned to."""
    claim = state.circumstances.claims.get(step)
    return claim.by if claim else state.circumstances.assigned.get(step, "")


def step_line(state: RunState, step: StepId, now: float) -> StepLine:
    """Look at one step."""
    planned = state.plan.steps[step]
    status = state.step(step)
    keys = list(state.keys(step))
    targets = [state.targets[key] for key in keys]
    only = keys[0].target if len(keys) == 1 else ""
    contact = _missing(state, keys, now) or connecting(state, keys, now)
    began = min((at for each in targets if (at := each.began_at) is not None), default=None)
    over = status in FINAL or any(target.undoing for target in targets)
    ended = state.settled_at.get(step) if over else None
    return StepLine(
        id=step,
        title=planned.step.title,
        owner=planned.step.owner,
        status=status,
        where="" if only == "local" else only,
        counts=state.counts(step),
        began_at=began,
        ended_at=ended,
        took=None if began is None else state.time.span(began, now if ended is None else ended),
        planned=None if planned.step.estimate is None else Duration(planned.length),
        late=is_late(state, step, now),
        was_late=status in FINAL and any(target.late for target in targets),
        already=bool(targets) and all(target.already for target in targets),
        note=contact or _note(state, keys, status),
        contact=contact,
        undone_at=state.undone_at.get(step) if status in FINAL else None,
        undoing=any(target.undoing and target.active for target in targets),
    )


def target_note(target: TargetState) -> str:
    """How a target came to where it stands, or what it waits for, on one line."""
    if target.gate is not None:
        return first_line(target.gate.text)
    if target.waits_for is Cause.RETRY and target.until is not None:
        return first_line(f"again at {clock(target.until)}: {target.note}")
    if target.waits_for is Cause.CLOCK and target.until is not None:
        return f"until {clock(target.until)}"
    return first_line(target.note)


def connecting(state: RunState, keys: list[TargetKey], now: float) -> str:
    """That the command of an attempt has not begun, because its host is still being reached."""
    since: dict[str, float] = {}
    for key in keys:
        target, host = state.targets[key], state.hosts[key]
        acting = target.status is Status.RUNNING and target.phase is Phase.ACTING
        acting = acting and not waits(state.plan.steps[key.step].step)
        if not acting or not host or target.taken or target.intended_at is None:
            continue
        if now - target.intended_at > _PATIENCE:
            since[host] = min(target.intended_at, since.get(host, now))
    if not since:
        return ""
    host = min(since, key=since.__getitem__)
    others = f" (and {len(since) - 1} more)" if len(since) > 1 else ""
    return f"connecting to {host}, {Duration(int(now - since[host]))}{others}"


def connecting_to(state: RunState, now: float) -> Iterator[str]:
    """One line for each host that commands wait for."""
    hosts: dict[str, list[TargetKey]] = {}
    for key in state.active:
        hosts.setdefault(state.hosts[key], []).append(key)
    for keys in hosts.values():
        if words := connecting(state, keys, now):
            yield words


def not_seen(state: RunState) -> dict[str, float]:
    """Hosts with work on them that do not answer, and since when; the first one first."""
    found: dict[str, float] = {}
    for key in state.active:
        since = state.targets[key].missing_since
        if since is not None and (host := state.hosts[key]):
            found[host] = min(since, found.get(host, since))
    return dict(sorted(found.items(), key=lambda each: each[1]))


def _missing(state: RunState, keys: list[TargetKey], now: float) -> str:
    """That hosts are not seen, which is no failure: what runs there is not known."""
    missing = [key for key in keys if state.targets[key].missing_since is not None]
    if not missing:
        return ""
    since = min(state.targets[key].missing_since or now for key in missing)
    hosts = ", ".join(dict.fromkeys(state.hosts[key] or "the controller" for key in missing))
    return (
        f"{hosts} not seen for {Duration(round(now - since))}: reconnecting; "
        "what runs there is not known"
    )


def _note(state: RunState, keys: list[TargetKey], status: Status) -> str:
    if status is Status.PENDING:
        return ""
    telling = [key for key in keys if state.targets[key].status is status]
    if not telling:
        return ""
    # A target that waits for a person tells more than one that waits for a lock.
    first = next((key for key in telling if state.targets[key].gate is not None), telling[0])
    note = target_note(state.targets[first])
    if status is Status.PASSED and note == _AS_EXPECTED:
        return ""
    if len(keys) == 1 or not note:
        return note
    if status is Status.PASSED:
        notes = (target_note(state.targets[key]) for key in telling)
        return next((each for each in notes if each.startswith(_BY_WORD)), "")
    others = f" (and {len(telling) - 1} more)" if len(telling) > 1 else ""
    return f"{first.target}: {note}{others}"


def _why(
    state: RunState, status: RunStatus, asks: tuple[WaitingGate, ...], lines: tuple[StepLine, ...]
) -> str:
    failed = [line for line in lines if line.status is Status.FAILED]
    match status:
        case RunStatus.PAUSED:
            return state.paused
        case RunStatus.ABORTED:
            return state.aborted
        case RunStatus.INTERRUPTED:
            return "no controller drives it"
        case RunStatus.WAITING:
            if asks:
                return f"a person must answer {', '.join(ask.key for ask in asks)}"
            return f"a person must say what to do: {failures(failed)}"
        case RunStatus.FAILED:
            return failures(failed)
        case RunStatus.ROLLED_BACK | RunStatus.ROLLED_BACK_WITH_EXCEPTIONS:
            return f"failed: {failures(failed)}" if failed else ""
        case RunStatus.RUNNING | RunStatus.SUCCEEDED | RunStatus.SUCCEEDED_WITH_EXCEPTIONS:
            return ""
        case _:
            assert_never(status)


def failures(lines: Sequence[StepLine]) -> str:
    """Failed steps with their reasons: `db-start: FATAL: could not map shared memory`."""
    named = [f"{line.id}: {line.note}" if line.note else line.id for line in lines[:_NAMED]]
    more = len(lines) - _NAMED
    return "; ".join([*named, *([f"and {more} more"] if more > 0 else [])])


def next_steps(state: RunState) -> Iterator[StepId]:
    """Steps that may begin, then those that only need what is moving now."""
    ready = list(state.ready)
    listed = set(ready)
    moving = {key.step for key in state.active}
    soon = (
        dependent
        for step in moving
        for dependent in state.plan.dependents[step]
        if dependent not in listed and _only_needs(state, dependent, moving)
    )
    return chain(ready, dict.fromkeys(soon))


def _only_needs(state: RunState, step: StepId, moving: set[StepId]) -> bool:
    if state.step(step) is not Status.PENDING:
        return False
    needs = state.plan.steps[step].step.needs
    return all(state.met(need) or any(each in moving for each in need.any_of) for need in needs)

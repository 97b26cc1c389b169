"""Go on with a run that was interrupted, paused, left waiting, or failed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from drrun.cases.edited_files import AskFiles, EditedFiles, edited_files, with_edits
from drrun.cases.kept_requests import AskKept, RefusedRequest, not_to_be_done, refuse
from drrun.cases.load_plan import LoadedPlan
from drrun.cases.read_run import ReadRun, known
from drrun.cases.start import (
    ControllerSlot,
    Options,
    RunTools,
    ToolFactory,
    mark,
    record_marks,
    seat,
)
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.actions import UsesAction
from drrun.core.model.errors import (
    HasExceptions,
    HasSucceeded,
    IllegalMove,
    InputError,
    NotReady,
    Refused,
    RunHeld,
)
from drrun.core.model.ids import RunId, StepId
from drrun.core.model.status import Phase, RunStatus
from drrun.core.nearest import did_you_mean
from drrun.core.people.request import Denied, Granted
from drrun.core.people.world_requests import accept_record
from drrun.core.rules.freeing import behind
from drrun.core.state.reached import FIRST_LINE
from drrun.core.state.run_state import RunState
from drrun.engine.ledger import Ledger
from drrun.engine.naming import LateSecrets
from drrun.engine.records import Records
from drrun.engine.run_clock import clock_of, now_of
from drrun.engine.session import Session
from drrun.ports.journal import Lease, Leases

#: Called between two looks at a holder that is watched; returns when it is to be looked at again.
OnRunHeld = Callable[[RunHeld], None]


@dataclass(frozen=True, slots=True)
class ResumeQuestions:
    """What is asked before anything is done."""

    files: AskFiles
    kept: AskKept


def resume(
    records: Records,
    equip: ToolFactory,
    run: RunId,
    options: Options,
    *,
    ask: ResumeQuestions,
    take_over: OnRunHeld | None = None,
) -> Session:
    """Take the lease and open again what can be: failed, blocked and cancelled targets.

    Passed steps stay passed; attempts in flight are reconciled by the first decisions. With
    `take_over` the lease of another controller is taken once it was seen to give no sign of life.

    Raises:
        HasSucceeded: There is nothing left to do.
        Refused: The run was rolled back, or the person does not want to go on, or may not say that
            its older record counts.
        RunHeld: Another controller drives it.
        NotReady: A secret cannot be resolved, or changed while an attempt went on whose values
            later steps may need.
        InputError: A former value of a secret is none that the run has used, or a step that alone
            is wanted does not exist.
    """
    seen = known(records, run, amendable=True)
    _refuse_over(run, seen.state.ended, back=options.back)
    accepted = _accepted(records, seen.state, options)
    _wanted(seen.state, options)
    answers = _asked(records, seen, options, ask)
    loaded = with_edits(seen.loaded, seen, answers.taken)
    tools = equip(loaded, seen.state.options)
    secrets = _secrets(records, tools, loaded, seen, options)
    _refuse_recorded(answers.taken, secrets)
    lease = _take(records.leases, run, take_over)
    session = _seated(records, tools, secrets, ControllerSlot(run, lease, seen.loaded.folder),
                      answers, options)  # fmt: skip
    _begin(session, options, secrets, accepted)
    records.journal.update(run, RunStatus.RUNNING, None)
    return session


def _seated(
    records: Records,
    tools: RunTools,
    secrets: LateSecrets,
    place: ControllerSlot,
    answers: "_Answers",
    options: Options,
) -> Session:
    """Record what was answered, and put a controller together for what the run is then."""
    # Once more: another controller may have written between the look and the lease.
    state = known(records, place.run, amendable=True).state
    ledger = Ledger(state, records.journal, place.lease, clock_of(state.time, records.clock))
    _record_answers(records, ledger, answers, options.by)
    return seat(records, tools, secrets, state, place, options)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What becomes of edited files and of kept requests."""

    edited: EditedFiles | None
    #: The facts by which edited files count from now on; none: those of before do.
    taken: Sequence[ev.Event]
    refused: Sequence[RefusedRequest]


def _asked(records: Records, seen: ReadRun, options: Options, ask: ResumeQuestions) -> _Answers:
    edited = edited_files(seen, options.by, now_of(seen.state.time, records.clock))
    taken = () if edited is None or options.back else _taken(edited, ask.files)
    changed = edited.changed if edited and taken else frozenset[StepId]()
    refused = not_to_be_done(records, seen, options.by, ask.kept, changed)
    return _Answers(edited, taken, refused)


def _taken(edited: EditedFiles, ask: AskFiles) -> Sequence[ev.Event]:
    if not edited.matters and isinstance(edited.taken, Granted):
        return edited.taken.events
    decision = ask(edited)
    if not decision.take:
        return ()
    if isinstance(edited.taken, Denied):
        raise InputError(edited.taken.why)
    return [
        replace(each, why=decision.why) if isinstance(each, ev.PlanAmended) else each
        for each in edited.taken.events
    ]


def _record_answers(records: Records, ledger: Ledger, answers: _Answers, by: str) -> None:
    """Record what becomes of edited files and of kept requests.

    Raises:
        Refused: The run went on meanwhile, so that the files cannot be taken like that.
    """
    if answers.edited is not None:
        decision = "accepted" if answers.taken else "pinned"
        ledger.record(ev.FilesChanged(decision=decision, diff=answers.edited.diff, by=by), by)
    try:
        for event in answers.taken:
            ledger.record(event, by)
    except IllegalMove:
        records.leases.release(ledger.lease)
        raise Refused("the run continued meanwhile: look at it, then resume it again") from None
    refuse(records, ledger, answers.refused, by)


def _refuse_recorded(taken: Sequence[ev.Event], secrets: LateSecrets) -> None:
    """Files that are taken are recorded, and a later resume needs them as they are.

    Raises:
        InputError: One of them holds a secret's value.
    """
    for event in taken:
        if (
            isinstance(event, ev.PlanAmended)
            and secrets.mask.structure(event.files) is not event.files
        ):
            raise InputError(
                "an edited file holds the value of a secret, and it is recorded: name the secret "
                "instead, as in {{ secrets.NAME }}. Nothing was begun"
            )


def _refuse_over(run: RunId, ended: RunStatus | None, *, back: bool) -> None:
    if ended is RunStatus.SUCCEEDED and not back:
        raise HasSucceeded(f"{run} has succeeded: there is nothing left to do")
    if ended is RunStatus.SUCCEEDED_WITH_EXCEPTIONS and not back:
        raise HasExceptions(
            f"{run} has succeeded with exceptions, and nothing is left to resume; "
            f"see them with: drrun status {run}"
        )
    if ended in (RunStatus.ROLLED_BACK, RunStatus.ROLLED_BACK_WITH_EXCEPTIONS) and not back:
        raise Refused(
            f"{run} was rolled back, and there is nothing left to resume; "
            f"to undo what is left: drrun rollback {run}"
        )


def _secrets(
    records: Records, tools: RunTools, loaded: LoadedPlan, seen: ReadRun, options: Options
) -> LateSecrets:
    """The run's secrets as they are now, and what a person says that they were."""
    secrets = LateSecrets(loaded.plan.runbook.secrets, tools.secrets, options.former)
    secrets.resolve_all()
    mark(records, seen.run, secrets)
    _refuse_never_used(seen.state, secrets)
    if not options.seal:
        _refuse_lost_values(seen.state, seen.run, secrets)
    return secrets


def _refuse_never_used(state: RunState, secrets: LateSecrets) -> None:
    """A value that hides nothing would be taken for one that does."""
    for name, each in secrets.former:
        if not state.secrecy.used(name, each):
            raise InputError(
                f"--old-secret {name}: this run never used that value. Nothing was begun"
            )


def _refuse_lost_values(state: RunState, run: RunId, secrets: LateSecrets) -> None:
    """What a sealed output holds for later steps cannot be taken from it afterwards."""
    lost: dict[str, None] = {}
    keys = []
    for key in state.active:
        step = state.plan.steps[key.step].step
        names = state.secrecy.outdated(key, secrets.known)
        tells = bool(step.capture) or isinstance(step.action, UsesAction)
        if names and tells and state.targets[key].phase is Phase.ACTING:
            keys.append(str(key))
            lost.update(dict.fromkeys(names))
    if keys:
        first = next(iter(lost))
        raise NotReady(
            f"{', '.join(lost)} changed while {', '.join(keys)} went on, and later steps may need "
            f"its values. Nothing was begun. Give the former value: drrun resume {run} "
            f"--old-secret {first}; or continue without those values: drrun resume {run} --seal"
        )


def _take(leases: Leases, run: RunId, take_over: OnRunHeld | None) -> Lease:
    while True:
        try:
            return leases.take(run, force=take_over is not None)
        except RunHeld as held:
            if take_over is None or held.wait is None:
                raise
            take_over(held)


def _wanted(state: RunState, options: Options) -> tuple[str, ...]:
    """The steps that alone go on; () for all."""
    named = (*options.only, *filter(None, (options.begin_at,)))
    for step in named:
        if step not in state.plan.steps:
            raise InputError(f"there is no step {step!r}{did_you_mean(step, state.plan.steps)}")
    if not options.begin_at:
        return options.only
    return (options.begin_at, *behind(state, StepId(options.begin_at)))


def _accepted(records: Records, state: RunState, options: Options) -> Sequence[ev.Event]:
    """The word of a second person that this journal counts, if it is given."""
    if not options.accept_older:
        return ()
    line = records.ids.new_mark()[: len(FIRST_LINE)]
    found = accept_record(state, options.by, options.accept_older, line)
    if isinstance(found, Denied):
        raise Refused(found.why)
    return found.events


def _begin(
    session: Session,
    options: Options,
    secrets: LateSecrets,
    accepted: Sequence[ev.Event],
) -> None:
    """Record who goes on, with what."""
    ledger = session.edges.ledger
    ledger.record(session.took)
    for event in accepted:
        ledger.record(event, options.by)
    record_marks(ledger, secrets)
    if not options.back:
        only = _wanted(ledger.state, options)
        ledger.record(ev.RunResumed(by=options.by, only=only), options.by)
    ledger.commit()

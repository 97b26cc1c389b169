"""Go on with a run that was interrupted, paused, left waiting, or failed."""

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

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
from drrun.core.model.actions import UsesAction
from drrun.core.model.errors import (
    HasExceptions,
    HasSucceeded,
    InputError,
    NotReady,
    Refused,
    RunHeld,
)
from drrun.core.model.ids import RunId
from drrun.core.model.status import Phase, RunStatus
from drrun.core.people.request import Denied
from drrun.core.people.world_requests import accept_record
from drrun.core.state.reached import FIRST_LINE
from drrun.core.state.run_state import RunState
from drrun.engine.naming import LateSecrets
from drrun.engine.records import Records
from drrun.engine.session import Session
from drrun.ports.journal import Document, Lease, Leases

#: Asked with a diff when files changed since the run started; True: go on with the pinned ones.
AskPinned = Callable[[str], bool]
#: Called between two looks at a holder that is watched; returns when it is to be looked at again.
OnRunHeld = Callable[[RunHeld], None]


def resume(
    records: Records,
    equip: ToolFactory,
    run: RunId,
    options: Options,
    *,
    ask: AskPinned,
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
        InputError: A former value of a secret is none that the run has used.
    """
    seen = known(records, run)
    _refuse_over(run, seen.state.ended, back=options.back)
    accepted = _accepted(records, seen.state, options)
    diff = changes(seen.loaded.documents)
    if diff and not ask(diff):
        raise Refused("nothing was changed; the run can be resumed later")
    tools = equip(seen.loaded, seen.state.options)
    secrets = _secrets(records, tools, seen, options)
    lease = _take(records.leases, run, take_over)
    # Once more: another controller may have written between the look and the lease.
    state = known(records, run, amendable=True).state
    place = ControllerSlot(run, lease, seen.loaded.folder)
    session = seat(records, tools, secrets, state, place, options)
    _begin(session, diff, options, secrets, accepted)
    records.journal.update(run, RunStatus.RUNNING, None)
    return session


def _refuse_over(run: RunId, ended: RunStatus | None, *, back: bool) -> None:
    if ended is RunStatus.SUCCEEDED and not back:
        raise HasSucceeded(f"{run} has succeeded: there is nothing left to do")
    if ended is RunStatus.SUCCEEDED_WITH_EXCEPTIONS and not back:
        raise HasExceptions(
            f"{run} has succeeded with exceptions, and nothing is left to resume; "
            f"see them with: drrun status {run}"
        )
    if ended in (RunStatus.ROLLED_BACK, RunStatus.ROLLED_BACK_WITH_EXCEPTIONS) and not back:
        raise Refused(f"{run} was rolled back: there is nothing left to do")


def _secrets(records: Records, tools: RunTools, seen: ReadRun, options: Options) -> LateSecrets:
    """The run's secrets as they are now, and what a person says that they were."""
    secrets = LateSecrets(seen.loaded.plan.runbook.secrets, tools.secrets, options.former)
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
                f"--old-secret {name}: that is no value that this run has used. Nothing was begun"
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
            f"values of that. Nothing was begun. Give the former value: drrun resume {run} "
            f"--old-secret {first}; or do without those values: drrun resume {run} --seal"
        )


def _take(leases: Leases, run: RunId, take_over: OnRunHeld | None) -> Lease:
    while True:
        try:
            return leases.take(run, force=take_over is not None)
        except RunHeld as held:
            if take_over is None or held.wait is None:
                raise
            take_over(held)


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
    diff: str,
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
    if diff:
        ledger.record(ev.FilesChanged(decision="pinned", diff=diff, by=options.by), options.by)
    if not options.back:
        ledger.record(ev.RunResumed(by=options.by), options.by)
    ledger.commit()


def changes(documents: Sequence[Document]) -> str:
    """What changed in the files that a run is pinned to, as a unified diff ("": nothing).

    A file that is gone or cannot be read counts as unchanged: the run has its own copy, and the
    laptop it was started from may be lost.
    """
    parts: list[str] = []
    for document in documents:
        if document.path:
            parts.extend(_changed(document))
    return "".join(parts)


def _changed(document: Document) -> Sequence[str]:
    try:
        now = Path(document.path).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ()
    if now == document.content:
        return ()
    return list(
        difflib.unified_diff(
            document.content.splitlines(keepends=True),
            now.splitlines(keepends=True),
            f"{document.path} (pinned)",
            f"{document.path} (now)",
        )
    )


def refuse_changed(diff: str) -> bool:
    """The answer where nobody can be asked.

    Raises:
        InputError: Always; shows the diff and names the flag.
    """
    raise InputError(
        f"files changed since the run was started:\n{diff}\n"
        "Go on with the files as they were by: drrun resume RUN --pinned"
    )

"""From a session to its end on the screen: which view, which words at the end, which exit code."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from drrun.cases.send_request import act
from drrun.cli.act import command
from drrun.cli.exit import Exit, exit_of_run
from drrun.cli.failures import message
from drrun.cli.logbook import catch_libraries, open_log
from drrun.cli.out import ReaderGone, can_draw, give, hide, say, sheet, wants_colour
from drrun.cli.outputs import printed_by
from drrun.cli.run_views import find
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError, JournalDamaged, StateUnusable
from drrun.core.model.ids import RunId, StepId
from drrun.core.model.runbook import Mode
from drrun.core.model.status import RunStatus
from drrun.core.state.run_state import RunState
from drrun.engine.notifying import Notifier, Notifying
from drrun.engine.records import Records
from drrun.engine.session import Session
from drrun.ports.journal import RequestAnswer
from drrun.report.dry_view import dry_view
from drrun.report.ink import ansi, no_ink
from drrun.report.jsondoc import document, dumps_line
from drrun.report.jsondoc.runs import run_json
from drrun.report.run_view import RunHead, RunView, run_view
from drrun.report.text.dry_text import dry_text
from drrun.report.text.run import summary_text
from drrun.term.answer_prompt import AnswerPrompt
from drrun.term.dialogue import GivenAnswer
from drrun.term.drive import DriveEnding, Stage
from drrun.term.feed import Feed
from drrun.term.keys import Keyboard
from drrun.term.views import PlainView, View


@dataclass(frozen=True, slots=True)
class Showing:
    """How a run is shown."""

    by: str
    log: Path
    #: A person sits at the terminal.
    interactive: bool
    plain: bool = False
    as_json: bool = False
    #: Corrects a step of a run in the person's editor; tells what became of it.
    editor: Callable[[RunId, StepId], str] | None = None
    #: Who is told elsewhere.
    notifiers: Sequence[Notifier] = ()


def perform(records: Records, session: Session, showing: Showing, *, back: bool = False) -> Exit:
    """Drive a session to its end; the exit code.

    Args:
        records: Where the run is kept.
        session: The run and its controller.
        showing: How it is shown.
        back: A rollback is what was asked for.

    Raises:
        DrrunError: The controller could not go on.
    """
    hide(session.edges.orders.mask)
    catch_libraries(showing.log)
    _announce(session, showing)
    log = open_log(showing.log)
    telling = Notifying(session.state, showing.notifiers, log.warning)
    session.subscribe(telling.entry)
    try:
        left = _stage(records, session, showing).play()
    finally:
        telling.close()
    status = left.standing.status if left.standing else RunStatus.INTERRUPTED
    if left.error is not None:
        # What is damaged, or disputed, names its own ways out.
        way = "" if isinstance(left.error, JournalDamaged) else "; continue with: drrun resume "
        say(f"drrun: {session.run} was left as it is{way and way + session.run}")
        if isinstance(left.error, StateUnusable):  # nothing was refused: there is work left
            say(message(left.error))
            return Exit.LEFT
        raise left.error
    if left.state is not None:
        _show_dry(records, session, showing)
        _sum_up(_final(records, session, left, left.state, status), showing)
    unreachable = bool(left.standing and left.standing.unreachable)
    return exit_of_run(status, unreachable=unreachable, ctrl_c=left.ctrl_c, back=back)


def _show_dry(records: Records, session: Session, showing: Showing) -> None:
    """After a dry-run: what a live run would do, as data on standard output."""
    if session.state.plan.mode is not Mode.DRY_RUN or showing.as_json:
        return
    seen = find(records, session.run)
    with suppress(ReaderGone, InputError):
        view = dry_view(seen.state, seen.facts, printed_by(records, seen))
        give(dry_text(view, sheet(sys.stdout)))


def _announce(session: Session, showing: Showing) -> None:
    """The id at once, so that every other terminal can follow."""
    first = f"{session.run}\n"
    if showing.as_json:
        first = dumps_line(document("run-driven", run=session.run))
    with suppress(ReaderGone, InputError):  # a run does not end because nobody reads its id
        give(first)
    say(f"drrun: driving {session.run}")
    say(f"drrun: look from elsewhere: drrun status {session.run}")


def _stage(records: Records, session: Session, showing: Showing) -> Stage:
    feed = Feed()
    session.subscribe(feed.entry)
    state = RunState(session.unamended, session.state.replan)
    for entry in records.journal.read(session.run):
        state.apply(ev.event_of(entry.kind, entry.body), entry.at)
    stage = Stage(session, _view(session, showing), state, session.edges.clock.now, feed)
    if showing.interactive:
        stage.desk = AnswerPrompt(
            showing.by, feed, lambda reply: _post(records, session, showing.by, reply)
        )
        stage.keyboard = Keyboard(feed, raw=_draws(showing))
        if showing.editor is not None:
            stage.editor = partial(showing.editor, session.run)
    return stage


def _post(records: Records, session: Session, by: str, reply: GivenAnswer) -> RequestAnswer:
    return act(records, session.run, command(reply.kind, reply.body), by)


def _draws(showing: Showing) -> bool:
    return not showing.plain and can_draw(sys.stderr)


def _view(session: Session, showing: Showing) -> View:
    colour = wants_colour(sys.stderr)
    if _draws(showing):
        from drrun.term.progress import LiveView

        return LiveView(session.run, showing.by, sys.stderr, colour=colour)
    return PlainView(session.run, say, ansi if colour else no_ink)


def _final(
    records: Records, session: Session, left: DriveEnding, state: RunState, status: RunStatus
) -> RunView:
    last = left.last
    head = RunHead(
        id=session.run,
        started_by=_started_by(records, session),
        status=status,
        ended_at=last.at if last and state.ended is not None else None,
        seal=f"{last.seq} {last.hash}" if last else "",
    )
    return run_view(state, head, session.edges.clock.now())


def _started_by(records: Records, session: Session) -> str:
    first = next(iter(records.journal.read(session.run)), None)
    return first.actor if first else ""


def _sum_up(view: RunView, showing: Showing) -> None:
    say(summary_text(view, sheet(sys.stderr)))
    if showing.as_json:
        with suppress(ReaderGone, InputError):
            give(dumps_line(run_json(view)))

"""`drrun edit`: correct a step of a run in one's own editor."""

import shlex
import tempfile
from pathlib import Path

import click

from drrun.cases.read_run import ReadRun, known
from drrun.cases.send_request import act as ask_for
from drrun.cases.step_source import source_of
from drrun.cli.context import CommandContext, common_options
from drrun.cli.out import can_ask, say
from drrun.cli.run_words import ActingCommand, acting_run_argument, complete_step, the_run
from drrun.core.model.errors import InputError
from drrun.core.model.ids import RunId, StepId
from drrun.core.nearest import did_you_mean
from drrun.core.people.amending import cannot_be_rewritten
from drrun.core.people.commands import Amend
from drrun.core.people.consider import Denied, consider
from drrun.engine.records import Records
from drrun.engine.run_clock import now_of
from drrun.report.clean import clean, clean_line

#: Lines for the person who edits; they do not belong to the step.
_MARK = "#: "


@click.command(cls=ActingCommand)
@acting_run_argument
@click.argument("step", metavar="STEP", shell_complete=complete_step)
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the record.")
@common_options
@click.pass_obj
def edit(frame: CommandContext, /, run: str, step: str, *, reason: str) -> None:
    """Open STEP of RUN in $VISUAL or $EDITOR, and apply your changes to the run.

    They are checked first; what is wrong can be edited again. What has passed or is
    being executed is not rewritten. Without a change nothing happens.
    """
    with frame.state() as records:
        found = the_run(records, run)
    _edit(frame, found, step, reason)


def edit_here(frame: CommandContext, run: RunId, step: StepId) -> str:
    """For whoever sits at the prompt of a run: edit a step; what was wrong, "" if nothing."""
    try:
        _edit(frame, run, step, "")
    except (click.Abort, KeyboardInterrupt):
        return "nothing was changed"
    except (InputError, click.ClickException) as error:
        return str(error)
    return ""


def _edit(frame: CommandContext, run: RunId, step: str, reason: str) -> None:
    settings = frame.settings()
    may_ask = can_ask(settings)
    if not (reason or may_ask):
        raise click.UsageError("edit overrides the plan: say why with --reason")
    with frame.state() as records:
        seen = known(records, run, amendable=True)
        name = _step(seen, step)
        before = source_of(seen, name)
    path = Path(tempfile.mkdtemp(prefix="drrun-")) / f"{name}.yml"
    path.write_text(before + _notes(seen, name), "utf-8")
    text = _edited(frame, run, path, before, may_ask=may_ask)
    if text == before:
        say("nothing was changed")
    else:
        _take(frame, run, path, text, reason or click.prompt("why", err=True))
    path.unlink()
    path.parent.rmdir()


def _step(seen: ReadRun, written: str) -> StepId:
    step = StepId(written.partition("@")[0])
    if step not in seen.state.plan.steps:
        hint = did_you_mean(step, seen.state.plan.steps)
        raise InputError(f"there is no step {step!r} in {seen.run}{hint}")
    if why := cannot_be_rewritten(seen.state, step):
        raise InputError(why)
    return step


def _notes(seen: ReadRun, step: StepId) -> str:
    """How the step stands, below it, so that lines keep their numbers."""
    lines = [f"step {step} of {seen.run}: {seen.state.step(step)}"]
    notes = dict.fromkeys(seen.state.targets[key].note for key in seen.state.keys(step))
    lines += [clean_line(note) for note in notes if note]
    lines += ["Save to apply it to the run; leave it as it is to change nothing."]
    return "\n" + "".join(f"{_MARK}{line}\n" for line in lines)


def _edited(frame: CommandContext, run: RunId, path: Path, before: str, *, may_ask: bool) -> str:
    """What the person wrote, once it can be taken.

    Raises:
        InputError: It cannot, and is not edited again; it is kept.
    """
    while True:
        click.edit(filename=str(path), require_save=False)
        text = _without_notes(path.read_text("utf-8"))
        if text == before:
            return text
        with frame.state() as records:
            wrong = _wrong(records, run, path, text, frame.settings().by)
        if not wrong:
            return text
        say(clean(wrong))
        if not may_ask or not click.confirm("Edit it again?", default=True, err=True):
            raise InputError(f"nothing was changed; {_kept(run, path)}")


def _without_notes(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_MARK)).rstrip("\n") + "\n"


def _wrong(records: Records, run: RunId, path: Path, text: str, by: str) -> str:
    seen = known(records, run, amendable=True)
    command = Amend(path=path.name, text=text, reason="to be judged")
    found = consider(seen.state, command, by, now_of(seen.state.time, records.clock))
    return found.why if isinstance(found, Denied) else ""


def _take(frame: CommandContext, run: RunId, path: Path, text: str, reason: str) -> None:
    with frame.state() as records:
        command = Amend(path=path.name, text=text, reason=reason)
        answer = ask_for(records, run, command, frame.settings().by)
    if not answer.accepted:
        raise InputError(f"refused: {answer.message}\n{_kept(run, path)}")
    say(clean(answer.message))


def _kept(run: RunId, path: Path) -> str:
    """That what was written is not lost, and how it is used after all."""
    again = shlex.join(["drrun", "amend", run, str(path), "--reason", "WHY"])
    return f"your text is kept, and taken by: {again}"

"""Commands by which people act on a run, from any terminal. All go through one use case."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from drrun.cases.kept_requests import withdraw as take_back
from drrun.cases.read_run import known
from drrun.cases.send_request import act as ask_for
from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.exit import Exit
from drrun.cli.out import give, say
from drrun.cli.run_words import (
    LEFT_OUT,
    ActingCommand,
    acting_run_argument,
    complete_host,
    complete_step,
    the_run,
)
from drrun.core.integrity.signing import signed_text
from drrun.core.model.errors import InputError
from drrun.core.people.commands import Approve, Command, Decide, command_of
from drrun.core.people.request import Denied, keys_of
from drrun.engine.signed import answer_of
from drrun.files.runbook.inputs import parse_assignments
from drrun.report.clean import clean
from drrun.report.jsondoc import document, dumps

#: Characters of an amendment; it becomes part of the journal.
_LONGEST_AMENDMENT = 1_000_000

_step = click.argument("step", metavar="STEP[@TARGET]", shell_complete=complete_step)
_target = click.option("--target", default="", metavar="NAME", help="Only this target.")
_reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the record.")


_sign = click.option(
    "--sign",
    metavar="KEYFILE",
    type=click.Path(path_type=Path),
    help="Sign the answer with your SSH key.",
)


def _signed(frame: CommandContext, kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """Signatures over the answer, one for each target that asks."""
    if options["sign"] is None:
        return {}
    from drrun.builtin.signatures import sign

    with frame.state() as records:
        run = options["run"] = the_run(records, options["run"])
        state = known(records, run).state
    by = frame.settings().by
    asked = command(kind, options)
    if not isinstance(asked, Approve | Decide):
        raise InputError(f"{kind} is not signed")
    keys = keys_of(state, asked)
    if isinstance(keys, Denied):
        raise InputError(keys.why)
    answer = answer_of(asked)
    texts = {key.target: signed_text(state, run, key, answer, by) for key in keys}
    made = {target: sign(text, options["sign"]) for target, text in texts.items() if text}
    return {"signatures": made}


def acting(*parameters: Callable[[Any], Any]) -> Callable[[Callable[..., None]], click.Command]:
    """A command that asks something of a run, and says what became of it."""

    def make(function: Callable[..., None]) -> click.Command:
        command: Any = click.pass_obj(function)
        for parameter in (json_option, common_options, _reason, *reversed(parameters)):
            command = parameter(command)
        name = function.__name__.replace("_", "-")
        return click.command(name, cls=ActingCommand)(acting_run_argument(command))

    return make


def command(kind: str, body: Mapping[str, Any]) -> Command:
    """What was typed, as a command.

    Raises:
        InputError: Nobody knows that kind.
    """
    found = command_of(kind, body)
    if found is None:
        raise InputError(f"unknown request {kind!r}")
    return found


def post(frame: CommandContext, kind: str, options: dict[str, Any], **body: Any) -> None:
    """Ask something of a run, and say what became of it."""
    asked = {name: options[name] for name in ("step", "target", "reason") if options.get(name)}
    with frame.state() as records:
        run = the_run(records, options["run"])
        answer = ask_for(records, run, command(kind, {**asked, **body}), frame.settings().by)
    if answer.doubt:
        say(clean(f"drrun: {answer.doubt}"))
    frame.code = Exit.DONE if answer.accepted else Exit.INVALID
    if options["as_json"]:
        accepted, said = answer.accepted, answer.message
        give(dumps(document("answer", run=run, request=kind, accepted=accepted, message=said)))
    else:
        say(clean(answer.message if answer.accepted else f"drrun: refused: {answer.message}"))


@acting(
    _step,
    _target,
    click.option(
        "--input", "answers", multiple=True, metavar="NAME=VALUE", help="A typed answer."
    ),
    click.option(
        "--evidence", default="", metavar="FILE|TEXT", help="A file, or a note, that shows it."
    ),
)
def confirm(frame: CommandContext, /, **options: Any) -> None:
    """Confirm that STEP is done, or may begin."""
    body: dict[str, Any] = {"input": parse_assignments(options["answers"])}
    if options["evidence"]:
        body["evidence"] = _evidence(frame, options["evidence"])
    post(frame, "confirm", options, **body)


@acting(
    _step,
    _target,
    click.option("--rewind-to", default="", metavar="STEP", help="Go back to STEP; do it again."),
)
def reject(frame: CommandContext, /, **options: Any) -> None:
    """Reject STEP: it fails, and the steps that need it are blocked."""
    post(frame, "reject", options, rewind_to=options["rewind_to"])


@acting(
    click.argument(
        "step", metavar="[STEP[@TARGET]]", required=False, shell_complete=complete_step
    ),
    _target,
    click.option(
        "--on",
        default="",
        metavar="HOST",
        help="Only targets on HOST, a group or site:NAME; without STEP all that failed there.",
        shell_complete=complete_host,
    ),
    click.option("--only-failed", is_flag=True, help="Do not retry targets that never began."),
    click.option(
        "--bypass-guard",
        default="",
        metavar="NAME",
        help="Bypass this guard, once. Needs --reason.",
    ),
)
def retry(frame: CommandContext, /, **options: Any) -> None:
    """Try a failed STEP again, or one whose outcome is not known, or all that failed on a host."""
    only, bypass, on = options["only_failed"], options["bypass_guard"], options["on"]
    if options["step"] is None and not on:
        if options["run"] == LEFT_OUT:
            raise click.UsageError("say what is tried again: a STEP, or --on HOST")
        options |= {"run": LEFT_OUT, "step": options["run"]}  # RUN may be left out
    post(frame, "retry", options, on=on, only_failed=only, bypass_guard=bypass)


@acting(
    _step,
    _target,
    click.option("--type", "typed", default="", metavar="TEXT", help="What you approve, typed."),
    _sign,
)
def approve(frame: CommandContext, /, **options: Any) -> None:
    """Approve STEP. The person who drives the run may not; each person counts once."""
    post(frame, "approve", options, typed=options["typed"], **_signed(frame, "approve", options))


@acting(_step, click.argument("option", metavar="OPTION"), _target, _sign)
def decide(frame: CommandContext, /, **options: Any) -> None:
    """Decide STEP for OPTION."""
    signed = _signed(frame, "decide", options)
    post(frame, "decide", options, option=options["option"], **signed)


@acting(_step)
def claim(frame: CommandContext, /, **options: Any) -> None:
    """Claim STEP, so that nobody else does it too."""
    post(frame, "claim", options)


@acting(_step, click.argument("person", metavar="PERSON"))
def assign(frame: CommandContext, /, **options: Any) -> None:
    """Assign STEP to PERSON."""
    post(frame, "assign", options, to=options["person"])


@acting(
    click.argument("person", metavar="PERSON"), click.argument("text", nargs=-1, required=True)
)
def handover(frame: CommandContext, /, **options: Any) -> None:
    """Hand over all your steps to PERSON, with a note of what they must know."""
    post(frame, "handover", options, to=options["person"], text=" ".join(options["text"]))


@acting(click.argument("thing", metavar="KIND:NAME", shell_complete=complete_host))
def lost(frame: CommandContext, /, **options: Any) -> None:
    """Declare a site, host, provider or person lost: drrun does not contact it. Needs --reason."""
    post(frame, "lost", options, thing=options["thing"])


@acting(click.argument("thing", metavar="KIND:NAME", shell_complete=complete_host))
def found(frame: CommandContext, /, **options: Any) -> None:
    """Withdraw a declared loss."""
    post(frame, "found", options, thing=options["thing"])


@acting(
    click.argument("host", metavar="HOST", shell_complete=complete_host),
    click.argument("route", metavar="ROUTE|auto"),
)
def set_route(frame: CommandContext, /, **options: Any) -> None:
    """Reach HOST by ROUTE from now on; running jobs are followed by this route too."""
    post(frame, "set-route", options, host=options["host"], route=options["route"])


@acting(_step, _target)
def skip(frame: CommandContext, /, **options: Any) -> None:
    """Skip STEP; the steps that need it continue. Needs --reason."""
    post(frame, "skip", options)


@acting(_step, _target)
def mark_done(frame: CommandContext, /, **options: Any) -> None:
    """Mark STEP as done on your own responsibility. Needs --reason."""
    post(frame, "mark-done", options)


@acting()
def pause(frame: CommandContext, /, **options: Any) -> None:
    """Start nothing new in RUN; steps that are running continue."""
    post(frame, "pause", options)


@acting()
def unpause(frame: CommandContext, /, **options: Any) -> None:
    """Continue RUN after a pause."""
    post(frame, "unpause", options)


@acting()
def abort(frame: CommandContext, /, **options: Any) -> None:
    """Abort RUN: end its jobs, start nothing new. Needs --reason.

    Only `drrun resume` opens it again, and the report says so.
    """
    post(frame, "abort", options)


@click.command(cls=ActingCommand)
@acting_run_argument
@click.argument("number", metavar="NUMBER", type=int)
@_reason
@common_options
@click.pass_obj
def withdraw(frame: CommandContext, /, run: str, number: int, reason: str) -> None:
    """Withdraw request NUMBER of RUN, which is kept until somebody resumes the run.

    `drrun status RUN` shows all that are kept, with their numbers.
    """
    with frame.state() as records:
        by = frame.settings().by
        say(clean(take_back(records, the_run(records, run), number, by, reason)))


@acting(click.argument("file", metavar="FILE", type=click.Path(path_type=Path)))
def amend(frame: CommandContext, /, **options: Any) -> None:
    """Add the steps of FILE to RUN, or change steps that have not begun. Needs --reason.

    FILE is YAML with `steps:` as in a runbook; the whole graph is judged before anything changes.
    """
    path: Path = options["file"]
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if len(text) > _LONGEST_AMENDMENT:
        raise InputError(f"{path} is longer than an amendment may be ({_LONGEST_AMENDMENT} bytes)")
    post(frame, "amend", options, path=str(path), text=text)


@acting(
    click.argument("text", nargs=-1, required=True),
    click.option("--step", default="", metavar="STEP", help="What it is about."),
)
def note(frame: CommandContext, /, **options: Any) -> None:
    """Write TEXT into the record of RUN; `-` reads it from standard input."""
    words: Sequence[str] = options["text"]
    text = sys.stdin.read() if list(words) == ["-"] else " ".join(words)
    if not text.strip():
        raise InputError("a note needs some text")
    post(frame, "note", options, text=text.strip())


def _evidence(frame: CommandContext, given: str) -> str:
    """A kept file's name with its hash, or the note itself."""
    path = Path(given)
    try:
        is_file = path.is_file()
    except OSError:  # a note may be longer than a name of a file can be
        is_file = False
    if not is_file:
        return given
    with frame.state() as records:
        if records.evidence is None:
            raise InputError("evidence cannot be kept here")
        return str(records.evidence.keep(path))

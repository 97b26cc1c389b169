"""What `resume` and `rollback` ask before they act: edited files, and requests that were kept.

Rules:
- At a terminal it is asked; elsewhere a flag has to say it, and the refusal names the flags.
- Nothing is taken or dropped silently: everything is shown first.
"""

from collections.abc import Callable, Sequence
from typing import Any

import click

from drrun.cases.edited_files import AskFiles, EditedFiles, FileDecision
from drrun.cases.kept_requests import AskKept
from drrun.cases.resume import ResumeQuestions
from drrun.cli.out import can_ask, say
from drrun.core.model.errors import InputError, Refused
from drrun.core.model.ids import RunId
from drrun.core.people.commands import Approve
from drrun.core.people.consider import Denied
from drrun.core.people.unanswered import KeptRequest
from drrun.report.clean import clean, clean_line
from drrun.report.times import moment
from drrun.settings import Settings

_AS_BEFORE = "nothing was changed; the run can be resumed later"


def resume_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Flags that answer beforehand."""
    for option in reversed(
        (
            click.option(
                "--pinned", is_flag=True, help="Continue with the files as they were at the start."
            ),
            click.option(
                "--accept-changes",
                is_flag=True,
                help="Use the edited files in this run. Needs --reason, and --yes or a terminal.",
            ),
            click.option("-y", "--yes", is_flag=True, help="Do not ask: accept everything."),
            click.option(
                "--drop-kept", is_flag=True, help="Withdraw requests that change the run's course."
            ),
            click.option("--reason", default="", metavar="TEXT", help="Why; kept in the record."),
        )
    ):
        command = option(command)
    return command


def questions(run: RunId, settings: Settings, options: dict[str, Any]) -> ResumeQuestions:
    """What is asked, given what the flags say.

    Raises:
        UsageError: They contradict each other.
    """
    for one, other in (("pinned", "accept_changes"), ("yes", "drop_kept")):
        if options[one] and options[other]:
            flags = (f"--{each.replace('_', '-')}" for each in (one, other))
            raise click.UsageError(f"either {' or '.join(flags)}, not both")
    may_ask = can_ask(settings)
    return ResumeQuestions(
        _files(run, options, may_ask), kept_question(run, settings, options, may_ask=may_ask)
    )


def _files(run: RunId, options: dict[str, Any], may_ask: bool) -> AskFiles:
    def ask(edited: EditedFiles) -> FileDecision:
        if options["pinned"]:
            return FileDecision(take=False)
        shown = f"files changed since the run was started:\n{clean(edited.shown)}"
        refused = clean(edited.taken.why) if isinstance(edited.taken, Denied) else ""
        unasked = options["accept_changes"] and options["yes"]
        if refused or not (may_ask or options["accept_changes"]):
            ways = _ways(run, may_take=not refused)
            raise InputError("\n".join(filter(None, (shown, refused, ways))))
        if not (may_ask or options["reason"]):
            raise click.UsageError("--accept-changes overrides the plan: say why with --reason")
        if not (may_ask or unasked):
            raise click.UsageError(
                "there is no terminal to ask on: add --yes to use these changes"
            )
        say(shown)
        if not (unasked or _wants(options)):
            return FileDecision(take=False)
        why = options["reason"] or click.prompt("why", err=True)
        return FileDecision(take=True, why=why)

    return ask


def _wants(options: dict[str, Any]) -> bool:
    """Ask at the terminal whether edited files are taken."""
    if options["accept_changes"]:
        if not click.confirm("Use these changes in the run?", err=True):
            raise Refused(_AS_BEFORE)
        return True
    question = "t: use the edited files, p: keep the pinned ones, q: quit"
    choice = click.prompt(
        question, type=click.Choice(["t", "p", "q"]), show_choices=False, err=True
    )
    if choice == "q":
        raise Refused(_AS_BEFORE)
    return bool(choice == "t")


def _ways(run: RunId, *, may_take: bool) -> str:
    take = f"use these changes: drrun resume {run} --accept-changes --reason WHY\n"
    keep = f"continue with the files as they were: drrun resume {run} --pinned"
    return (take if may_take else "") + keep


def _own_approvals(run: RunId, kept: Sequence[KeptRequest], by: str, may_ask: bool) -> None:
    """Say which approvals do not count if the person who gave them drives the run."""
    own = [each for each in kept if isinstance(each.command, Approve) and each.by == by]
    if not own:
        return
    steps = ", ".join(each.step for each in own)
    told = f"{by} has approved {steps}. If {by} resumes the run, that does not count any more"
    other = f"let somebody else resume it: drrun resume {run} --by NAME"
    if not may_ask:
        raise InputError(f"{told}. Nothing was begun\n{other}\nresume it all the same: "
                         f"drrun resume {run} --yes")  # fmt: skip
    say(f"{told}\n{other}")
    if not click.confirm("Resume it all the same?", default=False, err=True):
        raise Refused(_AS_BEFORE)


def kept_question(
    run: RunId,
    settings: Settings,
    options: dict[str, Any],
    *,
    may_ask: bool,
    back: bool = False,
) -> AskKept:
    """What is asked about kept requests; `back`: before a rollback."""
    command = f"drrun {'rollback' if back else 'resume'} {run}"
    dropped = f"{command} --yes --drop-kept" if back else f"{command} --drop-kept"

    def ask(kept: Sequence[KeptRequest]) -> bool:
        say(f"requests that were kept while nobody drove {run}:")
        for each in kept:
            say(clean_line(f"  {each.id}  {moment(each.at)} UTC, {each.by}: {each}"))
        if not (back or options["yes"] or options["drop_kept"]):
            _own_approvals(run, kept, settings.by, may_ask)
        wanting = [each for each in kept if each.wants_word(back=back)]
        if not wanting or options["yes"] or options["drop_kept"]:
            return not options["drop_kept"]
        if not may_ask:
            numbers = ", ".join(str(each.id) for each in wanting)
            raise InputError(
                f"request {numbers} would change the course of the run. Nothing was begun\n"
                f"do them: {command} --yes\n"
                f"continue without them: {dropped}\n"
                f"take one back: drrun withdraw {run} {wanting[0].id}"
            )
        choice = click.prompt(
            "(d)o them, (w)ithdraw those that change the course of the run, (q)uit",
            type=click.Choice(["d", "w", "q"]),
            show_choices=False,
            err=True,
        )
        if choice == "q":
            raise Refused(_AS_BEFORE)
        return bool(choice == "d")

    return ask

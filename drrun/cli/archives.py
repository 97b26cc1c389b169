"""`drrun export`, `import`, `prune`: whole runs that leave, come, and go."""

from pathlib import Path

import click

from drrun.cases.archive import export as write
from drrun.cases.archive import read_archive, take_in
from drrun.cases.experience import PROVING, is_experience
from drrun.cases.find import find_run
from drrun.cli.context import CommandContext, common_options
from drrun.cli.exit import Exit
from drrun.cli.out import give, say
from drrun.cli.run_list import history_lines
from drrun.cli.run_words import run_argument
from drrun.core.model.errors import InputError
from drrun.core.model.runbook import Mode
from drrun.core.model.status import ENDED, RunStatus
from drrun.core.model.values import Duration
from drrun.report.history_view import RunLine
from drrun.report.text.history import history_text
from drrun.report.text.sheet import plural


@click.command()
@run_argument
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to.")
@click.option(
    "--as-test",
    is_flag=True,
    help="As evidence of a test; refused for a dry-run or a run on stand-ins.",
)
@common_options
@click.pass_obj
def export(frame: CommandContext, run: str, output: Path | None, *, as_test: bool) -> None:
    """Write RUN into one archive: journal, outputs, runbook, inventory, evidence, hashes.

    `drrun verify-journal FILE` checks it anywhere; `drrun import FILE` takes it in elsewhere.
    """
    with frame.state() as records:
        found = find_run(records, run)
        record = next(each for each in records.journal.runs() if each.id == found)
        if as_test and not is_experience(records, record):
            proves = record.mode in PROVING
            was = "a run on stand-ins" if proves else f"a {record.mode}"
            raise InputError(f"{found} was {was}: it is not evidence of a test")
        path = output or Path(f"{found}.drrun.tar.gz")
        head = write(records, found, path)
    say(f"archive: {path}, mode {record.mode}, journal ends with {head}")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@common_options
@click.pass_obj
def import_(frame: CommandContext, file: Path) -> None:
    """Import the run from FILE, an archive of `drrun export`; only if nothing was altered."""
    archive = read_archive(file)
    with frame.state() as records:
        run = take_in(records, archive)
    say(f"{run} is here now: {len(archive.entries)} entries, the chain holds")


@click.command()
@click.option("--older-than", "age", required=True, metavar="DURATION", help="90d, by their end.")
@click.option("-y", "--yes", is_flag=True, help="Remove them; without it they are only listed.")
@common_options
@click.pass_obj
def prune(frame: CommandContext, age: str, *, yes: bool) -> None:
    """Remove runs that ended longer ago, with their outputs; first only list them.

    Never the last run of a runbook, nor its last that verified something, nor its last rehearsal,
    nor one that has not ended, or has findings or follow-ups and was not closed. That a run was
    there, and how its journal ended, is kept.
    """
    try:
        span = Duration.parse(age)
    except ValueError as error:
        raise InputError(f"--older-than: {error}") from None
    with frame.state() as records:
        now = records.clock.now()
        lines = list(history_lines(records))
        past = [line for line in _may_go(lines) if now - (line.ended_at or now) > span]
        work = records.shelf.with_work() if records.shelf else frozenset()
        old = [line for line in past if line.id not in work]
        if yes and records.shelf is not None:
            for line in old:
                records.shelf.remove(find_run(records, line.id), frame.settings().by, now)
    if old:
        give(history_text(old))
    if kept := len(past) - len(old):
        say(f"{plural(kept, 'run')} kept: people noted work there, and nobody ran drrun close")
    said = "removed" if yes else "would be removed; --yes does it"
    say(f"{len(old)} of {len(lines)} runs {said}")
    frame.code = Exit.DONE


def _may_go(lines: list[RunLine]) -> list[RunLine]:
    """Without the last of each runbook, its last that proves something, its last rehearsal."""
    kept: set[tuple[str, str]] = set()
    found = []
    for line in lines:
        proves = line.mode in PROVING and line.status is RunStatus.SUCCEEDED
        rehearsal = line.mode == str(Mode.REHEARSAL)
        roles = {(line.runbook, "last")}
        roles |= {(line.runbook, "proof")} if proves else set()
        roles |= {(line.runbook, "rehearsal")} if rehearsal else set()
        if roles <= kept and line.status in ENDED:
            found.append(line)
        kept |= roles
    return found

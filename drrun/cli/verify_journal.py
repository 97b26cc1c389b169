"""`drrun verify-journal`: is the record what was written?"""

from pathlib import Path

import click

from drrun.cases.archive import read_archive
from drrun.cases.find import find_run
from drrun.cases.output_integrity import refuse_altered
from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.out import give
from drrun.cli.run_words import run_argument
from drrun.core.model.errors import JournalDamaged
from drrun.report.jsondoc import document, dumps


@click.command("verify-journal")
@run_argument
@click.option(
    "--hash", "expected", metavar="HASH", help="Require this hash, noted earlier, in the chain."
)
@json_option
@common_options
@click.pass_obj
def verify_journal(
    frame: CommandContext, run: str, *, expected: str | None, as_json: bool
) -> None:
    """Check the hash chain of RUN; names what was altered or is missing (exit code 6).

    What steps printed is compared with the hashes that the chain holds. RUN may also be an
    archive that `drrun export` has written.
    """
    if Path(run).is_file():
        archive = read_archive(Path(run))
        found, head = archive.record.id, archive.head
        hashes = [entry.hash for entry in archive.entries]
    else:
        with frame.state() as records:
            found = find_run(records, run)
            head = records.journal.verify(found)
            hashes = [entry.hash for entry in records.journal.read(found)]
            refuse_altered(records, found)
    known = expected is None or any(each.startswith(expected) for each in hashes)
    if not known:
        raise JournalDamaged(
            f"the chain of {found} holds, but {expected} is not in it: "
            "the journal is not the one that this hash was noted from"
        )
    if as_json:
        give(dumps(document("journal", run=found, holds=True, entries=len(hashes), head=head)))
    else:
        give(f"{found}: {len(hashes)} entries, the chain holds, head {head}\n")

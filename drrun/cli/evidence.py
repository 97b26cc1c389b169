"""`drrun evidence`: the files that people gave, as they gave them."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from drrun.cases.find import find_run
from drrun.cases.read_run import ReadRun, known
from drrun.cli.context import CommandContext, common_options
from drrun.cli.out import give, sheet
from drrun.cli.run_words import run_argument
from drrun.core import events as ev
from drrun.core.model.errors import InputError
from drrun.report.table import Column, table
from drrun.report.text.sheet import join
from drrun.report.times import moment

_KEPT = re.compile(r"(?P<name>.*) \((?P<size>\d+) bytes, sha256 (?P<hash>[0-9a-f]{64})\)")
_SHAPE = (Column("given (UTC)"), Column("by"), Column("step"), Column("file"), Column("sha256"))


@click.command()
@run_argument
@click.argument("digest", metavar="[SHA256]", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Copy it.")
@common_options
@click.pass_obj
def evidence(frame: CommandContext, run: str, digest: str | None, output: Path | None) -> None:
    """List what people gave as evidence in RUN; with SHA256 (or its beginning), print the file."""
    with frame.state() as records:
        seen = known(records, find_run(records, run))
        found = list(_given(seen))
        if digest is None:
            page = sheet(sys.stdout)
            text = join(table(_SHAPE, [each[1] for each in found], page.width, page.ink))
            give(text if found else "nobody gave evidence in this run\n")
            return
        full = [sha for sha, _ in found if sha.startswith(digest)]
        if len(set(full)) != 1:
            raise InputError(f"no evidence of this run begins with {digest!r}")
        if records.evidence is None:
            raise InputError("evidence is not kept here")
        path = records.evidence.path(full[0])
        if output is None:
            give(f"{path}\n")
        else:
            shutil.copyfile(path, output)


def _given(seen: ReadRun) -> Iterator[tuple[str, list[str]]]:
    for fact in seen.facts:
        event = fact.event
        if not isinstance(event, ev.GateAnswered):
            continue
        match = _KEPT.fullmatch(str(event.input.get("evidence", "")))
        if match:
            row = [moment(fact.at), event.by, event.step, match["name"], match["hash"]]
            yield match["hash"], row

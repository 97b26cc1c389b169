"""`drrun events`: what was recorded; also while it happens."""

import threading
from collections.abc import Callable
from itertools import islice, takewhile

import click

from drrun.cases.find import find_run
from drrun.cases.kept_requests import kept_requests
from drrun.cases.sound import is_sound, news
from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.exit import Exit
from drrun.cli.out import give, say
from drrun.cli.run_words import run_argument
from drrun.core.integrity.chain import Head
from drrun.core.model.ids import RunId
from drrun.engine.records import Records
from drrun.ports.journal import Entry
from drrun.report.clean import clean_line
from drrun.report.damage import damage_lines, damage_text
from drrun.report.times import moment

#: Seconds between two looks while following.
_EVERY = 0.5
#: Entries that are printed in one go.
_AT_ONCE = 500


@click.command()
@run_argument
@click.option("-f", "--follow", is_flag=True, help="Follow until the run ends.")
@json_option
@common_options
@click.pass_obj
def events(frame: CommandContext, run: str, *, follow: bool, as_json: bool) -> None:
    """The journal of RUN, one entry a line; with --json as NDJSON.

    What is damaged is told first, on standard error (exit code 6); then all that can be read.
    """
    with frame.state() as records:
        found = find_run(records, run)
        checked = is_sound(records, found)
        if lines := damage_lines(found, checked.flaws):
            frame.code = Exit.DAMAGED
            say(damage_text(lines))
        shown = _ndjson if as_json else _plain
        left = records.journal.left(found)
        entries = takewhile(lambda each: lines or each.seq <= checked.sound.seq, left)
        kind = ""
        while some := list(islice(entries, _AT_ONCE)):
            give("".join(map(shown, some)))
            kind = some[-1].kind
        for kept in kept_requests(records, found):
            say(clean_line(f"kept, not done yet: {kept.id} {moment(kept.at)} {kept.by}: {kept}"))
        if follow and not lines:
            _follow(records, found, checked.sound, kind, shown)


def _follow(
    records: Records, run: RunId, last: Head, kind: str, shown: Callable[[Entry], str]
) -> None:
    """Print what comes behind `last`, an entry of a kind, until the run ends."""
    pause = threading.Event()
    while kind != "RunEnded":
        pause.wait(_EVERY)
        for entry in news(records, run, last):
            give(shown(entry))
            last, kind = Head(entry.seq, entry.hash), entry.kind


def _plain(entry: Entry) -> str:
    body = " ".join(f"{name}={value}" for name, value in entry.body.items() if value)
    plain = f"{entry.seq:>5} {moment(entry.at)} {entry.actor} {entry.kind} {body}"
    return f"{clean_line(plain)}\n"


def _ndjson(entry: Entry) -> str:
    from drrun.report.jsondoc import dumps_line
    from drrun.report.jsondoc.runs import entry_json

    return dumps_line(entry_json(entry))

"""`drrun events`: what was recorded; also while it happens."""

import threading
from itertools import islice

import click

from drrun.cli.frame import Frame, common_options, json_option, run_argument
from drrun.cli.out import give
from drrun.engine.cases.find import find_run
from drrun.engine.ports import Entry
from drrun.report.clean import clean_line
from drrun.report.times import moment

#: Seconds between two looks while following.
_EVERY = 0.5
#: Entries that are printed in one go.
_AT_ONCE = 500


@click.command()
@run_argument
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@json_option
@common_options
@click.pass_obj
def events(frame: Frame, run: str, *, follow: bool, as_json: bool) -> None:
    """The journal of RUN, one entry a line; with --json as NDJSON."""
    pause = threading.Event()
    with frame.state() as records:
        found, last, ended = find_run(records, run), 0, False
        while True:
            entries = records.journal.read(found, last)
            while some := list(islice(entries, _AT_ONCE)):
                give("".join(map(_ndjson if as_json else _plain, some)))
                last, ended = some[-1].seq, some[-1].kind == "RunEnded"
            if not follow or ended:
                return
            pause.wait(_EVERY)


def _plain(entry: Entry) -> str:
    body = " ".join(f"{name}={value}" for name, value in entry.body.items() if value)
    plain = f"{entry.seq:>5} {moment(entry.at)} {entry.actor} {entry.kind} {body}"
    return f"{clean_line(plain)}\n"


def _ndjson(entry: Entry) -> str:
    from drrun.report.jsondoc import dumps_line
    from drrun.report.jsondoc.runs import entry_json

    return dumps_line(entry_json(entry))

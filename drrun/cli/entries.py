"""`drrun events`: what was recorded; also while it happens."""

import threading

import click

from drrun.cli.frame import Frame, common_options, json_option, run_argument
from drrun.cli.out import give
from drrun.engine.cases.find import find_run
from drrun.engine.ports import Entry
from drrun.report.clean import clean_line
from drrun.report.times import moment

#: Seconds between two looks while following.
_EVERY = 0.5


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
            for entry in records.journal.read(found, last):
                last, ended = entry.seq, entry.kind == "RunEnded"
                body = " ".join(f"{name}={value}" for name, value in entry.body.items() if value)
                plain = f"{entry.seq:>5} {moment(entry.at)} {entry.actor} {entry.kind} {body}"
                give(_ndjson(entry) if as_json else f"{clean_line(plain)}\n")
            if not follow or ended:
                return
            pause.wait(_EVERY)


def _ndjson(entry: Entry) -> str:
    from drrun.report.jsondoc import dumps_line
    from drrun.report.jsondoc.runs import entry_json

    return dumps_line(entry_json(entry))

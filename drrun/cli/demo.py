"""`drrun demo`: a migration over real SSH on this machine, to see what drrun does."""

import click

from drrun.cases.start import Options, start
from drrun.cli.context import CommandContext, common_options
from drrun.cli.out import say
from drrun.cli.run_screen import Showing, perform
from drrun.demo.story import demonstration
from drrun.wiring import SshSettings, equipper

#: Seconds that the demonstration's people have for an answer.
_LINGER = 60.0

_BEFORE = """\
On 11 January 2024 SourceHut lost Philadelphia and moved to Amsterdam. Here its hosts are folders
behind real SSH servers on this machine; nothing outside of them is touched. Gates are answered by
the demonstration, which says so in the record. It takes about half a minute.
"""
_AFTER = """
Look at what was recorded:
  drrun status latest           the run
  drrun show latest STEP        every attempt of a step, what was asked and seen
  drrun logs latest STEP        what it printed
  drrun verify-journal latest   nothing was altered
"""


@click.command()
@click.option("--plain", is_flag=True, help="One line for each change, no live view.")
@common_options
@click.pass_obj
def demo(frame: CommandContext, *, plain: bool) -> None:
    """Migrate SourceHut from Philadelphia to Amsterdam over real SSH on this machine.

    No root, no servers to install, nothing outside of a temporary folder is touched. The run is
    a rehearsal in your history.
    """
    settings = frame.settings()
    say(_BEFORE)
    with demonstration() as world, frame.state() as records:
        options = Options(by=settings.by, linger=_LINGER)
        session = start(records, equipper(SshSettings()), world.loaded, options)
        world.attend(session, records.inbox, records.clock)
        showing = Showing(settings.by, settings.log, interactive=False, plain=plain)
        frame.code = perform(records, session, showing)
    say(_AFTER)

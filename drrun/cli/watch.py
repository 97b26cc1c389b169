"""`drrun watch`: a screen on a run, from any terminal."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from drrun.cases.read_run import fact_of
from drrun.cases.send_request import act
from drrun.cases.sound import news
from drrun.cli.act import command
from drrun.cli.context import CommandContext, common_options, run_argument
from drrun.cli.out import can_draw, wants_colour
from drrun.cli.run_views import glance
from drrun.core.integrity.chain import Head
from drrun.core.model.errors import InputError, RunDamaged
from drrun.core.model.ids import RunId, StepId
from drrun.core.state.run_state import RunState
from drrun.engine.records import Records
from drrun.engine.run_clock import now_of
from drrun.ports.journal import RequestAnswer
from drrun.report.clean import clean_bytes
from drrun.report.facts import Fact
from drrun.term.feed import Feed
from drrun.term.keys import Keyboard
from drrun.term.watch import Watch

#: Bytes of output that are looked at for its last lines.
_END = 8192


@click.command()
@run_argument
@click.option("--exit", "leaves", is_flag=True, help="Leave once the run has ended.")
@common_options
@click.pass_obj
def watch(frame: CommandContext, /, run: str, *, leaves: bool) -> None:
    """Watch RUN on this terminal, and act on it with keys; `?` shows them.

    It only reads and asks: leaving it, or killing it, does nothing to the run.
    """
    if not can_draw(sys.stdout) or not sys.stdin.isatty():
        raise InputError("watch needs a terminal; without one: drrun events RUN --follow")
    with frame.state() as records:
        seen = glance(records, run)
        if seen.damage:
            raise RunDamaged(seen.run, seen.damage)
        source = _Journal(records, seen.run, frame.settings().by, seen.state)
        source.last = Head(seen.about.seq, seen.about.hash)
        feed = Feed()
        from drrun.term.screen import TerminalScreen

        screen = TerminalScreen(sys.stdout, colour=wants_colour(sys.stdout))
        first = _first(seen.state)
        Watch(seen.run, seen.state, source, screen, feed, first, leaves).play(
            Keyboard(feed, raw=True)
        )


def _first(state: RunState) -> StepId:
    """What is worth looking at: what asks, else what runs, else the beginning."""
    asking = [key.step for key in state.active if state.targets[key].gate is not None]
    return next(iter([*asking, *(key.step for key in state.active), state.plan.order[0]]))


class _Journal:
    """A run as it is kept. A `Source`."""

    def __init__(self, records: Records, run: RunId, by: str, state: RunState) -> None:
        self.last = Head(0, "")
        self._records = records
        self._run = run
        self._by = by
        self._state = state

    def news(self) -> Sequence[Fact]:
        found = [fact_of(entry) for entry in news(self._records, self._run, self.last)]
        self.last = Head(found[-1].seq, found[-1].hash) if found else self.last
        return found

    def tail(self, step: StepId, lines: int) -> Sequence[str]:
        for key in self._state.keys(step):
            attempt = self._state.targets[key].attempt
            for stream in ("stdout", "stderr"):
                kept = self._records.spool.kept(self._run, step, key.target, attempt, stream)
                found = clean_bytes(kept.tail(_END)).splitlines() if attempt else []
                if found:
                    return found[-lines:]
        return ()

    def post(self, kind: str, body: dict[str, Any]) -> RequestAnswer:
        return act(self._records, self._run, command(kind, body), self._by)

    def now(self) -> float:
        return now_of(self._state.time, self._records.clock)

"""`drrun watch`: a screen on a run, from any terminal."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from drrun.cases.kept_requests import kept_requests
from drrun.cases.read_run import fact_of
from drrun.cases.send_request import act
from drrun.cases.sound import news
from drrun.cli.act import command
from drrun.cli.context import CommandContext, common_options
from drrun.cli.out import can_draw, wants_colour
from drrun.cli.outputs import STREAMS
from drrun.cli.run_views import glance
from drrun.cli.run_words import run_argument
from drrun.core.integrity.chain import Head
from drrun.core.model.errors import InputError, RunDamaged
from drrun.core.model.ids import RunId, StepId, TargetKey
from drrun.core.state.run_state import RunState
from drrun.engine.records import Records
from drrun.engine.run_clock import now_of
from drrun.ports.journal import RequestAnswer
from drrun.report.clean import clean, clean_bytes, clean_line
from drrun.report.facts import Fact
from drrun.report.run_view import asks_of
from drrun.report.step_view import step_view
from drrun.report.text.attention import WRONG, whom_it_asks
from drrun.report.text.run import answers_to
from drrun.report.text.step import step_text
from drrun.report.text.watches import listed
from drrun.term.feed import Feed
from drrun.term.keys import Keyboard
from drrun.term.watch import Watch

#: Bytes of output that are looked at for its last lines, and how many lines.
_END = 32768
_LINES = 200


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
        by = frame.settings().by
        source = _Journal(records, seen.run, by, seen.state)
        source.last = Head(seen.about.seq, seen.about.hash)
        feed = Feed()
        from drrun.term.screen import TerminalScreen

        screen = TerminalScreen(sys.stdout, colour=wants_colour(sys.stdout))
        first = _first(seen.state)
        Watch(seen.run, by, seen.state, source, screen, feed, first, leaves).play(
            Keyboard(feed, raw=True)
        )


def _first(state: RunState) -> StepId:
    """What is worth looking at: what needs a person, else what runs, else the beginning."""
    return next(iter(listed(state)))


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

    def driven(self) -> bool:
        return self._records.leases.holder(self._run) is not None

    def kept(self) -> int:
        return len(kept_requests(self._records, self._run))

    def tail(self, step: StepId, lines: int) -> Sequence[str]:
        failed = self._state.step(step) in WRONG
        streams = ("stderr", "stdout") if failed else ("stdout", "stderr")
        for key in self._worst_first(step):
            attempt = self._state.targets[key].attempt
            for stream in streams:
                if found := self._end(key, attempt, stream):
                    return found[-lines:]
        return ()

    def page(self, step: StepId) -> Sequence[str]:
        facts = (fact_of(each) for each in self._records.journal.read_steps(self._run, [step]))
        seen = (fact for fact in facts if fact.seq <= self.last.seq)
        view = step_view(self._state, seen, step)
        targets = {each.target: each for each in view.targets}
        worst = [targets[key.target] for key in self._worst_first(step) if key.target in targets]
        newest = tuple(replace(each, attempts=each.attempts[-1:]) for each in worst)
        printed = {
            (each.target, attempt.number): {
                stream: list(found)
                for stream in STREAMS
                if (found := self._end(TargetKey(step, each.target), attempt.number, stream))
            }
            for each in newest
            for attempt in each.attempts
        }
        lines = step_text(replace(view, targets=newest), printed).splitlines()
        earlier = sum(len(each.attempts) - 1 for each in view.targets if each.attempts)
        more = f"{earlier} earlier attempts" if earlier else "all"
        return [
            lines[0],
            *self._asked(step),
            *lines[1:],
            "",
            f"{more}: drrun show {self._run} {step}",
        ]

    def _asked(self, step: StepId) -> Iterator[str]:
        """What a step asks now, in full, and how it is answered."""
        for ask in asks_of(self._state):
            if ask.step == step:
                yield from ("", f"{ask.key} asks {whom_it_asks(ask)}:")
                yield from (f"  {line}" for line in clean(ask.text).rstrip().splitlines())
                yield from (f"  {clean_line(line)}" for line in answers_to(ask, self._run))
                yield ""

    def _worst_first(self, step: StepId) -> list[TargetKey]:
        keys = list(self._state.keys(step))
        return sorted(keys, key=lambda key: self._state.targets[key].status not in WRONG)

    def _end(self, key: TargetKey, attempt: int, stream: str) -> Sequence[str]:
        if not attempt:
            return ()
        kept = self._records.spool.kept(self._run, key.step, key.target, attempt, stream)
        return clean_bytes(kept.tail(_END)).splitlines()[-_LINES:]

    def post(self, kind: str, body: dict[str, Any]) -> RequestAnswer:
        return act(self._records, self._run, command(kind, body), self._by)

    def now(self) -> float:
        return now_of(self._state.time, self._records.clock)

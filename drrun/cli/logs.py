"""`drrun logs`: what was printed; also while it happens."""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from heapq import merge
from itertools import chain, repeat

import click

from drrun.cases.read_run import RunReading
from drrun.cases.sound import news
from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.out import give, give_bytes, say
from drrun.cli.outputs import STREAMS, OutputLine, lines_of, split_target
from drrun.cli.run_views import damage_of, facts_of_steps, glance, tell_damage
from drrun.cli.run_words import complete_step, run_argument
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import Head
from drrun.core.model.errors import InputError
from drrun.core.model.ids import TargetKey
from drrun.core.model.status import FINAL, Status
from drrun.engine.records import Records
from drrun.ports.places import StoredStream
from drrun.report.clean import clean_line
from drrun.report.damage import damage_text
from drrun.report.jsondoc import at, document, dumps
from drrun.report.step_view import AttemptStory, step_view
from drrun.report.times import moment

#: Seconds between two looks while following.
_EVERY = 0.5
#: Options of which the first goes with none of the others.
_APART = (
    ("raw", "timestamps", "grep", "as_json", "follow"),
    ("as_json", "follow"),
    ("failed", "attempt", "follow"),
)


@dataclass(frozen=True, slots=True)
class _Wish:
    """Which outputs are wanted, and how."""

    #: `STEP` or `STEP@TARGET` each.
    steps: tuple[str, ...]
    #: None: the last one.
    attempt: int | None
    streams: tuple[str, ...]
    timestamps: bool
    #: None: every line.
    grep: re.Pattern[str] | None = None
    #: All attempts of the run are searched; each line says whose it is.
    whole: bool = False

    def wants(self, line: OutputLine) -> bool:
        """Whether a line is wanted."""
        return self.grep is None or self.grep.search(line.text) is not None

    def shown(self, stream: str, line: OutputLine) -> str:
        """A line as it is printed; "" for one that is not wanted."""
        if not self.wants(line):
            return ""
        when = moment(line.came) if line.came is not None else ""
        return f"{f'{when:19} ' if self.timestamps else ''}{stream[3:]}| {line.text}\n"


@click.command()
@run_argument
@click.argument("step", metavar="[STEP[@TARGET]]", required=False, shell_complete=complete_step)
@click.option("--failed", is_flag=True, help="Of every step that failed or is unknown.")
@click.option("--stdout", is_flag=True, help="Standard output only.")
@click.option("--stderr", is_flag=True, help="Standard error only.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Default: the last one.")
@click.option("--grep", metavar="REGEX", help="Only lines in which this occurs.")
@click.option(
    "-t",
    "--timestamps",
    is_flag=True,
    help="When each line came (UTC), both streams in the order of time.",
)
@click.option("-f", "--follow", is_flag=True, help="Follow until the attempt ends.")
@click.option("--raw", is_flag=True, help="The stored bytes, without marks, not cleaned.")
@json_option
@common_options
@click.pass_obj
def logs(frame: CommandContext, /, run: str, step: str | None, **options: object) -> None:
    """Show what STEP printed in RUN; with --grep and no STEP, search the whole run.

    Lines are marked `out| ` and `err| `; control characters are shown, not obeyed.
    """
    with frame.state() as records:
        seen = glance(records, run)
        lines = tell_damage(frame, seen)
        if lines:
            say(damage_text(lines))
        wish = _wish(seen, step, options)
        if options["as_json"]:
            give(dumps(_json(records, seen, step, wish)))
        elif options["follow"]:
            _follow(records, seen, wish)
        elif options["raw"]:
            _raw(records, seen, wish)
        else:
            _print(records, seen, wish)


def _wish(seen: RunReading, step: str | None, options: Mapping[str, object]) -> _Wish:
    attempt = options["attempt"]
    whole = not step and not options["failed"] and bool(options["grep"])
    if not whole and bool(step) == bool(options["failed"]):
        raise InputError(
            f"say a step of {seen.run}, or --failed, or --grep REGEX to search the whole run. "
            f"Its steps: drrun status {seen.run}"
        )
    if whole and (options["follow"] or attempt):
        raise InputError(f"say which step: drrun logs {seen.run} STEP")
    for one, *others in _APART:
        for other in others:
            if options[one] and options[other]:
                names = [each.replace("as_json", "json") for each in (one, other)]
                raise InputError(f"--{names[0]} and --{names[1]} cannot be used together")
    steps = _begun(seen) if whole else _failed(seen)
    if not step and not steps:
        say(f"{seen.run}: no step {'began' if whole else 'failed'}")
    return _Wish(
        (step,) if step else steps,
        attempt if isinstance(attempt, int) else None,
        tuple(each for each in STREAMS if options[each]) or STREAMS,
        bool(options["timestamps"]) or whole,
        _pattern(options["grep"]),
        whole,
    )


def _begun(seen: RunReading) -> tuple[str, ...]:
    return tuple(str(key) for key, target in seen.state.targets.items() if target.attempt)


def _failed(seen: RunReading) -> tuple[str, ...]:
    return tuple(
        str(key)
        for key, target in seen.state.targets.items()
        if target.status in {Status.FAILED, Status.UNKNOWN, Status.REGRESSED} and target.attempt
    )


def _pattern(text: object) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        return re.compile(str(text))
    except re.error as error:
        raise InputError(f"--grep {text}: {error}") from None


def _attempts(
    records: Records, seen: RunReading, wish: _Wish
) -> Iterator[tuple[TargetKey, AttemptStory]]:
    """The attempts that are meant: of each target the one wanted.

    Raises:
        InputError: No target of a step has such an attempt.
    """
    wanted = [(text, *split_target(seen.state, text)) for text in wish.steps]
    facts = facts_of_steps(records, seen, {step for _, step, _ in wanted})
    for text, step, target in wanted:
        view = step_view(seen.state, facts[step], step, target)
        found = False
        for story in view.targets:
            for attempt in story.attempts:
                if wish.whole or attempt.number == (wish.attempt or len(story.attempts)):
                    found = True
                    yield TargetKey(step, story.target), attempt
        if not found and wish.attempt:
            raise InputError(f"{text} has no attempt {wish.attempt}: drrun show {seen.run} {text}")
        if not found:
            say(f"{text} is {view.status}: nothing was executed yet")


def _raw(records: Records, seen: RunReading, wish: _Wish) -> None:
    for key, attempt in _attempts(records, seen, wish):
        _head(key, attempt)
        for stream in wish.streams:
            for chunk in _kept(records, seen, key, attempt.number, stream).chunks():
                give_bytes(chunk)


def _print(records: Records, seen: RunReading, wish: _Wish) -> None:
    if wish.whole:
        _search(records, seen, wish)
        return
    for key, attempt in _attempts(records, seen, wish):
        _head(key, attempt)
        for stream, line in _lines(records, seen, key, attempt, wish):
            give(wish.shown(stream, line))


def _search(records: Records, seen: RunReading, wish: _Wish) -> None:
    """Lines of all attempts, in the order in which these began."""
    attempts = sorted(_attempts(records, seen, wish), key=lambda each: each[1].began_at)
    found = False
    for key, attempt in attempts:
        for stream, line in _lines(records, seen, key, attempt, wish):
            if wish.wants(line):
                found = True
                when = moment(line.came if line.came is not None else attempt.began_at)
                give(f"{when} {clean_line(str(key))} {stream[3:]}| {line.text}\n")
    if not found:
        say(f"{seen.run}: no step printed such a line")


def _head(key: TargetKey, attempt: AttemptStory) -> None:
    undo = " (undo)" if attempt.undo else ""
    say(clean_line(f"{key} attempt {attempt.number}{undo}: {attempt.ending or 'still running'}"))


def _kept(
    records: Records, seen: RunReading, key: TargetKey, attempt: int, stream: str
) -> StoredStream:
    return records.spool.kept(seen.run, key.step, key.target, attempt, stream)


def _lines(
    records: Records, seen: RunReading, key: TargetKey, attempt: AttemptStory, wish: _Wish
) -> Iterator[tuple[str, OutputLine]]:
    """What an attempt printed: one stream after the other, or both by time."""
    streams = [
        zip(
            repeat(stream),
            lines_of(_kept(records, seen, key, attempt.number, stream).pieces()),
            strict=False,  # the name of a stream, for as long as there are lines
        )
        for stream in wish.streams
    ]
    return _in_order(streams, wish, attempt.began_at)


def _in_order(
    streams: Iterable[Iterator[tuple[str, OutputLine]]], wish: _Wish, before: float
) -> Iterator[tuple[str, OutputLine]]:
    """One stream after the other, or all by time; without one a line came at `before`."""
    if not wish.timestamps:
        return chain.from_iterable(streams)
    return merge(*map(_dated, streams), key=lambda each: each[1].came or before)


def _dated(lines: Iterator[tuple[str, OutputLine]]) -> Iterator[tuple[str, OutputLine]]:
    """Lines that all have a time: one without has that of the line before."""
    last: float | None = None
    for stream, line in lines:
        last = line.came if line.came is not None else last
        yield stream, replace(line, came=last)


def _json(records: Records, seen: RunReading, step: str | None, wish: _Wish) -> object:
    r"""`logs`: kept output as text; bytes that are no UTF-8 are escaped as `\xff`."""
    return document(
        "logs",
        run=seen.run,
        damage=list(damage_of(seen)),
        step=split_target(seen.state, step)[0] if step else None,
        attempts=[
            {
                "step": key.step,
                "target": key.target,
                "attempt": attempt.number,
                "undo": attempt.undo,
                "began_at": at(attempt.began_at),
                "ending": attempt.ending or None,
                "output": dict(attempt.output),
                **_printed(records, seen, key, attempt, wish),
            }
            for key, attempt in _attempts(records, seen, wish)
        ],
    )


def _printed(
    records: Records, seen: RunReading, key: TargetKey, attempt: AttemptStory, wish: _Wish
) -> Mapping[str, object]:
    """The streams as they are, or the lines that are wanted."""
    if not wish.timestamps and not wish.grep:
        return {
            stream: b"".join(_kept(records, seen, key, attempt.number, stream).chunks()).decode(
                "utf-8", "backslashreplace"
            )
            for stream in wish.streams
        }
    lines = [
        {"at": at(line.came), "stream": stream, "text": line.text}
        for stream, line in _lines(records, seen, key, attempt, wish)
        if wish.wants(line)
    ]
    return {"lines": lines}


def _follow(records: Records, seen: RunReading, wish: _Wish) -> None:
    """Print what comes until the step has ended, or nobody drives the run any more."""
    step, target = split_target(seen.state, wish.steps[0])
    follower = _Follower(records, seen, wish)
    last = Head(seen.about.seq, seen.about.hash)
    pause = threading.Event()
    while True:
        keys = [key for key in seen.state.keys(step) if target in (None, key.target)]
        left = records.leases.holder(seen.run) is None
        left = left or bool(seen.damage)  # nobody can go on with it
        ended = all(_over(seen, key, wish) for key in keys)
        for key in keys:
            follower.show(key, whole=ended or left)
        if ended or left:
            if not ended:
                say(f"nobody drives {seen.run} now; continue with: drrun resume {seen.run}")
            return
        pause.wait(_EVERY)
        for entry in news(records, seen.run, last):
            seen.state.apply(ev.event_of(entry.kind, entry.body), entry.at)
            last = Head(entry.seq, entry.hash)


class _Follower:
    """Knows what of each stream was shown."""

    def __init__(self, records: Records, seen: RunReading, wish: _Wish) -> None:
        self._records, self._seen, self._wish = records, seen, wish
        self._shown: dict[tuple[TargetKey, int, str], int] = {}
        self._last: tuple[TargetKey, int] | None = None

    def show(self, key: TargetKey, *, whole: bool) -> None:
        """Print what came of a target; a line that is not complete waits, if this is not all."""
        number = self._wish.attempt or self._seen.state.targets[key].attempt
        streams = [self._fresh(key, number, stream, whole=whole) for stream in self._wish.streams]
        for stream, line in _in_order(streams, self._wish, 0.0):
            if text := self._wish.shown(stream, line):
                if self._last != (key, number):
                    say(clean_line(f"{key} attempt {number}:"))
                    self._last = key, number
                give(text)

    def _fresh(
        self, key: TargetKey, number: int, stream: str, *, whole: bool
    ) -> Iterator[tuple[str, OutputLine]]:
        place = key, number, stream
        kept = _kept(self._records, self._seen, key, number, stream)
        for line in lines_of(kept.pieces(self._shown.get(place, 0))):
            if not line.whole and not whole:
                return
            self._shown[place] = line.end
            yield stream, line


def _over(seen: RunReading, key: TargetKey, wish: _Wish) -> bool:
    target = seen.state.targets[key]
    return target.status in FINAL or bool(wish.attempt and target.attempt > wish.attempt)

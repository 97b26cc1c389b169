"""`drrun logs`: what was printed; also while it happens."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import click

from drrun.cli.frame import Frame, common_options, json_option, run_argument
from drrun.cli.out import give, give_bytes, say
from drrun.cli.outputs import STREAMS, marked_lines, split_target
from drrun.cli.seen import facts_of, find
from drrun.core import events as ev
from drrun.core.errors import InputError
from drrun.core.state import Key
from drrun.core.status import FINAL
from drrun.engine.cases.look import Known
from drrun.engine.ports import Kept
from drrun.engine.records import Records
from drrun.report.clean import clean_line
from drrun.report.jsondoc import at, document, dumps
from drrun.report.step_view import AttemptStory, step_view

#: Seconds between two looks while following.
_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class _Wish:
    """Which outputs are wanted."""

    #: None: the last one.
    attempt: int | None
    streams: tuple[str, ...]
    #: None: every line.
    grep: re.Pattern[str] | None = None

    def shows(self, line: str) -> bool:
        """Whether a line is wanted."""
        return self.grep is None or self.grep.search(line) is not None


@click.command()
@run_argument
@click.argument("step", metavar="STEP[@TARGET]")
@click.option("--stdout", "stream", flag_value="stdout", help="Standard output only.")
@click.option("--stderr", "stream", flag_value="stderr", help="Standard error only.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Default: the last one.")
@click.option("--grep", metavar="REGEX", help="Only lines in which this occurs.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the attempt ends.")
@click.option("--raw", is_flag=True, help="The bytes as they were kept, unmarked, not cleaned.")
@json_option
@common_options
@click.pass_obj
def logs(frame: Frame, /, run: str, step: str, **options: object) -> None:
    """What STEP printed in RUN.

    Lines are marked `out| ` and `err| `; control characters are shown, not obeyed.
    """
    stream, attempt = options["stream"], options["attempt"]
    wish = _Wish(
        attempt if isinstance(attempt, int) else None,
        (str(stream),) if stream else STREAMS,
        _pattern(options["grep"]),
    )
    with frame.state() as records:
        seen = find(records, run)
        if options["as_json"]:
            give(dumps(_json(records, seen, step, wish)))
        elif options["follow"]:
            _follow(records, seen, step, wish)
        else:
            _print(records, seen, step, wish, raw=bool(options["raw"]))


def _pattern(text: object) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        return re.compile(str(text))
    except re.error as error:
        raise InputError(f"--grep {text}: {error}") from None


def _attempts(seen: Known, text: str, wish: _Wish) -> Iterator[tuple[Key, AttemptStory]]:
    """The attempts that are meant: of each target the one wanted.

    Raises:
        InputError: No target has such an attempt.
    """
    step, target = split_target(seen.state, text)
    view = step_view(seen.state, facts_of(seen), step, target)
    found = False
    for story in view.targets:
        for attempt in story.attempts:
            if attempt.number == (wish.attempt or len(story.attempts)):
                found = True
                yield Key(step, story.target), attempt
    if not found and wish.attempt:
        raise InputError(f"{text} has no attempt {wish.attempt}: drrun show {seen.run} {text}")
    if not found:
        say(f"{text} is {view.status}: nothing was executed yet")


def _print(records: Records, seen: Known, step: str, wish: _Wish, *, raw: bool) -> None:
    for key, attempt in _attempts(seen, step, wish):
        say(clean_line(f"{key} attempt {attempt.number}: {attempt.ending or 'goes on'}"))
        for stream in wish.streams:
            kept = records.spool.kept(seen.run, key.step, key.target, attempt.number, stream)
            if raw:
                for chunk in kept.chunks():
                    give_bytes(chunk)
            else:
                for line in marked_lines(f"{stream[3:]}| ", kept.chunks()):
                    if wish.shows(line):
                        give(line)


def _json(records: Records, seen: Known, step: str, wish: _Wish) -> object:
    r"""`logs`: kept output as text; bytes that are no UTF-8 are escaped as `\xff`."""
    return document(
        "logs",
        run=seen.run,
        step=split_target(seen.state, step)[0],
        attempts=[
            {
                "target": key.target,
                "attempt": attempt.number,
                "began_at": at(attempt.began_at),
                "ending": attempt.ending or None,
                "output": dict(attempt.output),
                **{
                    stream: b"".join(
                        records.spool.kept(
                            seen.run, key.step, key.target, attempt.number, stream
                        ).chunks()
                    ).decode("utf-8", "backslashreplace")
                    for stream in wish.streams
                },
            }
            for key, attempt in _attempts(seen, step, wish)
        ],
    )


def _follow(records: Records, seen: Known, step: str, wish: _Wish) -> None:
    """Print what comes until the target's attempt ends, or nobody drives the run any more."""
    followed = [(key, attempt.number) for key, attempt in _attempts(seen, step, wish)]
    shown: dict[tuple[Key, int, str], int] = {}
    last = seen.told[-1].entry.seq if seen.told else 0
    pause = threading.Event()
    while True:
        ended = all(_over(seen, key, number) for key, number in followed)
        left = records.leases.holder(seen.run) is None
        for key, number in followed:
            for stream in wish.streams:
                kept = records.spool.kept(seen.run, key.step, key.target, number, stream)
                place = (key, number, stream)
                before = shown.get(place, 0)
                shown[place] = _print_more(kept, wish, place, before, whole=ended or left)
        if ended or left:
            if left and not ended:
                say(f"nobody drives {seen.run} now; go on with: drrun resume {seen.run}")
            return
        pause.wait(_EVERY)
        for entry in records.journal.read(seen.run, last):
            seen.state.apply(ev.event_of(entry.kind, entry.body), entry.at)
            last = entry.seq


def _over(seen: Known, key: Key, number: int) -> bool:
    target = seen.state.targets[key]
    return target.status in FINAL or target.attempt != number


def _print_more(
    kept: Kept, wish: _Wish, place: tuple[Key, int, str], shown: int, *, whole: bool
) -> int:
    """Print what came since `shown` bytes; how many are shown now.

    A line that is not complete waits, unless this is the `whole` of it.
    """
    fresh = kept.size() - shown
    if fresh <= 0:
        return shown
    more = kept.tail(fresh)
    if not whole:
        more = more[: more.rfind(b"\n") + 1]
    for line in marked_lines(f"{place[2][3:]}| ", iter((more,))):
        if wish.shows(line):
            give(line)
    return shown + len(more)

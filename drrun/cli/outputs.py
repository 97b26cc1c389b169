"""What steps printed, from the spool to the terminal.

Rules:
- It was written by somebody else: cleaned, and every line marked, so that it cannot pass for ours
  (contract guarantee 12).
"""

from collections.abc import Iterable, Iterator, Mapping

from drrun.cases.read_run import ReadRun
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.nearest import did_you_mean
from drrun.core.state.run_state import RunState
from drrun.engine.records import Records
from drrun.ports.places import StoredStream, StreamPiece
from drrun.report.clean import clean_bytes, clean_line
from drrun.report.step_view import StepView
from drrun.report.text.step import Excerpts

STREAMS = ("stdout", "stderr")
#: Bytes looked at, and lines shown, of the beginning and of the end of a stream.
_BYTES = 4096
_LINES = 8


def split_target(state: RunState, text: str) -> tuple[StepId, TargetName | None]:
    """Read `STEP` or `STEP@TARGET`.

    Raises:
        InputError: There is no such step, or it has no such target.
    """
    name, at, target = text.partition("@")
    step = StepId(name)
    if step not in state.plan.steps:
        raise InputError(f"there is no step {name!r}{did_you_mean(name, state.plan.steps)}")
    targets = [str(key.target) for key in state.keys(step)]
    if at and target not in targets:
        raise InputError(f"step {name} has no target {target!r}{did_you_mean(target, targets)}")
    return step, TargetName(target) if at else None


def excerpts_of(records: Records, run: RunId, view: StepView) -> Excerpts:
    """Beginning and end of what every attempt printed."""
    found: dict[tuple[TargetName, int], dict[str, list[str]]] = {}
    for target in view.targets:
        for attempt in target.attempts:
            streams = {
                stream: _excerpt(
                    records.spool.kept(run, view.id, target.target, attempt.number, stream)
                )
                for stream in STREAMS
            }
            found[target.target, attempt.number] = {
                stream: lines for stream, lines in streams.items() if lines
            }
    return found


def _excerpt(kept: StoredStream) -> list[str]:
    size = kept.size()
    if size <= 2 * _BYTES:
        lines = clean_bytes(b"".join(kept.chunks())).splitlines()
        if len(lines) <= 2 * _LINES:
            return lines
        hidden = f"… {len(lines) - 2 * _LINES} more lines: drrun logs"
        return [*lines[:_LINES], hidden, *lines[-_LINES:]]
    head = clean_bytes(kept.head(_BYTES)).splitlines()[:_LINES]
    tail = clean_bytes(kept.tail(_BYTES)).splitlines()[1:][-_LINES:]
    return [*head, f"… {size} bytes in all: drrun logs", *tail]


def printed_by(records: Records, seen: ReadRun) -> Mapping[tuple[str, str, int], list[str]]:
    """What each attempt that has ended printed, cleaned; its note where that was nothing."""
    found = {}
    for event in (fact.event for fact in seen.facts):
        if isinstance(event, ev.AttemptEnded):
            kept = records.spool.kept(
                seen.run, event.key.step, event.key.target, event.attempt, "stdout"
            )
            lines = clean_bytes(b"".join(kept.chunks())).splitlines()
            told = lines or [note for note in [clean_line(event.note)] if note]
            found[event.step, event.target, event.attempt] = told
    return found


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line that a step printed, cleaned; or the next part of one that grew too long."""

    text: str
    #: Seconds since the epoch at which its beginning came; None: not known.
    came: float | None
    #: Bytes of the stream up to its end.
    end: int
    #: False for what may still go on.
    whole: bool = True


def lines_of(pieces: Iterable[StreamPiece]) -> Iterator[OutputLine]:
    """The lines of a stream, one after another."""
    rest = b""
    came, end = None, 0
    for piece in pieces:
        came = came if rest else piece.came
        *whole, rest = (rest + piece.data).split(b"\n")
        end = piece.end - len(rest) - sum(len(line) + 1 for line in whole)
        for line in whole:
            end += len(line) + 1
            yield OutputLine(clean_bytes(line.removesuffix(b"\r")), came, end)
            came = piece.came
        while len(rest) > _LONGEST:
            end += _LONGEST
            yield OutputLine(clean_bytes(rest[:_LONGEST]), came, end)
            came, rest = piece.came, rest[_LONGEST:]
    if rest:
        yield OutputLine(clean_bytes(rest), came, end + len(rest), whole=False)


#: Bytes of a line before it is broken: a gigabyte without a newline must not fill the memory.
_LONGEST = 65536

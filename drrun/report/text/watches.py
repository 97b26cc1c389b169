"""The screen of `watch`: what needs a person, all steps, one of them in detail.

Rules:
- It fits into the width and height that it is given; 60x12 is enough to work with. Where a list
  goes on is said.
- A wide screen has the steps at the left and the selected one at the right.
- Everything that comes from elsewhere is cleaned, and stands behind our own words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.model.status import GOOD, Status
from drrun.core.state.run_state import RunState
from drrun.report.clean import clean_line, columns, fit
from drrun.report.ink import Style, style_of
from drrun.report.run_view import (
    MOVING,
    StepLine,
    WaitingGate,
    asks_of,
    step_line,
    without_controller,
)
from drrun.report.text.attention import asks_me, attention_rows, attention_steps, whom_it_asks
from drrun.report.text.board import BoardHead, head_rows, services_rows
from drrun.report.text.run import who_approved, whom_to_call
from drrun.report.text.styled_rows import (
    ScreenSize,
    StyledRow,
    StyledText,
    beside,
    cut,
    row_of,
    wrapped,
)
from drrun.report.times import rough, span

#: Lines of output that are shown at most, and at least if there is any room.
_TAIL_MOST, _TAIL_LEAST = 10, 3
#: Rows that the reason of a failure may take below the list.
_REASON_MOST = 3
#: Rows of an answer.
_NOTICE_MOST = 3
HELP = (
    "j k, arrows    select a step          g G   first, last",
    "n N            the next, the one before of those that need somebody",
    "Enter          everything about the step: attempts, probes, output; Esc: back",
    "/              show only steps with these words; Esc: all",
    "",
    "c confirm      a approve              d decide",
    "x reject       r retry                s skip (needs a reason)",
    "m mark done    C claim                w write a note about the step",
    "p pause, or go on again               q leave; the run goes on",
    "",
    "Every answer goes into the record with your name.",
)


@dataclass(frozen=True, slots=True)
class Look:
    """What the person at the screen looks at."""

    selected: StepId
    #: Who looks.
    by: str = ""
    #: Whether a controller drives the run.
    driven: bool = True
    #: How many requests wait until somebody drives it.
    kept: int = 0
    #: Last lines of the selected step's output.
    tail: Sequence[str] = ()
    #: Everything about the selected step; empty where only the list is shown.
    page: Sequence[str] = ()
    #: The page takes the whole screen, from this line on.
    opened: bool = False
    scroll: int = 0
    #: Only steps with these words are listed; "" for all.
    find: str = ""
    #: What is asked at the bottom, and what was typed; "" for the line of keys.
    prompt: str = ""
    typed: str = ""
    #: What became of the last key.
    notice: str = ""
    #: Keys that do something now, the most wanted first.
    keys: Sequence[str] = ()
    help: bool = False


def watch_rows(
    state: RunState, run: str, look: Look, now: float, size: ScreenSize
) -> list[StyledRow]:
    """The screen."""
    bottom = list(_bottom(look, size.width))
    top: list[StyledRow] = []
    if not look.opened:
        driven, kept = look.driven, look.kept
        top += attention_rows(state, run, now, look.by, driven=driven, kept=kept)
        top += head_rows(state, BoardHead(run, driven=look.driven), now)
        top += services_rows(state, now)
    room = max(1, size.height - len(top) - len(bottom))
    middle = list(_middle(state, run, look, now, ScreenSize(size.width, room)))[:room]
    filler: list[StyledRow] = [()] * max(0, room - len(middle))
    rows = [*top, *middle, *filler, *bottom]
    return [cut(row, size.width) for row in rows[: size.height]]


def listed(state: RunState, find: str = "") -> list[StepId]:
    """Steps as they are listed: what went wrong, what asks, what moves, what comes, what is done.

    Args:
        state: The run.
        find: Only steps whose id, title or status has these words.
    """
    first = attention_steps(state)
    moving = dict.fromkeys(key.step for key in state.active)
    rest = [step for step in state.plan.order if state.step(step) not in GOOD]
    order = list(dict.fromkeys([*first, *moving, *rest, *state.plan.order]))
    return [step for step in order if _is_found(state, step, find.lower())] if find else order


def _is_found(state: RunState, step: StepId, words: str) -> bool:
    about = f"{step} {state.plan.steps[step].step.title} {state.step(step)}"
    return words in about.lower()


def furthest(page: Sequence[str], size: ScreenSize) -> int:
    """How far an opened page can be scrolled, in lines."""
    lines = sum(1 for line in page for _ in wrapped(line, size.width))
    return max(0, lines - size.height + 2)


def _middle(
    state: RunState, run: str, look: Look, now: float, size: ScreenSize
) -> Iterator[StyledRow]:
    if look.help:
        yield from (row_of(f"  {line}") for line in HELP)
    elif look.opened:
        yield from _page(look, size, look.scroll)
    elif size.is_wide:
        half = size.width // 2
        left = _list(state, look, now, ScreenSize(half - 3, size.height))
        right = _page(look, ScreenSize(size.width - half, size.height), 0)
        yield from beside(list(left), list(right), half)
    else:
        tail = min(_TAIL_MOST, len(look.tail), max(_TAIL_LEAST, size.height // 3))
        enough = size.height > _TAIL_LEAST + 4
        below = list(_selected(state, run, look, now, size.width, tail if enough else 0))
        above = ScreenSize(size.width, max(1, size.height - len(below)))
        yield from _list(state, look, now, above)
        yield from below


def _page(look: Look, size: ScreenSize, scroll: int) -> Iterator[StyledRow]:
    """What fits of everything about a step, from a line on."""
    lines = [piece for line in look.page for piece in wrapped(line, size.width)]
    head, rest = lines[:1], lines[1:]
    rows = [*(row_of(line, Style.STRONG) for line in head), *map(row_of, rest)]
    yield from _shown(rows, scroll, size.height)


def _shown(rows: Sequence[StyledRow], first: int, height: int) -> Iterator[StyledRow]:
    """Rows from one on, with marks where they go on."""
    if len(rows) <= height:
        yield from rows
        return
    first = max(0, min(first, len(rows) - height + 1))
    last = min(len(rows), first + height)
    if first:
        yield row_of(f"  … {first + 1} more above", Style.QUIET)
        first += 1
    if last < len(rows):
        yield from rows[first : last - 1]
        yield row_of(f"  … {len(rows) - last + 1} more", Style.QUIET)
    else:
        yield from rows[first:last]


def _list(state: RunState, look: Look, now: float, size: ScreenSize) -> Iterator[StyledRow]:
    """As many steps as fit around the selected one."""
    order, height = listed(state, look.find), size.height
    if look.find:
        found = f"steps with {look.find!r}: {len(order)} of {len(state.plan.order)}; Esc: all"
        yield row_of(clean_line(found), Style.DOUBT)
        height = max(1, height - 1)
    at = order.index(look.selected) if look.selected in order else 0
    first = max(0, min(at - height // 2, len(order) - height + 1))
    asked = {ask.step: ask for ask in asks_of(state)}
    # Only what is on the screen is looked at: there may be thousands of steps.
    near = range(max(0, first - 1), min(len(order), first + height + 1))
    lines = {number: _line(state, order[number], look, now) for number in near}
    column = min(30, size.width // 3, max((len(line.id) for line in lines.values()), default=12))
    rows = [
        _row(lines[number], look, asked.get(step), column) if number in lines else ()
        for number, step in enumerate(order)
    ]
    yield from _shown(rows, first, height)


def _line(state: RunState, step: StepId, look: Look, now: float) -> StepLine:
    line = step_line(state, step, now)
    if look.driven or line.status not in MOVING:
        return line
    # How long it has taken since its controller was lost is not known.
    return replace(without_controller(line), took=None)


def _row(line: StepLine, look: Look, ask: WaitingGate | None, column: int) -> StyledRow:
    selected = line.id == look.selected
    status, style = str(line.status), style_of(line.status)
    if ask is not None:
        status = "asks you" if asks_me(ask, look.by) else "asks"
        style = Style.DOUBT
    note = "" if line.status is Status.PENDING else line.note
    if ask is not None and status == "asks":
        note = f"{whom_it_asks(ask)}: {note}"
    name = fit(line.id, column)
    return (
        StyledText("> " if selected else "  ", Style.STRONG),
        StyledText(
            name + " " * (column - columns(name)), Style.STRONG if selected else Style.PLAIN
        ),
        StyledText(f" {status:<9}", style),
        StyledText(f" {_took(line):>7}  ", Style.QUIET),
        StyledText(clean_line(note)),
    )


def _took(line: StepLine) -> str:
    if line.took is not None:
        about, late = "" if line.took.exact else "~", "!" if line.late else ""
        return f"{about}{span(round(line.took.seconds))}{late}"
    return f"~{rough(line.planned)}" if line.planned else ""


def _selected(
    state: RunState, run: str, look: Look, now: float, width: int, tail: int
) -> Iterator[StyledRow]:
    line = step_line(state, look.selected, now)
    owner = f", {line.owner}" if line.owner else ""
    title = f"-- {line.id}{owner}: {clean_line(line.title or str(line.status))} "
    yield row_of(title, Style.QUIET)
    ask = next((ask for ask in asks_of(state) if ask.step == look.selected), None)
    if ask is not None:
        yield row_of(f"  {ask.kind}: {clean_line(ask.text)}", Style.STRONG)
        if ask.count > 1:
            yield row_of(f"  {who_approved(ask)}")
        lines = () if asks_me(ask, look.by) else whom_to_call(ask, run)
        yield from (row_of(f"  {clean_line(line)}") for line in lines)
    elif line.note and line.status not in GOOD:
        reason = list(wrapped(clean_line(line.note), width - 2))
        yield from (row_of(f"  {each}", style_of(line.status)) for each in reason[:_REASON_MOST])
    for text in look.tail[len(look.tail) - tail :] if tail else ():
        yield (StyledText("  | ", Style.QUIET), StyledText(clean_line(text)))


def _bottom(look: Look, width: int) -> Iterator[StyledRow]:
    if look.notice:
        lines = list(wrapped(clean_line(look.notice), width))
        yield from (row_of(line, Style.DOUBT) for line in lines[:_NOTICE_MOST])
    if look.prompt:
        yield (StyledText(f"> {look.prompt}", Style.STRONG), StyledText(f"{look.typed}_"))
    else:
        yield row_of(_keys(look.keys, width), Style.QUIET)


def _keys(keys: Sequence[str], width: int) -> str:
    """The keys that fit; help and leaving are always among them."""
    last = "? help  q leave"
    kept: list[str] = []
    for key in keys:
        if len("  ".join([*kept, key, last])) > width:
            break
        kept.append(key)
    return "  ".join([*kept, last])

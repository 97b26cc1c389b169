"""The screen of `watch`: all steps, one of them selected, its output, who is waited for.

Rules:
- It fits into the width and height that it is given; 60x12 is enough to work with.
- Everything that comes from elsewhere is cleaned, and stands behind our own words.
"""

from collections.abc import Iterator, Sequence

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.model.status import Status
from drrun.core.state.run_state import RunState
from drrun.report.clean import clean_line, fit
from drrun.report.ink import Style, style_of
from drrun.report.run_view import StepLine, asks_of, step_line
from drrun.report.services import service_views
from drrun.report.text.board import BoardHead, head_rows
from drrun.report.text.styled_rows import ScreenSize, StyledRow, StyledText, cut
from drrun.report.times import rough, span

#: Lines of output that are shown at most, and at least if there is any room.
_TAIL_MOST, _TAIL_LEAST = 10, 3
KEYS = "j k  c confirm  a approve  d decide  x reject  r retry  s skip  p pause  ?  q"
HELP = (
    "j k, arrows    select a step          g G   first, last",
    "c confirm      a approve              d decide",
    "x reject       r retry                s skip (wants a reason)",
    "m mark done    C claim                n note about the step",
    "p pause, or go on again               q leave; the run goes on",
    "",
    "Every answer goes into the record with your name.",
)


@dataclass(frozen=True, slots=True)
class Look:
    """What the person at the screen looks at."""

    selected: StepId
    #: Last lines of the selected step's output.
    tail: Sequence[str] = ()
    #: What is asked at the bottom, and what was typed; "" for the line of keys.
    prompt: str = ""
    typed: str = ""
    #: What became of the last key.
    notice: str = ""
    help: bool = False


def watch_rows(
    state: RunState, run: str, look: Look, now: float, size: ScreenSize
) -> list[StyledRow]:
    """The screen."""
    top = [*head_rows(state, BoardHead(run), now), *_services(state, now)]
    bottom = list(_bottom(look))
    room = max(1, size.height - len(top) - len(bottom))
    if look.help:
        middle: list[StyledRow] = []
        middle += [(StyledText(f"  {line}"),) for line in HELP]
    else:
        tail = min(_TAIL_MOST, len(look.tail), max(_TAIL_LEAST, room // 3))
        below = list(_selected(state, look, now, tail if room > _TAIL_LEAST + 4 else 0))
        middle = [*_list(state, look, now, max(1, room - len(below)), size.width), *below]
    filler: list[StyledRow] = [()] * max(0, room - len(middle))
    rows = [*top, *middle[:room], *filler, *bottom]
    return [cut(row, size.width) for row in rows[: size.height]]


def _services(state: RunState, now: float) -> Iterator[StyledRow]:
    views = service_views(state.plan, state, now)
    raised = [view for view in views if view.rungs]
    if raised:
        words = "  ".join(f"{view.name} {view.level or 'down'}" for view in raised)
        yield (StyledText("services ", Style.QUIET), StyledText(clean_line(words)))


def _list(state: RunState, look: Look, now: float, room: int, width: int) -> Iterator[StyledRow]:
    """As many steps as fit around the selected one."""
    order = state.plan.order
    at = order.index(look.selected) if look.selected in order else 0
    first = max(0, min(at - room // 2, len(order) - room))
    asked = {ask.step for ask in asks_of(state)}
    for step in order[first : first + room]:
        line = step_line(state, step, now)
        yield _row(line, width, selected=step == look.selected, asked=step in asked)


def _row(line: StepLine, width: int, *, selected: bool, asked: bool) -> StyledRow:
    column = min(30, max(12, width // 3))
    mark = ">" if selected else " "
    status = "asks you?" if asked else str(line.status)
    style = Style.DOUBT if asked else style_of(line.status)
    name = fit(line.id, column)
    took = _took(line)
    note = "" if line.status is Status.PENDING else line.note
    return (
        StyledText(f"{mark} ", Style.STRONG),
        StyledText(name + " " * (column - len(name)), Style.STRONG if selected else Style.PLAIN),
        StyledText(f" {status:<10}", style),
        StyledText(f" {took:>8}  ", Style.QUIET),
        StyledText(clean_line(note)),
    )


def _took(line: StepLine) -> str:
    if line.took is not None:
        about, late = "" if line.took.exact else "~", "!" if line.late else ""
        return f"{about}{span(round(line.took.seconds))}{late}"
    return f"~{rough(line.planned)}" if line.planned else ""


def _selected(state: RunState, look: Look, now: float, tail: int) -> Iterator[StyledRow]:
    line = step_line(state, look.selected, now)
    owner = f", {line.owner}" if line.owner else ""
    title = f"-- {line.id}{owner}: {clean_line(line.title or line.note or str(line.status))} "
    yield (StyledText(title, Style.QUIET),)
    for ask in asks_of(state):
        if ask.step == look.selected:
            yield (StyledText(f"  {ask.kind}: {clean_line(ask.text)}", Style.STRONG),)
            break
    for text in look.tail[len(look.tail) - tail :] if tail else ():
        yield (StyledText("  | ", Style.QUIET), StyledText(clean_line(text)))


def _bottom(look: Look) -> Iterator[StyledRow]:
    if look.notice:
        yield (StyledText(clean_line(look.notice), Style.DOUBT),)
    if look.prompt:
        yield (StyledText(f"> {look.prompt}", Style.STRONG), StyledText(f"{look.typed}_"))
    else:
        yield (StyledText(KEYS, Style.QUIET),)

"""The board: a run on one screen, for somebody who is tired and on a slow link.

Rules:
- It fits into the height and width that it is given, 80x24 at least; what does not fit is counted.
- What needs a person comes first, then what failed, what runs, what comes next.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from drrun.core.model.ids import StepId
from drrun.core.model.status import GOOD, Status
from drrun.core.state.run_state import RunState
from drrun.report.clean import clean_line, columns, fit
from drrun.report.counting import counted
from drrun.report.forecast import forecast
from drrun.report.ink import Style, style_of, style_of_run
from drrun.report.run_view import MOVING, StepLine, WaitingGate, asks_of, next_steps, step_line
from drrun.report.services import service_views
from drrun.report.text.attention import attention_rows, wrong_steps
from drrun.report.text.styled_rows import (
    ScreenSize,
    StyledRow,
    StyledText,
    beside,
    cut,
    row_of,
)
from drrun.report.times import clock, hour, rough, span

#: Counted in the head in this order.
_COUNTED = (
    Status.FAILED,
    Status.REGRESSED,
    Status.UNKNOWN,
    Status.WAITING,
    Status.RUNNING,
    Status.VERIFYING,
    Status.PASSED,
    Status.SKIPPED,
    Status.BLOCKED,
    Status.CANCELLED,
    Status.PENDING,
)
_BAR = 5

#: Headings of the sections, in this order; at the left and at the right of a wide screen.
_MOVING = ("needs an answer", "failed", "running")
_REST = ("waiting", "next")
_ALL = (*_MOVING, *_REST)


class Section(NamedTuple):
    """Rows under a heading."""

    head: str
    style: Style
    #: How many rows there would be.
    total: int
    rows: Sequence[StyledRow]


class BoardHead(NamedTuple):
    """What the board says of the run beside its state."""

    run: str
    #: What is about to happen to the controller; "" usually.
    notice: str = ""
    #: Who looks.
    by: str = ""
    #: Whether a controller drives it.
    driven: bool = True


def board_rows(state: RunState, head: BoardHead, now: float, size: ScreenSize) -> list[StyledRow]:
    """The board as it stands at `now`, in seconds since the epoch."""
    top = [*attention_rows(state, head.run, now, head.by, driven=head.driven)]
    top += head_rows(state, head, now)
    if not size.is_wide:
        top += services_rows(state, now)
    room = size.height - len(top)
    if not size.is_wide:
        rows = top + list(_columned(state, now, ScreenSize(size.width, room), _ALL))
    else:
        half = size.width // 2
        left = _columned(state, now, ScreenSize(half - 3, room), _MOVING)
        right = _columned(state, now, ScreenSize(size.width - half, room), _REST)
        levels = [row_of("services", Style.QUIET), *service_lines(state, now)]
        shown = [*(levels if len(levels) > 1 else []), *right]
        rows = top + list(beside(list(left), shown, half))[: max(0, room)]
    return [cut(row, size.width) for row in rows[: size.height]]


def _columned(
    state: RunState, now: float, size: ScreenSize, heads: Collection[str]
) -> Iterator[StyledRow]:
    """The sections with these headings, one below the other."""
    sections = _sections(state, now, max(1, size.height), size.width)
    wanted = [each for each in sections if each.total and each.head in heads]
    return _laid_out(wanted, size.height)


def services_rows(state: RunState, now: float) -> Iterator[StyledRow]:
    """The level of each service, in one row."""
    raised = [view for view in service_views(state.plan, state, now) if view.rungs]
    if raised:
        words = "  ".join(f"{view.name} {view.level or 'down'}" for view in raised)
        yield (StyledText("services ", Style.QUIET), StyledText(clean_line(words)))


def service_lines(state: RunState, now: float) -> Iterator[StyledRow]:
    """The level of each service, one a row."""
    for view in service_views(state.plan, state, now):
        if view.rungs:
            style = Style.GOOD if view.level is view.best else Style.DOUBT
            best = "" if view.level is view.best else f" (of {view.best})"
            yield (
                StyledText(clean_line(f"  {view.name:<27} ")),
                StyledText(f"{view.level or 'down'}{best}", style),
            )


def head_rows(state: RunState, head: BoardHead, now: float) -> Iterator[StyledRow]:
    """What the run is, how it stands, and how much of it is done."""
    runbook = state.plan.runbook
    status, style = _standing(state, driven=head.driven)
    until = now if state.time.ended_at is None else state.time.ended_at
    elapsed = _whole(until - state.started_at) if state.started_at is not None else "0s"
    in_all = f"{elapsed} in" if state.ended is None else f"it took {elapsed}"
    yield (
        StyledText(f"{head.run}  {state.plan.mode}  ", Style.QUIET),
        StyledText(clean_line(runbook.title or runbook.name), Style.STRONG),
    )
    yield (
        StyledText(status, style),
        StyledText(f"  {clock(now)} UTC, {in_all}{_eta(state, now) if head.driven else ''}"),
    )
    yield _progress(state, driven=head.driven or state.ended is not None)
    if head.notice:
        yield (StyledText(clean_line(head.notice), Style.DOUBT),)


def _standing(state: RunState, *, driven: bool) -> tuple[str, Style]:
    if state.ended is not None:
        return str(state.ended), style_of_run(state.ended)
    if state.aborted:
        return f"aborted: {clean_line(state.aborted)}", Style.BAD
    if state.paused:
        return f"paused: {clean_line(state.paused)}", Style.DOUBT
    if not driven:
        return "interrupted", Style.BAD
    asked = sum(state.targets[key].gate is not None for key in state.active)
    if asked and asked == len(state.active) and not state.ready:
        return "waiting for a person", Style.DOUBT
    if state.all_final and wrong_steps(state):
        return "failed, nothing else to do", Style.BAD
    if state.rolling_back:
        return "rolling back", Style.DOUBT
    return "running", Style.MOVING


def _eta(state: RunState, now: float) -> str:
    found = forecast(state, now)
    if found is None:
        return ""
    if found.holds:
        more = f" and {len(found.holds) - 1} more" if len(found.holds) > 1 else ""
        return f", not done before {clean_line(found.holds[0])}{more}"
    if not found.remaining:
        return ""
    least = "at least" if found.unestimated else "about"
    return f", {least} {rough(found.remaining)} left, to {hour(now + found.remaining, now)}"


def _whole(seconds: float) -> str:
    return span(round(max(0.0, seconds)))


def _progress(state: RunState, *, driven: bool) -> StyledRow:
    found = dict.fromkeys(_COUNTED, 0)
    for step in state.plan.order:
        status = state.step(step)
        if not driven and status in MOVING:
            status = Status.UNKNOWN
        found[status] = found.get(status, 0) + 1
    total = len(state.plan.order)
    done = sum(count for status, count in found.items() if status in GOOD)
    filled = _BAR * done // total if total else _BAR
    pieces = [StyledText(f"[{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total}")]
    pieces += [
        StyledText(f"  {count} {status}", style_of(status))
        for status, count in found.items()
        if count
    ]
    return tuple(pieces)


def _sections(state: RunState, now: float, most: int, width: int) -> Iterator[Section]:
    """All sections; no more than `most` rows of each are made."""
    asks = list(asks_of(state))
    yield Section(
        "needs an answer",
        Style.DOUBT,
        len(asks),
        [_asked(ask, now, width) for ask in asks[:most]],
    )
    asked = {ask.step for ask in asks}
    moving = dict.fromkeys(key.step for key in state.active)
    failed = wrong_steps(state)
    waiting = [step for step in moving if step not in asked and state.step(step) is Status.WAITING]
    running = [step for step in moving if step not in asked and step not in waiting]
    following = [step for step in next_steps(state) if step not in moving]
    make = _maker(state, now, most, width)
    yield make("failed", Style.BAD, failed)
    yield make("running", Style.MOVING, running)
    yield make("waiting", Style.DOUBT, waiting)
    yield make("next", Style.QUIET, following)


def _asked(ask: WaitingGate, now: float, width: int) -> StyledRow:
    about = f"{ask.role or 'anybody'}, {_whole(now - ask.since)}: "
    return _named(ask.key, about, ask.text, width)


def _maker(
    state: RunState, now: float, most: int, width: int
) -> Callable[[str, Style, list[StepId]], Section]:
    def make(head: str, style: Style, steps: list[StepId]) -> Section:
        rows = [_row(step_line(state, step, now), width) for step in steps[:most]]
        return Section(head, style, len(steps), rows)

    return make


def _row(line: StepLine, width: int) -> StyledRow:
    parts = []
    if line.total > 1:
        parts.append(counted(line.counts))
    elif line.where:
        parts.append(clean_line(line.where))
    if line.undoing:
        parts.append("undoing")
    elif line.took is not None:
        planned = f" (planned {rough(line.planned)})" if line.planned is not None else ""
        about = "" if line.took.exact else "~"
        parts.append(f"{about}{_whole(line.took.seconds)}{planned}")
    elif line.planned is not None:
        parts.append(rough(line.planned))
    if line.late:
        parts.append("LATE")
    note = line.contact if line.status in (Status.RUNNING, Status.VERIFYING) else line.note
    return _named(line.id, ", ".join(parts) + (": " if note else ""), note, width)


def _named(name: str, about: str, note: str, width: int) -> StyledRow:
    column = min(28, max(12, width // 3))
    name = fit(name, column)
    padded = name + " " * max(0, column - columns(name))
    return (
        StyledText(f"  {padded} "),
        StyledText(about, Style.QUIET),
        StyledText(clean_line(note)),
    )


def _laid_out(sections: Sequence[Section], room: int) -> Iterator[StyledRow]:
    """Every section gets a heading; rows are given out in turn until the room is used up."""
    shown = [0] * len(sections)
    left = room - len(sections)
    while left > 0:
        hungry = [index for index, each in enumerate(sections) if shown[index] < len(each.rows)]
        if not hungry:
            break
        for index in hungry[:left]:
            shown[index] += 1
        left -= min(left, len(hungry))
    for section, count in zip(sections, shown, strict=True):
        hidden = section.total - count
        more = f" ({hidden} more not shown)" if hidden else ""
        yield (StyledText(section.head, section.style), StyledText(more, Style.QUIET))
        yield from section.rows[:count]

"""What needs a person now: the first rows of every screen on a run. Pure.

Rules:
- Where nobody drives the run, that comes first: nothing else goes on until somebody does.
- What stands here is said in full words, with the command or the reason; the rest is counted.
"""

import shlex
from collections.abc import Iterator

from drrun.core.model.ids import StepId
from drrun.core.model.status import Status
from drrun.core.state.run_state import RunState
from drrun.report.clean import clean_line
from drrun.report.ink import Style
from drrun.report.run_view import WaitingGate, asks_of, not_seen, step_line
from drrun.report.text.styled_rows import StyledRow, StyledText, row_of
from drrun.report.times import span

#: Statuses of steps that went wrong and can be put right.
WRONG = frozenset({Status.FAILED, Status.REGRESSED})


def attention_rows(
    state: RunState, run: str, now: float, by: str, *, driven: bool, kept: int = 0
) -> Iterator[StyledRow]:
    """At most five rows; none if nothing needs a person.

    Args:
        state: The run.
        run: Its id.
        now: Seconds since the epoch.
        by: Who looks.
        driven: Whether a controller drives the run.
        kept: How many requests wait for one.
    """
    if not driven and state.ended is None:
        yield row_of(f"NOBODY DRIVES: drrun resume {run}", Style.BAD)
    if kept:
        what = "1 request is" if kept == 1 else f"{kept} requests are"
        yield row_of(f"{what} kept until somebody does: drrun status {run}", Style.DOUBT)
    unseen = list(not_seen(state).items()) if driven else []
    if unseen:
        host, since = unseen[0]
        yield from _unseen(run, host, now - since, more=len(unseen) - 1)
    parts = [*_asking(state, by), *_wrong(state, now)]
    if parts:
        yield tuple(parts)


def _unseen(run: str, host: str, seconds: float, more: int) -> Iterator[StyledRow]:
    """What can be done about a host that does not answer."""
    others = f" (and {more} more)" if more else ""
    about = f"NOT SEEN {host} for {span(round(max(0.0, seconds)))}{others}: "
    route = shlex.join(["drrun", "set-route", run, host])
    yield row_of(clean_line(f"{about}{route} ROUTE"), Style.DOUBT)
    lost = shlex.join(["drrun", "lost", run, f"host:{host}"])
    yield row_of(clean_line(f"  or, if it is lost: {lost} --reason WHY"), Style.DOUBT)


def wrong_steps(state: RunState) -> list[StepId]:
    """Steps that failed or broke later, in the plan's order."""
    return [step for step in state.plan.order if state.step(step) in WRONG]


def attention_steps(state: RunState) -> list[StepId]:
    """Steps that need a person: what went wrong, then what asks, the oldest question first."""
    asking = (ask.step for ask in asks_of(state))
    return list(dict.fromkeys([*wrong_steps(state), *asking]))


def asks_me(ask: WaitingGate, by: str) -> bool:
    """Whether somebody may answer a question."""
    return not ask.stuck and (not ask.people or by in ask.people)


def whom_it_asks(ask: WaitingGate) -> str:
    """Who may answer, in a few words."""
    if ask.stuck:
        return "nobody who may answer"
    return ask.role or ", ".join(ask.people) or "anybody"


def _asking(state: RunState, by: str) -> Iterator[StyledText]:
    asks = list(asks_of(state))
    mine = sum(asks_me(ask, by) for ask in asks)
    if mine:
        yield StyledText(f"{mine} {'asks' if mine == 1 else 'ask'} you  ", Style.DOUBT)
    others = dict.fromkeys(whom_it_asks(ask) for ask in asks if not asks_me(ask, by))
    if others:
        count = len(asks) - mine
        verb = "asks" if count == 1 else "ask"
        yield StyledText(clean_line(f"{count} {verb} {', '.join(others)}  "), Style.DOUBT)


def _wrong(state: RunState, now: float) -> Iterator[StyledText]:
    wrong = wrong_steps(state)
    if not wrong:
        return
    first = step_line(state, wrong[0], now)
    words = f"{first.id}: {first.note}" if first.note else first.id
    yield StyledText(clean_line(f"FAILED {len(wrong)}: {words}"), Style.BAD)

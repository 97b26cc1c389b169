"""Explores all states of a model, breadth first: the first fault found has a shortest trace.

Rules:
- A promise must hold in every state; an end or a question must be reachable from every state by
  what goes on by itself, without any further fault.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.model.world import Faults, Model, Step, World, broken


class Found(NamedTuple):
    """What was found."""

    states: int
    #: "" if all promises hold.
    fault: str
    trace: tuple[str, ...]
    #: Whether all states were seen.
    whole: bool

    def __str__(self) -> str:
        lines = [self.fault or "all promises hold", *self.trace, f"{self.states} states"]
        return "\n  ".join(lines)


def explore(model: Model, faults: Faults, *, most: int) -> Found:
    """Look at all states, or at so many."""
    first = model.first(faults)
    came: dict[World, tuple[World | None, str]] = {first: (None, "")}
    back: dict[World, list[World]] = {}
    waiting = deque([first])
    while waiting:
        if len(came) >= most:
            return Found(len(came), "", (), whole=False)
        world = waiting.popleft()
        for usual, (what, after) in _steps(model, world):
            if usual:
                back.setdefault(after, []).append(world)
            if after not in came:
                came[after] = (world, what)
                waiting.append(after)
            if fault := broken(after, world):
                trace = (*_trace(came, world), what)
                return Found(len(came), fault, trace, whole=False)
    stuck = _stuck(came, back)
    if stuck is not None:
        return Found(len(came), "no end can be reached", _trace(came, stuck), whole=True)
    return Found(len(came), "", (), whole=True)


def _stuck(came: Iterable[World], back: Mapping[World, Sequence[World]]) -> World | None:
    """The first state from which nothing that goes on by itself leads to an end."""
    ends = [world for world in came if _settled(world)]
    good = set(ends)
    while ends:
        for before in back.get(ends.pop(), ()):
            if before not in good:
                good.add(before)
                ends.append(before)
    return next((world for world in came if world not in good), None)


def _steps(model: Model, world: World) -> Iterator[tuple[bool, Step]]:
    for step in model.usual(world):
        yield True, step
    for step in model.faults(world):
        yield False, step


def _settled(world: World) -> bool:
    """Everybody whose word counts has said how it ended, or that it is not known."""
    return all(each.job.verdict is not None for each in world.controllers if each.valid)


def _trace(came: dict[World, tuple[World | None, str]], world: World | None) -> tuple[str, ...]:
    steps: list[str] = []
    while world is not None:
        world, what = came[world]
        steps.append(what)
    return tuple(reversed(steps[:-1]))

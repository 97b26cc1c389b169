"""The shape of a runbook: cycles, order, waves, critical path.

Rules:
- A need with alternatives (`any_of`) is an edge from each of them for order and cycles, but only
  the quickest counts for the length of a path: one of them is enough.
- Ties are broken by the author's order, so that the same runbook always gives the same plan.
- This is the only module that knows networkx. It is imported when something is asked that takes
  more than an order: loading it costs a reading command as much as all the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Need, Step

if TYPE_CHECKING:
    import networkx as nx


def graph_of(steps: Mapping[StepId, Step]) -> nx.DiGraph[StepId]:
    """Edges point from what is needed to what needs it. Needs of unknown steps are left out."""
    import networkx as nx

    graph: nx.DiGraph[StepId] = nx.DiGraph()
    graph.add_nodes_from(steps)
    graph.add_edges_from(
        (needed, step.id)
        for step in steps.values()
        for need in step.needs
        for needed in need.any_of
        if needed in steps
    )
    return graph


def find_cycles(steps: Mapping[StepId, Step]) -> list[tuple[StepId, ...]]:
    """One cycle for every knot of steps that wait for each other.

    Returns:
        Paths in the direction of `needs`, the first step repeated at the end: `a, b, c, a` means
        that a needs b, b needs c and c needs a.
    """
    if _has_order(steps):
        return []
    import networkx as nx

    graph = graph_of(steps).reverse()
    position = {step: index for index, step in enumerate(steps)}
    cycles = []
    for knot in nx.strongly_connected_components(graph):
        first = min(knot, key=position.__getitem__)
        if len(knot) == 1 and not graph.has_edge(first, first):
            continue
        edges = nx.find_cycle(graph.subgraph(knot), first)
        cycles.append(_from_the_first(tuple(edge[0] for edge in edges), position))
    return sorted(cycles, key=lambda cycle: position[cycle[0]])


def _has_order(steps: Mapping[StepId, Step]) -> bool:
    before = {step.id: set(_needed(step, steps)) for step in steps.values()}
    try:
        TopologicalSorter(before).prepare()
    except CycleError:
        return False
    return True


def _needed(step: Step, steps: Mapping[StepId, Step]) -> Iterator[StepId]:
    """What a step needs and what exists."""
    return (each for need in step.needs for each in need.any_of if each in steps)


def _from_the_first(
    cycle: tuple[StepId, ...], position: Mapping[StepId, int]
) -> tuple[StepId, ...]:
    start = cycle.index(min(cycle, key=position.__getitem__))
    turned = cycle[start:] + cycle[:start]
    return (*turned, turned[0])


def order_of(steps: Mapping[StepId, Step]) -> tuple[StepId, ...]:
    """All steps so that each comes after what it needs, else as written. No cycles allowed."""
    position = {step: index for index, step in enumerate(steps)}
    missing = {step.id: len(set(_needed(step, steps))) for step in steps.values()}
    dependents = dependents_of(steps)
    free = [(position[step], step) for step, count in missing.items() if not count]
    heapify(free)
    order = []
    while free:
        _, step = heappop(free)
        order.append(step)
        for dependent in dependents[step]:
            missing[dependent] -= 1
            if not missing[dependent]:
                heappush(free, (position[dependent], dependent))
    return tuple(order)


def waves_of(steps: Mapping[StepId, Step], order: Sequence[StepId]) -> list[list[StepId]]:
    """Steps by the largest number of steps before them; for people, the scheduler knows none."""
    depth: dict[StepId, int] = {}
    waves: list[list[StepId]] = []
    for step in order:
        before = (
            depth[needed]
            for need in steps[step].needs
            for needed in need.any_of
            if needed in steps
        )
        depth[step] = max(before, default=-1) + 1
        if depth[step] == len(waves):
            waves.append([])
        waves[depth[step]].append(step)
    return waves


def dependents_of(steps: Mapping[StepId, Step]) -> dict[StepId, tuple[StepId, ...]]:
    """Who needs each step, directly."""
    found: dict[StepId, dict[StepId, None]] = {step: {} for step in steps}
    for step in steps.values():
        for needed in _needed(step, steps):
            found[needed][step.id] = None
    return {step: tuple(those) for step, those in found.items()}


def ancestors_of(steps: Mapping[StepId, Step], step: StepId) -> frozenset[StepId]:
    """Everything that `step` needs, directly or not."""
    import networkx as nx

    return frozenset(nx.ancestors(graph_of(steps), step))


def finish_times(
    steps: Mapping[StepId, Step], order: Sequence[StepId], lengths: Mapping[StepId, float]
) -> dict[StepId, float]:
    """When each step ends if it begins as soon as it can, in seconds from the start."""
    ends: dict[StepId, float] = {}
    for step in order:
        begin = max((_met(need, ends) for need in steps[step].needs), default=0.0)
        ends[step] = begin + lengths[step]
    return ends


def _met(need: Need, ends: Mapping[StepId, float]) -> float:
    return min(ends[step] for step in need.any_of)


def tails(
    steps: Mapping[StepId, Step], order: Sequence[StepId], lengths: Mapping[StepId, float]
) -> dict[StepId, float]:
    """Seconds from the begin of each step to the end of the longest path through it.

    The scheduler's priority: of two steps that may begin, the one with the longer tail does.
    """
    after: dict[StepId, float] = dict.fromkeys(order, 0.0)
    tail: dict[StepId, float] = {}
    for step in reversed(order):
        tail[step] = lengths[step] + after[step]
        for need in steps[step].needs:
            for needed in need.any_of:
                after[needed] = max(after[needed], tail[step])
    return tail


def critical_path(
    steps: Mapping[StepId, Step], order: Sequence[StepId], lengths: Mapping[StepId, float]
) -> tuple[StepId, ...]:
    """The chain of steps that decides when the last one ends."""
    if not order:
        return ()
    ends = finish_times(steps, order, lengths)
    return tuple(reversed(list(_walk_back(steps, ends))))


def _walk_back(steps: Mapping[StepId, Step], ends: Mapping[StepId, float]) -> Iterator[StepId]:
    position = {step: index for index, step in enumerate(steps)}
    current: StepId | None = max(ends, key=lambda step: (ends[step], -position[step]))
    while current is not None:
        yield current
        needs = steps[current].needs
        if not needs:
            return
        latest = max(needs, key=lambda need: _met(need, ends))
        current = min(latest.any_of, key=lambda step: ends[step])

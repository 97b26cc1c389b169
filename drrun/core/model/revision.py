"""What differs between two plans of one run: steps that are new, rewritten, or only named anew.

Rules:
- Where something stands in a file does not count.
- Words for people and estimates change nothing about what is done; the hosts of a step do.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Place
from drrun.core.model.ids import StepId
from drrun.core.model.plan import Plan

#: Members of a step that are there for people alone.
_FOR_PEOPLE = frozenset({"title", "description", "tags", "links", "estimate"})
#: Members that say where something stands.
_PLACES = frozenset({"place", "places"})


@dataclass(frozen=True, slots=True)
class Revision:
    """How one plan becomes another; all in the order of the plan."""

    added: tuple[StepId, ...]
    #: Does something else, or on other hosts.
    changed: tuple[StepId, ...]
    #: Only its words or its estimate are others.
    reworded: tuple[StepId, ...]
    removed: tuple[StepId, ...]
    #: Whether something beside the steps is another: variables, roles, hosts.
    around: bool

    @property
    def matters(self) -> bool:
        """Whether it changes what is done, or who may do it."""
        return bool(self.added or self.changed or self.removed or self.around)

    def __bool__(self) -> bool:
        return self.matters or bool(self.reworded)


def revision(before: Plan, after: Plan) -> Revision:
    """What differs."""
    old, new = before.runbook.steps, after.runbook.steps
    both = [step for step in new if step in old]
    differ = [step for step in both if not same(old[step], new[step])]
    moved = {step for step in both if _targets(before, step) != _targets(after, step)}
    changed = {step for step in differ if not same(old[step], new[step], _FOR_PEOPLE)} | moved
    return Revision(
        added=tuple(step for step in new if step not in old),
        changed=tuple(step for step in both if step in changed),
        reworded=tuple(step for step in differ if step not in changed),
        removed=tuple(step for step in old if step not in new),
        around=_around_differs(before, after),
    )


def same(one: Any, other: Any, without: AbstractSet[str] = frozenset()) -> bool:
    """Whether two values are the same, but for places.

    Args:
        one: A value of the model.
        other: Another.
        without: Members of these two that do not count.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Place):
        return True
    if is_dataclass(one):
        names = [each.name for each in fields(one) if each.name not in _PLACES | without]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, Mapping):
        # In order: a mapping is iterated, by `for_each` for one.
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, Sequence) and not isinstance(one, str | bytes):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _targets(plan: Plan, step: StepId) -> tuple[Any, ...]:
    planned = plan.steps[step]
    return (*((each.name, each.item) for each in planned.targets), planned.left_out)


def _around_differs(before: Plan, after: Plan) -> bool:
    words = frozenset({"steps", "title", "description", "tags", "links", "waivers"})
    runbook = same(before.runbook, after.runbook, words)
    return not (
        runbook and same(before.inventory, after.inventory) and before.inputs == after.inputs
    )

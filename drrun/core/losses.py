"""What becomes of steps whose hosts were declared lost. Pure.

Rules (SPEC section 4, `lost`):
- Nothing contacts what was declared lost. An attempt in flight there is let go of; what became of
  it is not known.
- The step says what then: `skip`, `block` (default), or another action, its ungraceful form, which
  the controller executes.
"""

from collections.abc import Iterator

from drrun.core import wishes as w
from drrun.core.air import Activity, Room
from drrun.core.runbook import StandIn
from drrun.core.state import Key, RunState
from drrun.core.status import FINAL, Phase


def losses(state: RunState, room: Room) -> Iterator[w.Wish]:
    """What is still to be done about targets on lost hosts."""
    for key in lost_targets(state):
        if key in state.ungraceful:
            continue
        target, thing = state.targets[key], _thing(state, key)
        if target.phase is Phase.ACTING and Activity(key) in room.air:
            if not target.ending:
                yield w.LetGo(key, f"{thing} was declared lost")
        elif target.phase is Phase.ACTING:
            yield w.GiveUpContact(key, f"{thing} was declared lost while it was in flight")
        elif isinstance(state.plan.steps[key.step].step.when_lost, StandIn):
            why = f"{thing} was declared lost: its other form is executed"
            yield w.PlanRetry(key, "lost", why)
        else:
            becomes = state.plan.steps[key.step].step.when_lost
            yield w.Lose(key, thing, "skipped" if becomes == "skip" else "blocked")


def lost_targets(state: RunState) -> list[Key]:
    """Targets that have not ended and whose host was declared lost."""
    if not state.around.lost_hosts:
        return []
    return [
        key
        for key, target in state.targets.items()
        if target.status not in FINAL
        and not state.plan.steps[key.step].left_out
        and _thing(state, key)
    ]


def _thing(state: RunState, key: Key) -> str:
    """The lost thing that a target's own host went with, "" if it is there."""
    target = next(each for each in state.plan.steps[key.step].targets if each.name == key.target)
    return state.around.lost_hosts.get(target.host.name, "") if target.host else ""

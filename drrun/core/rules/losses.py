"""What becomes of steps whose hosts were declared lost. Pure.

Rules (contract section 4, `lost`):
- Nothing contacts what was declared lost. An attempt in flight there is let go of; what became of
  it is not known.
- The step says what then: `skip`, `block` (default), or another action, its ungraceful form, which
  the controller executes.
"""

from collections.abc import Iterator

from drrun.core import events as ev
from drrun.core.model.ids import TargetKey
from drrun.core.model.runbook import StandIn
from drrun.core.model.status import Phase
from drrun.core.rules import wishes as w
from drrun.core.rules.capacity import Activity, Capacity
from drrun.core.rules.probe_lists import waits_now
from drrun.core.state.run_state import RunState, attempt_of, planned


def losses(state: RunState, room: Capacity) -> Iterator[w.Wish]:
    """What is still to be done about targets on lost hosts."""
    for key in state.stranded:
        if key in state.in_lost_form:
            continue
        target, thing = state.targets[key], _thing(state, key)
        if target.phase is Phase.ACTING and Activity(key) in room.air:
            if not target.ending:
                yield w.LetGo(key, f"{thing} was declared lost")
        elif target.phase is Phase.ACTING and not waits_now(state, key):
            why = f"{thing} was declared lost while it was in flight"
            yield w.Record(ev.ContactLost(**attempt_of(state, key), why=why))
        elif isinstance(planned(state, key).step.when_lost, StandIn):
            why = f"{thing} was declared lost: its alternative is executed"
            yield w.PlanRetry(key, "lost", why)
        else:
            yield w.Record(_lost(state, key, thing))


def _lost(state: RunState, key: TargetKey, thing: str) -> ev.TargetLost:
    skips = planned(state, key).step.when_lost == "skip"
    becomes = "skipped" if skips else "blocked"
    return ev.TargetLost(step=key.step, target=key.target, thing=thing, becomes=becomes)


def _thing(state: RunState, key: TargetKey) -> str:
    """The lost thing that a target's own host went with."""
    host = state.acts_on[key].host
    return state.circumstances.lost_hosts[host.name] if host else ""

"""Plans and runs for tests of views."""

from typing import Any

from drrun.core import events as ev
from drrun.core.model.inventory import Inventory
from drrun.core.model.plan import Plan, Selection, bind
from drrun.core.model.runbook import Estimate, Runbook, Step
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration
from drrun.core.state.run_state import RunState
from drrun.report.facts import Fact
from drrun.report.run_view import RunHead, RunView, run_view
from tests.unit.core.worlds import World

START = 1_704_963_600.0


def lasts(seconds: float, worst: float | None = None) -> Estimate:
    """An estimate."""
    return Estimate(Duration(seconds), Duration(worst if worst is not None else seconds))


def bound(*steps: Step, inventory: Inventory | None = None, **keys: Any) -> Plan:
    """A plan of these steps; `keys` go to the runbook."""
    runbook = Runbook(**{"name": "test", **keys}, steps={each.id: each for each in steps})
    return bind(runbook, inventory or Inventory(), {}, Selection(), lambda value, _: value)


def begun(plan: Plan, **keys: Any) -> World:
    """A world in which the run has just begun."""
    world = World(plan, now=START, **keys)
    world.record(
        ev.RunStarted(
            name="test",
            title="",
            mode="live",
            variant="",
            inputs={},
            options={},
            by="drew",
            tool="0",
        )
    )
    return world


def viewed(
    state: RunState, now: float = START + 60, status: RunStatus = RunStatus.RUNNING
) -> RunView:
    """The view of a run."""
    return run_view(state, RunHead("20240111-test-1", "drew", status, "drew@laptop"), now)


def facts(world: World) -> list[Fact]:
    """The journal of a world."""
    return [
        Fact(number, at, "controller", event)
        for number, (at, event) in enumerate(world.journal, 1)
    ]

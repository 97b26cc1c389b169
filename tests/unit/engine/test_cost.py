"""What a target costs does not depend on how many there are: lines executed are counted."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

import drrun
from drrun.core.model.actions import RunAction
from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.outcomes import Ended
from drrun.core.model.plan import Plan
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration
from drrun.core.tabletop.simulation import Simulation
from drrun.ports.hands import AttemptListener
from drrun.ports.places import AttemptOrder, Output
from drrun.testing.scripted import ScriptedHands
from tests.unit.core.worlds import plan_of, probe, step
from tests.unit.engine.rigs import Rig

#: How much more a target of a run four times as large may cost.
GROWTH = 1.15
OURS = drrun.__path__[0]


class Lines:
    """How many lines of drrun the calling thread has executed."""

    count = 0


@contextmanager
def counting() -> Iterator[Lines]:
    lines = Lines()

    def line(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        del frame, argument
        lines.count += event == "line"
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        del event, argument
        return line if frame.f_code.co_filename.startswith(OURS) else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield lines
    finally:
        sys.settrace(before)


def targets_of(plan: Plan) -> int:
    return sum(len(planned.targets) for planned in plan.steps.values())


class OneByOne(ScriptedHands):
    """Everything is in the air together, and one attempt ends in each turn."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[AttemptListener] = deque()
        self._told = False

    def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
        self._waiting.append(report)
        self._tell()

    def forget(self, order: AttemptOrder) -> None:
        self._told = False
        self._tell()

    def _tell(self) -> None:
        if self._waiting and not self._told:
            self._told = True
            self._waiting.popleft().done(Ended(0))


def driven(plan: Plan, hands: type[ScriptedHands] = ScriptedHands) -> float:
    """Lines a target, in the controller's thread."""
    session = Rig(plan, hands=hands()).start(max_parallel=4000)
    with counting() as lines:
        standing = session.drive()
    assert standing.status is RunStatus.SUCCEEDED
    return lines.count / targets_of(plan)


def simulated(plan: Plan) -> float:
    simulation = Simulation(plan, lambda key, _: 1.0 + hash(key.target) % 100)
    with counting() as lines:
        state = simulation.drive()
    assert state.ended is RunStatus.SUCCEEDED
    return lines.count / targets_of(plan)


def hosts(number: int, sessions: int = 1000) -> Inventory:
    return Inventory(hosts={f"h{n}": Host(f"h{n}", max_sessions=sessions) for n in range(number)})


NAMES = RunAction("echo {{ steps.s0.state }} {{ host }} {{ run.id }}")


def independent(steps: int) -> Plan:
    made = (step(f"s{n}", on=("h*",), action=NAMES) for n in range(steps))
    return plan_of(*made, inventory=hosts(10))


def crowded(steps: int) -> Plan:
    """Far more may begin than its hosts have room for."""
    made = (step(f"s{n}", on=("h*",), action=NAMES) for n in range(steps))
    return plan_of(*made, inventory=hosts(10, sessions=2))


def chain(steps: int) -> Plan:
    made = (
        step(f"s{n}", *([f"s{n - 1}"] if n else []), action=NAMES, verify=(probe(),))
        for n in range(steps * 10)
    )
    return plan_of(*made)


def layers(steps: int) -> Plan:
    made = (
        step(f"s{n}", *([f"s{n - 10}"] if n >= 10 else []), on=("h*",), action=NAMES)
        for n in range(steps)
    )
    return plan_of(*made, inventory=hosts(10))


def fan_out(steps: int) -> Plan:
    return plan_of(step("s0", on=("h*",)), inventory=hosts(steps * 10))


def polled(steps: int) -> Plan:
    """All want a place at the same moment, again and again, and few have one."""
    looks = probe(stable_for=Duration(10), every=Duration(5))
    return plan_of(step("s0", on=("h*",), verify=(looks,)), inventory=hosts(steps * 10))


@pytest.mark.parametrize("plan", [independent, chain, layers, fan_out])
def test_a_target_of_a_large_run_costs_what_one_of_a_small_run_does(
    plan: Callable[[int], Plan],
) -> None:
    small, large = driven(plan(20)), driven(plan(80))
    assert large <= small * GROWTH


@pytest.mark.parametrize("plan", [independent, crowded, layers, fan_out])
def test_what_else_is_in_the_air_makes_an_end_no_dearer(plan: Callable[[int], Plan]) -> None:
    small, large = driven(plan(10), OneByOne), driven(plan(40), OneByOne)
    assert large <= small * GROWTH


@pytest.mark.parametrize("plan", [independent, chain, fan_out, polled])
def test_a_simulated_target_of_a_large_run_costs_what_one_of_a_small_run_does(
    plan: Callable[[int], Plan],
) -> None:
    small, large = simulated(plan(40)), simulated(plan(160))
    assert large <= small * GROWTH

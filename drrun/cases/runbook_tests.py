"""Tests runbooks: simulates a run with given results, and reports the first difference."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from drrun.cases.load_plan import PlanRequest, load
from drrun.cases.simulate import Scenario, conditions, durations, status_of
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding, InputError
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Level
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.core.nearest import did_you_mean
from drrun.core.tabletop.fiction import Fiction
from drrun.core.tabletop.injects import Inject, fiction_of
from drrun.core.tabletop.simulation import Simulation
from drrun.files.runbook.tests_yaml import Expected, RunbookTest, TestFile
from drrun.report.services import service_views


@dataclass(frozen=True, slots=True)
class Tried:
    """The result of one test."""

    test: RunbookTest
    #: The first difference; "" if there is none.
    difference: str


def try_out(tests: TestFile, path: Path, inventory: tuple[Path, ...]) -> Iterator[Tried]:
    """Execute tests in their order.

    Raises:
        InputError: The runbook, or a test itself, is wrong.
    """
    for test in tests.tests:
        wanted = PlanRequest(
            runbook=path.parent / tests.runbook,
            inventories=inventory,
            inputs={**tests.inputs, **test.inputs},
            mode=test.mode,
            variant=test.variant,
        )
        plan = load(wanted).plan
        _check(plan, test)
        told = fiction_of(test.happens, None)
        simulation = Simulation(
            plan,
            durations(Scenario(plan), None),
            Fiction({**told.scripts, **test.results}, told.moments),
            condition=conditions(plan),
        )
        simulation.drive()
        yield Tried(test, next(_differences(test, simulation), ""))


def _check(plan: Plan, test: RunbookTest) -> None:
    expect = test.expect
    steps: dict[str, Any] = dict.fromkeys(expect.order or (), "order")
    steps |= dict.fromkeys(expect.blocked or (), "blocked")
    steps |= dict.fromkeys((*expect.steps, *expect.attempts), "steps")
    steps |= {name.partition("@")[0]: "results" for name in test.results}
    wrong = [
        f"{where}: there is no step {step!r}{did_you_mean(step, plan.steps)}"
        for step, where in steps.items()
        if step not in plan.steps
    ]
    wrong += [f"results: {why}" for name in test.results if (why := _no_target(plan, name))]
    known = plan.runbook.services
    wrong += [
        f"services: there is no service {name!r}{did_you_mean(name, known)}"
        for name in expect.services
        if name not in known
    ]
    if wrong:
        raise InputError([Finding(test.place, f"{test.name}: {each}") for each in wrong])
    check_injects(plan, test.happens)


def _no_target(plan: Plan, name: str) -> str:
    """Why `step@target` does not exist; "" if it does, or if no target is named."""
    step, at, target = name.partition("@")
    planned = next((each for each in plan.steps.values() if each.step.id == step), None)
    if not at or planned is None:
        return ""
    targets = [str(each.name) for each in planned.targets]
    if target in targets:
        return ""
    return f"step {step} has no target {target!r}{did_you_mean(target, targets)}"


def check_injects(plan: Plan, injects: tuple[Inject, ...]) -> None:
    """Refuse injects that name something unknown.

    Raises:
        InputError: Names every such inject.
    """
    wrong = [
        Finding(inject.place, f"{inject.kind}: {why}")
        for inject in injects
        if (why := _unknown(plan, inject))
    ]
    if wrong:
        raise InputError(wrong)


def _unknown(plan: Plan, inject: Inject) -> str:
    if inject.kind in ("lose", "find"):
        return unknown_thing(plan, inject.what)
    if inject.kind != "say" and inject.what not in plan.steps:
        return f"there is no step {inject.what!r}{did_you_mean(inject.what, plan.steps)}"
    return ""


def unknown_thing(plan: Plan, thing: str) -> str:
    """Why the plan does not know `thing`; "" if it does."""
    kind, _, name = thing.partition(":")
    inventory = plan.inventory
    roles = plan.runbook.roles.values()
    known = {
        "site": set(inventory.sites),
        "host": set(inventory.hosts),
        "provider": {site.provider for site in inventory.sites.values()} - {""},
        "person": {who for role in roles for who in (*role.people, *role.deputies)},
    }
    if kind not in known:
        return f"{thing!r}: write site:, host:, provider: or person: and a name"
    if name not in known[kind]:
        return f"there is no {kind} {name!r}{did_you_mean(name, known[kind])}"
    return ""


def _differences(test: RunbookTest, simulation: Simulation) -> Iterator[str]:
    """All differences, in the order of the checks."""
    yield from _order(test.expect.order or (), simulation)
    yield from _of_steps(test.expect, simulation)
    yield from _of_run(test.expect, simulation)


def _of_steps(expect: Expected, simulation: Simulation) -> Iterator[str]:
    state = simulation.state
    for name, status in expect.steps.items():
        seen = state.step(_id(simulation, name))
        if seen is not status:
            yield f"step {name}: expected {status}, saw {seen}{_why(simulation, name)}"
    if expect.blocked is not None:
        blocked = [step for step in state.plan.order if state.step(step) is Status.BLOCKED]
        if set(blocked) != set(expect.blocked):
            yield f"blocked: expected {_list(expect.blocked)}, saw {_list(tuple(blocked))}"
    for name, times in expect.attempts.items():
        keys = state.keys(_id(simulation, name))
        most = max(state.targets[key].attempt for key in keys)
        if most != times:
            yield f"attempts of {name}: expected {times}, saw {most}"


def _of_run(expect: Expected, simulation: Simulation) -> Iterator[str]:
    state = simulation.state
    for view in service_views(state.plan, state, simulation.now):
        wanted = expect.services.get(view.name)
        level = view.level or Level.DOWN
        if wanted is not None and level is not wanted:
            yield f"service {view.name}: expected {wanted}, saw {level}"
    end = status_of(state)
    if expect.run is not None and end is not expect.run:
        yield f"run: expected {expect.run}, saw {end}"
    length = simulation.journal[-1][0]
    if expect.within is not None and length > expect.within:
        yield f"within: expected at most {expect.within}, took {Duration(length)}"


def _order(wanted: tuple[str, ...], simulation: Simulation) -> Iterator[str]:
    begun: dict[str, None] = {}
    for _, event in simulation.journal:
        if isinstance(event, ev.TargetBegan):
            begun.setdefault(event.step)
    order = list(begun)
    for first, then in pairwise(wanted):
        for step in (first, then):
            if step not in begun:
                yield f"order: expected {step} to begin, it never did{_why(simulation, step)}"
                return
        if order.index(first) > order.index(then):
            yield f"order: expected {first} before {then}, saw {then} before {first}"
            return


def _why(simulation: Simulation, name: str) -> str:
    notes = (simulation.state.targets[key].note for key in
             simulation.state.keys(_id(simulation, name)))  # fmt: skip
    note = next((note for note in notes if note), "")
    return f" ({note})" if note else ""


def _id(simulation: Simulation, name: str) -> Any:
    return next(step for step in simulation.plan.order if step == name)


def _list(names: tuple[Any, ...]) -> str:
    return ", ".join(str(name) for name in names) or "nothing"


def told_of(tests: TestFile, tried: Tried) -> dict[str, Any]:
    """The result of a test as JSON data."""
    return {
        "name": tried.test.name,
        "passed": not tried.difference,
        "difference": tried.difference or None,
        "place": str(tried.test.place),
        "runbook": tests.runbook,
    }

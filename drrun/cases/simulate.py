"""Many trials of one plan: how long it takes, and what that depends on.

Rules:
- The seed alone determines a trial, so every trial can be repeated.
- An estimate `{p50, p90}` becomes a log-normal distribution with these two values: a duration is
  never negative, and trouble makes it longer. A plain estimate has `SPREAD` as p90 / p50.
- Trials run on all processors of the machine. The result does not depend on their number.
"""

import math
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import field
from functools import partial
from random import Random
from statistics import median

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError, NotReady
from drrun.core.model.ids import RunId, StepId, TargetKey
from drrun.core.model.plan import Plan
from drrun.core.model.status import FINAL, RunStatus, Status
from drrun.core.state.run_state import RunState
from drrun.core.tabletop.injects import Inject, fiction_of
from drrun.core.tabletop.simulation import Condition, Simulation, Takes, estimated
from drrun.engine.naming import LateSecrets, run_names, step_values, target_names
from drrun.files.templates.templating import Templates
from drrun.report.forecast import begun_at
from drrun.report.services import service_views
from drrun.report.tabletop.trials import Trial

#: p90 / p50 of a plain estimate.
SPREAD = 1.5
#: The 90th percentile of the standard normal distribution.
_P90 = 1.2815515655446004
#: Fewer trials than this run in this process: starting others costs more.
_FEW = 8


#: Step -> seconds that it took in each measured run.
Measured = Mapping[StepId, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated: a plan, and what goes wrong."""

    plan: Plan
    injects: tuple[Inject, ...] = ()
    #: Used instead of the estimates of these steps.
    measured: Measured = field(default_factory=dict)


def trials(scenario: Scenario, number: int, seed: int) -> list[Trial]:
    """Run `number` trials with random durations, in the order of their seeds."""
    seeds = range(seed, seed + number)
    one = partial(trial, scenario)
    if number < _FEW:
        return [one(each) for each in seeds]
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(one, seeds, chunksize=max(1, number // (workers * 8))))


def trial(scenario: Scenario, seed: int | None) -> Trial:
    """One trial; without a seed everything takes exactly its estimate."""
    return trial_of(simulated(scenario, seed), seed)


def simulated(scenario: Scenario, seed: int | None) -> Simulation:
    """Run one simulation to its end."""
    chance = None if seed is None else Random(seed)  # noqa: S311 - chance, not secrecy
    simulation = Simulation(
        scenario.plan,
        durations(scenario, chance),
        fiction_of(scenario.injects, chance.random if chance else None),
        condition=conditions(scenario.plan),
    )
    simulation.drive()
    return simulation


def trial_of(simulation: Simulation, seed: int | None) -> Trial:
    """Summarise a finished simulation."""
    plan, state = simulation.plan, simulation.state
    times = {
        str(step): (began, state.settled_at.get(step, simulation.now))
        for step in plan.order
        if (began := begun_at(state, step)) is not None and state.step(step) in FINAL
    }
    views = service_views(plan, state, simulation.now)
    return Trial(
        seed=seed,
        status=str(status_of(state)),
        length=simulation.journal[-1][0],
        recovered={view.name: view.recovered for view in views},
        times=times,
        critical=_critical(plan, times),
        others={
            str(step): str(status)
            for step in plan.order
            if (status := state.step(step)) is not Status.PASSED
        },
    )


def status_of(state: RunState) -> RunStatus:
    """The status of a simulated run that has come to rest."""
    if state.ended is not None:
        return state.ended
    return RunStatus.PAUSED if state.paused else RunStatus.WAITING


def conditions(plan: Plan) -> Condition:
    """Evaluates conditions; true if one needs a value that only a real step finds out."""
    renderer = Templates()
    common = run_names(plan, RunId("simulation"), 0.0, LateSecrets({}, _NoSecrets()))

    def holds(state: RunState, step: StepId) -> bool:
        planned = plan.steps[step]
        outside = {**common, "steps": step_values(state)}
        inside = target_names(state, next(state.keys(step)), planned.targets[0], common)
        asked = [(each, outside) for each in planned.step.only_if]
        asked += [(planned.step.when, inside)] if planned.step.when else []
        try:
            return all(renderer.condition(each, names) for each, names in asked)
        except (InputError, NotReady):
            return True

    return holds


class _NoSecrets:
    """Secrets of a simulation: it resolves none."""

    def resolve(self, name: str) -> str:
        """Refuse."""
        raise NotReady(f"the secret {name} is not resolved in a simulation")


def durations(scenario: Scenario, chance: Random | None) -> Takes:
    """How long everything takes: by estimate or as measured, exactly or at random."""
    plan, measured = scenario.plan, scenario.measured
    if chance is None:
        base = {
            step: median(measured[step]) if step in measured else estimated(planned)
            for step, planned in plan.steps.items()
        }
        return lambda key, _attempt: base[key.step]
    middle = {step: estimated(planned) for step, planned in plan.steps.items()}
    spread = {step: _spread(plan, step) for step in plan.steps}

    def takes(key: TargetKey, _attempt: int) -> float:
        if key.step in measured:
            return chance.choice(measured[key.step])
        if not middle[key.step]:
            return 0.0
        return middle[key.step] * math.exp(chance.gauss(0.0, spread[key.step]))

    return takes


def _spread(plan: Plan, step: StepId) -> float:
    estimate = plan.steps[step].step.estimate
    if estimate is None:
        return 0.0
    ratio = estimate.p90 / estimate.p50 if estimate.p50 else 1.0
    return math.log(ratio if ratio > 1 else SPREAD) / _P90


def _critical(plan: Plan, times: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    if not times:
        return ()
    chain = [max(times, key=lambda step: times[step][1])]
    while True:
        needs = (
            str(each) for need in plan.steps[StepId(chain[-1])].step.needs for each in need.any_of
        )
        before = [step for step in needs if step in times]
        if not before:
            return tuple(reversed(chain))
        chain.append(max(before, key=lambda step: times[step][1]))

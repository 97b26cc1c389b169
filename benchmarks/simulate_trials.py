"""1,000 trials of a 300-step runbook, and one trial of 10,000 steps, beside a plain sum.

Run: `python benchmarks/simulate_trials.py`. Prints seconds and ratios; asserts nothing.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from drrun.cases.simulate import Scenario, trial, trials
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Estimate
from drrun.core.model.values import Duration
from tests.unit.core.worlds import plan_of, step


def plan(steps: int) -> Plan:
    chance = Random(1)
    made = []
    for number in range(steps):
        needs = {f"s{chance.randrange(max(0, number - 30), number)}" for _ in range(2) if number}
        estimate = Estimate(Duration(chance.randint(60, 3600)), Duration(7200))
        made.append(step(f"s{number}", *sorted(needs), estimate=estimate))
    return plan_of(*made)


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def main() -> None:
    small, large = plan(300), plan(10_000)
    plain = timed(lambda: [sum(each.length for each in small.steps.values()) for _ in range(1000)])
    many = timed(lambda: trials(Scenario(small), 1000, 1))
    one = timed(lambda: trial(Scenario(large), None))
    print(f"1,000 trials of 300 steps: {many:.1f} s ({many / plain:.0f} times a plain sum)")
    print(f"one trial of 10,000 steps: {one:.1f} s")


if __name__ == "__main__":
    main()

"""`drrun simulate`: SourceHut's hours to the minute, what-ifs, and many trials."""

import json
from pathlib import Path
from typing import Any

import pytest

from drrun.core import events as ev
from drrun.core.tabletop.simulation import Simulation, estimated
from tests.programs import Program
from tests.unit.core.worlds import World, plan_of, step

REPLAY = Path(__file__).with_name("replay.yml")
HOUR, MINUTE = 3600.0, 60.0
#: Hours of the post-mortem: access was lost, and the migration was declared.
LOST, DECLARED = 3 * HOUR, 27 * HOUR


@pytest.fixture
def program(tmp_path: Path) -> Program:
    place = Program(tmp_path)
    place.write("replay.yml", REPLAY.read_bytes())
    return place


def simulated(program: Program, *words: str) -> dict[str, Any]:
    done = program.here("simulate", "replay.yml", "--json", *words)
    assert done.exit == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def ends(told: dict[str, Any]) -> dict[str, float]:
    return {each["id"]: each["ends"] for each in told["steps"]}


def test_the_hours_of_the_post_mortem_come_out_to_the_minute(program: Program) -> None:
    told = simulated(program)
    found = ends(told)
    golden = {
        "g1": DECLARED,
        "s1": DECLARED + 31 * HOUR + 13 * MINUTE,
        "s3": DECLARED + 31 * HOUR + 13 * MINUTE,
        "s4": DECLARED + 31 * HOUR + 38 * MINUTE,
        "s2": DECLARED + 34 * HOUR,
        "s6": DECLARED + 35 * HOUR,
        "p2": DECLARED + 42 * HOUR + 30 * MINUTE,
        "s5": DECLARED + 50 * HOUR,
        "s7": DECLARED + 95 * HOUR + 20 * MINUTE,
        "w1": DECLARED + 129 * HOUR,
        "c1": DECLARED + 145 * HOUR + 30 * MINUTE,
    }
    assert {step: found[step] for step in golden} == golden
    assert told["length"] - LOST == 169 * HOUR + 30 * MINUTE


def test_services_and_what_the_end_waited_for_are_told(program: Program) -> None:
    told = simulated(program)
    assert told["services"]["git"] == DECLARED + 50 * HOUR
    assert told["critical_path"][-1] == "c1"
    assert told["status"] == "succeeded"


def test_nothing_is_kept_of_a_simulation(program: Program) -> None:
    simulated(program)
    assert program.json("history")["runs"] == []


def test_a_step_that_fails_blocks_what_needs_it(program: Program) -> None:
    told = simulated(program, "--fail", "d2")
    assert told["status"] == "failed"
    assert set(told["never"]) == {"s3", "d4", "s5"}
    assert told["services"]["git"] is None
    assert told["services"]["chat"] == DECLARED + 145 * HOUR + 30 * MINUTE


def test_a_slower_step_delays_what_waits_for_it(program: Program) -> None:
    assert ends(simulated(program, "--slow", "c1=2x"))["c1"] == DECLARED + 260.5 * HOUR


def test_somebody_who_never_answers_keeps_only_their_own_waiting(program: Program) -> None:
    told = simulated(program, "--silent", "h1")
    assert told["status"] == "waiting"
    assert told["services"]["hg"] is None
    assert told["services"]["chat"] is not None


def test_many_trials_give_percentiles_and_what_matters_most(program: Program) -> None:
    told = simulated(program, "--trials", "40", "--seed", "7")
    again = simulated(program, "--trials", "40", "--seed", "7")
    assert told == again
    length = told["length"]
    assert length["p50"] < length["p90"] <= length["p99"]
    assert next(iter(told["sensitivity"])) == "c1"
    assert told["criticality"]["c1"] > 0.5
    assert told["services"]["chat"]["share_recovered"] == 1


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--fail", "nope"], "no step 'nope'"),
        (["--slow", "c1"], "STEP=3x"),
        (["--lose", "moon:full@2h"], "site:"),
        (["--silent", "nobody"], "no step 'nobody'"),
    ],
)
def test_an_inject_that_cannot_be_is_named(program: Program, words: list[str], what: str) -> None:
    done = program.here("simulate", "replay.yml", *words)
    assert (done.exit, what in done.err) == (2, True), done.err


def test_a_lost_site_is_lost_at_its_moment(program: Program) -> None:
    program.write(
        "two.yml",
        "drrun: 1\nname: two\nsteps:\n"
        "  early: {on: a1, estimate: 1h, run: 'true', verify: {run: 'true'}}\n"
        "  late: {on: a1, needs: [early], estimate: 1h, run: 'true', verify: {run: 'true'}}\n",
    )
    program.write(
        "inventory/i.yml",
        "sites: {a: {}}\nhosts: {a1: {site: a, routes: [{address: 192.0.2.1}]}}\n",
    )
    told = json.loads(program.here("simulate", "two.yml", "--lose", "site:a@90m", "--json").out)
    statuses = {each["id"]: each["status"] for each in told["steps"]}
    assert statuses["early"] == "passed"
    assert statuses.get("late") != "passed"


def test_the_simulation_decides_as_the_engine_does() -> None:
    """Both are driven by `decide`: for the same answers they do the same in the same order."""
    plan = plan_of(
        step("a"), step("m", "a"), step("b", "a"), step("c", "b", "m"), step("d", ("b", "c"))
    )
    world = World(plan)
    world.max_parallel = 1
    simulation = Simulation(plan, lambda key, _: estimated(plan.steps[key.step]), max_parallel=1)
    simulation.drive()
    world.drive()
    begun = [event.step for _, event in world.journal if isinstance(event, ev.TargetBegan)]
    ours = [event.step for _, event in simulation.journal if isinstance(event, ev.TargetBegan)]
    assert ours == begun

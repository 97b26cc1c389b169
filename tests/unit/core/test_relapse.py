"""What follows when something that had passed is broken again."""

from functools import partial
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.ids import LOCAL, StepId, TargetKey
from drrun.core.model.probes import Verdict
from drrun.core.rules.relapse import RERUNS, relapse, threshold, window_after
from tests.unit.core.worlds import World, manual, plan_of, probe, statuses, step

KEY = TargetKey(StepId("a"), LOCAL)
HOLDS, BROKEN, DOUBT = Verdict.HOLDS, Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL


def watched(on_regressed: str | None = None) -> World:
    plan = plan_of(
        step("a", watch=(probe(),), on_regressed=on_regressed), step("b", "a"), manual("hold", "b")
    )
    world = World(plan)
    world.drive()
    return world


def break_it(world: World) -> None:
    for event in relapse(world.state, KEY, "alive", "no answer"):
        world.record(event)
    world.drive()


@pytest.mark.parametrize("written", [None, "pause"])
def test_what_is_broken_again_pauses_the_run(written: str | None) -> None:
    world = watched(written)
    break_it(world)
    assert (world.state.paused, statuses(world.state, "a")) == (
        "a regressed: alive: no answer",
        ["regressed"],
    )


def test_on_regressed_continue_goes_on() -> None:
    world = watched("continue")
    break_it(world)
    world.ask("confirm", step="hold")
    assert (world.state.paused, statuses(world.drive(), "hold")) == ("", ["passed"])


def test_on_regressed_rerun_acts_again_and_then_asks_people() -> None:
    world = watched("rerun")
    for _ in range(RERUNS + 1):
        break_it(world)
    acted = [attempt for key, attempt in world.effects if key == KEY]
    assert (acted, bool(world.state.paused)) == (list(range(1, RERUNS + 2)), True)


def test_no_resume_begins_the_budget_of_reruns_anew() -> None:
    world = watched("rerun")
    for _ in range(RERUNS):
        break_it(world)
    world.resume()
    break_it(world)
    assert world.state.paused


def test_a_person_who_wants_it_again_begins_the_budget_anew() -> None:
    world = watched("rerun")
    for _ in range(RERUNS + 1):
        break_it(world)
    world.ask("retry", step="a")
    world.ask("unpause")
    world.drive()
    break_it(world)
    assert statuses(world.state, "a") == ["passed"]


def test_what_holds_again_by_itself_counts_as_passed() -> None:
    world = watched()
    break_it(world)
    world.record(ev.Recovered(step="a", target="local", name="alive"))
    assert statuses(world.state, "a") == ["passed"]


def test_a_run_that_is_paused_is_paused_no_second_time() -> None:
    world = watched()
    world.ask("pause", reason="lunch")
    break_it(world)
    assert world.state.paused == "lunch (by simon)"


@pytest.mark.parametrize(
    ("written", "numbers"),
    [(None, (1, 1)), ("3 of 5", (3, 5)), ("4 of 2", (4, 4))],
)
def test_a_threshold_looks_at_least_at_as_many_answers_as_it_wants(
    written: str | None, numbers: tuple[int, int]
) -> None:
    assert threshold(written) == numbers


def window_of(before: tuple[bool, ...], verdict: Verdict, of: int) -> tuple[bool, ...]:
    return window_after(before, verdict, of)


@given(st.lists(st.sampled_from([HOLDS, BROKEN, DOUBT])), st.integers(1, 5))
def test_a_window_holds_the_last_answers_that_could_be_told(
    answers: list[Verdict], of: int
) -> None:
    none: tuple[bool, ...] = ()
    windows = list(accumulate(answers, partial(window_of, of=of), initial=none))
    told = [verdict is BROKEN for verdict in answers if verdict is not DOUBT]
    assert list(windows[-1]) == told[-of:]
    assert all(
        before == after
        for verdict, (before, after) in zip(answers, pairwise(windows), strict=True)
        if verdict is DOUBT
    )

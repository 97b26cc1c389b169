"""Plans: targets, order, length, and what is wrong with a runbook as a whole."""

import pytest

from drrun.core.model import graph
from drrun.core.model.errors import InputError
from drrun.core.model.ids import StepId
from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.plan import Plan, Selection, bind, hosts_matching
from drrun.core.model.runbook import Estimate, Mode, Runbook, Step
from drrun.core.model.values import Duration, Share
from tests.unit.core.worlds import plan_of, step

HOSTS = {
    "db1.phl": Host("db1.phl", site="phl", groups=("database",)),
    "db1.ams": Host("db1.ams", site="ams", groups=("database",)),
    "git1.ams": Host("git1.ams", site="ams"),
}
INVENTORY = Inventory(hosts=HOSTS)


def targets(plan: Plan, name: str) -> list[str]:
    return [target.name for target in plan.steps[StepId(name)].targets]


def takes(name: str, seconds: float, *needs: str | tuple[str, ...]) -> Step:
    return step(name, *needs, estimate=Estimate(Duration(seconds), Duration(seconds)))


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (("db1.phl",), ["db1.phl"]),
        (("database",), ["db1.phl", "db1.ams"]),
        (("site:ams",), ["db1.ams", "git1.ams"]),
        (("*.ams",), ["db1.ams", "git1.ams"]),
        (("local",), ["local"]),
        (("site:ams", "!git1.ams"), ["db1.ams"]),
        ((), ["local"]),
    ],
)
def test_a_step_acts_on_what_its_pattern_names(on: tuple[str, ...], expected: list[str]) -> None:
    assert targets(plan_of(step("a", on=on), inventory=INVENTORY), "a") == expected


@pytest.mark.faults(7)
def test_a_pattern_that_names_nothing_is_an_error() -> None:
    with pytest.raises(InputError, match=r"no host, group or site matches 'db1.fre'"):
        plan_of(step("a", on=("db1.fre",)), inventory=INVENTORY)


def test_patterns_that_match_nothing_are_told_apart() -> None:
    assert hosts_matching(["database", "nobody"], INVENTORY) == (
        ["db1.phl", "db1.ams"],
        ["nobody"],
    )


def test_for_each_has_a_target_for_each_item() -> None:
    assert targets(plan_of(step("a", for_each=["x", {"name": "y", "size": 3}])), "a") == ["x", "y"]


def test_an_item_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(InputError, match="'x' twice"):
        plan_of(step("a", for_each=["x", "x"]))


@pytest.mark.parametrize(
    ("batch", "sizes"),
    [
        ((), (20,)),
        ((Share(8),), (8, 16, 20)),
        ((Share(1), Share(10, percent=True), Share(100, percent=True)), (1, 3, 20)),
    ],
)
def test_batches_grow_as_written(batch: tuple[Share, ...], sizes: tuple[int, ...]) -> None:
    plan = plan_of(step("a", for_each=[f"i{n}" for n in range(20)], batch=batch))
    assert plan.steps[StepId("a")].batches == sizes


def test_a_step_of_another_mode_is_left_out_with_the_reason() -> None:
    plan = plan_of(step("a", modes=(Mode.REHEARSAL,)))
    assert plan.steps[StepId("a")].left_out == "only in mode rehearsal"


def test_the_whole_circle_is_named() -> None:
    steps = {each.id: each for each in (step("a", "b"), step("b", "c"), step("c", "a"))}
    with pytest.raises(InputError, match="a -> b -> c -> a"):
        bind(Runbook(name="r", steps=steps), Inventory(), {}, Selection(), lambda value, _: value)


def test_a_step_that_needs_itself_is_a_circle() -> None:
    one = step("a", "a")
    assert graph.find_cycles({one.id: one}) == [("a", "a")]


def test_the_critical_path_is_the_longest_chain() -> None:
    plan = plan_of(takes("a", 1), takes("b", 10), takes("c", 1, "a", "b"), takes("d", 2, "a"))
    assert (list(plan.critical_path), plan.length) == (["b", "c"], Duration(11))


def test_of_alternatives_the_quickest_counts() -> None:
    plan = plan_of(takes("fast", 1), takes("slow", 100), takes("c", 1, ("fast", "slow")))
    assert plan.ends[StepId("c")] == 2


def test_steps_come_after_what_they_need_else_as_written() -> None:
    plan = plan_of(step("z"), step("a", "m"), step("m"))
    assert plan.order == ("z", "m", "a")


@pytest.mark.faults(19)
def test_a_chain_of_a_thousand_steps_is_planned() -> None:
    plan = plan_of(step("s0"), *(takes(f"s{n}", 1, f"s{n - 1}") for n in range(1, 1000)))
    assert plan.length == Duration(999)


def test_a_step_whose_hosts_are_all_taken_out_again_is_an_error() -> None:
    with pytest.raises(InputError, match="its `on` leaves no host"):
        plan_of(step("a", on=("site:ams", "!*.ams")), inventory=INVENTORY)


def test_a_mapping_fans_out_over_its_names() -> None:
    plan = plan_of(step("a", for_each={"git": 1, "hg": 2}))
    items = {each.name: each.item["value"] for each in plan.steps[StepId("a")].targets}
    assert items == {"git": 1, "hg": 2}


@pytest.mark.parametrize("items", ["git, hg", 3])
def test_what_is_no_list_is_no_list_of_items(items: object) -> None:
    with pytest.raises(InputError, match="for_each needs a list"):
        plan_of(step("a", for_each=items))


def test_a_plan_without_steps_has_no_critical_path() -> None:
    assert plan_of().critical_path == ()


def test_everything_that_a_step_needs_is_found_near_and_far() -> None:
    plan = plan_of(step("a"), step("b", "a"), step("c", ("a", "b")), step("d"))
    assert graph.ancestors_of(plan.runbook.steps, StepId("c")) == {"a", "b"}


def test_a_step_that_waits_for_a_circle_is_in_none() -> None:
    with pytest.raises(InputError) as refused:
        plan_of(step("a", "b"), step("b", "a"), step("c", "a"))
    assert str(refused.value) == "steps wait in a circle: a -> b -> a"

"""A dry-run looks, shows, and changes nothing."""

from drrun.core.model.actions import UsesAction
from drrun.core.model.ids import StepId
from drrun.core.model.outcomes import Ended, NeverStarted
from drrun.core.model.plan import Selection
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.runbook import Mode, OnFailure, Step
from drrun.core.rules.dry_run import REACHED, reaching
from tests.unit.core.worlds import (
    World,
    decision,
    manual,
    plan_of,
    probe,
    stand_in,
    statuses,
    step,
    two_sites,
    wait,
)

DRY = Selection(mode=Mode.DRY_RUN)
NOT, DOUBT = Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL


def dry(*steps: Step, **world: object) -> World:
    made = World(plan_of(*steps, selection=DRY), **world)  # type: ignore[arg-type] # kwargs
    made.drive()
    return made


def says_no(purpose: Purpose, verdict: Verdict = NOT) -> object:
    return lambda _, asked, __: verdict if asked is purpose else Verdict.HOLDS


def test_nothing_acts_and_everything_is_shown() -> None:
    world = dry(step("a"), manual("b", "a"), decision("c", "b"), wait("d", "c", **{"for": 60}))
    assert (statuses(world.state), world.effects) == (["skipped"] * 4, {})


def test_nobody_is_asked() -> None:
    world = dry(step("a", approval={"role": "dba"}), step("b", irreversible=True))
    assert statuses(world.state) == ["skipped", "skipped"]


def test_a_step_that_only_reads_is_executed() -> None:
    fact = step("lag", action=UsesAction("fact", {"probe": probe()}))
    world = dry(fact)
    assert (statuses(world.state), world.effects.total()) == (["passed"], 1)


def test_what_a_step_has_for_dry_runs_is_executed_and_is_no_pass() -> None:
    world = dry(step("a", dry_run=stand_in("rsync -n"), verify=(probe(),)))
    assert (statuses(world.state), world.effects.total(), world.asked) == (["skipped"], 1, {})


def test_what_is_done_already_is_seen_to_be() -> None:
    world = dry(step("a", done_when=(probe(),)))
    assert (statuses(world.state), world.target("a").already) == (["passed"], True)


def test_a_guard_that_does_not_hold_fails_where_nothing_would_have_changed_before() -> None:
    world = dry(step("a", guard=(probe(),)), answering=says_no(Purpose.GUARD))
    assert statuses(world.state) == ["failed"]


def test_a_guard_is_tolerated_where_a_step_before_would_change_what_it_sees() -> None:
    world = dry(step("a"), step("b", "a", guard=(probe(),)), answering=says_no(Purpose.GUARD))
    assert statuses(world.state) == ["skipped", "skipped"]
    assert "does not hold yet" in world.target("b").note


def test_a_change_far_before_is_tolerated_too() -> None:
    steps = (step("a"), manual("b", "a"), step("c", "b", "a", guard=(probe(),)))
    assert statuses(dry(*steps, answering=says_no(Purpose.GUARD)).state, "c") == ["skipped"]


def test_a_persons_word_changes_nothing_that_a_guard_could_see() -> None:
    world = dry(manual("a"), step("b", "a", guard=(probe(),)), answering=says_no(Purpose.GUARD))
    assert statuses(world.state) == ["skipped", "failed"]


def test_a_persons_work_that_is_verified_may_change_what_a_guard_sees() -> None:
    first = manual("a", verify=(probe(),))
    world = dry(first, step("b", "a", guard=(probe(),)), answering=says_no(Purpose.GUARD))
    assert statuses(world.state) == ["skipped", "skipped"]


def test_whether_it_is_done_already_may_be_unknown_before_it_was_ever_done() -> None:
    world = dry(step("a", done_when=(probe(),)), answering=says_no(Purpose.DONE_WHEN, DOUBT))
    assert statuses(world.state) == ["skipped"]


def test_an_unreachable_host_is_never_tolerated() -> None:
    looks = step("b", "a", dry_run=stand_in(), on_failure=OnFailure.CONTINUE)
    world = dry(step("a"), looks, acting=lambda *_: NeverStarted("no route"))
    assert statuses(world.state) == ["skipped", "failed"]


def test_a_host_that_is_not_reached_is_never_tolerated() -> None:
    world = dry(
        step("a"),
        step("b", "a", guard=(probe(name=REACHED),)),
        answering=says_no(Purpose.GUARD),
    )
    assert statuses(world.state, "b") == ["failed"]


def test_what_goes_wrong_in_a_look_is_told() -> None:
    world = dry(step("a"), step("b", "a", dry_run=stand_in()), acting=lambda *_: Ended(3))
    assert world.target("b").note == "would fail now (failed): exit 3"


def test_every_step_on_a_host_sees_first_whether_it_is_reached() -> None:
    steps = (step("far", on=("db1",), guard=(probe("own"),)), step("near"))
    plan = plan_of(*steps, inventory=two_sites(), selection=DRY)
    found = reaching(plan.steps)
    guards = {name: [each.label for each in found[name].step.guard] for name in found}
    assert guards == {"far": [REACHED, "run: own"], "near": []}


def test_a_step_that_is_left_out_reaches_nobody() -> None:
    chosen = Selection(mode=Mode.DRY_RUN, left_out={StepId("far"): "--skip"})
    plan = plan_of(step("far", on=("db1",)), inventory=two_sites(), selection=chosen)
    assert reaching(plan.steps) == plan.steps


def test_what_was_shown_is_kept_apart_from_what_passed() -> None:
    world = dry(step("a"), step("b", done_when=(probe(),)))
    assert world.state.shown == {"a"}

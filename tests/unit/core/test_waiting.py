"""What happens while people, clocks and locks are waited for."""

import pytest

from drrun.core import events as ev
from drrun.core.model.ids import LOCAL, StepId, TargetKey
from drrun.core.model.outcomes import Ended
from drrun.core.model.plan import Selection
from drrun.core.model.probes import Verdict
from drrun.core.model.runbook import Mode, Retry, Role
from drrun.core.model.values import Duration
from drrun.core.rules import wishes as w
from drrun.core.rules.roles import named
from drrun.core.rules.waiting import escalated_to
from tests.unit.core.worlds import World, manual, plan_of, probe, statuses, step, wait

KEY = TargetKey(StepId("a"), LOCAL)


def asked(role: str = "dba", **more: object) -> World:
    """A question is open."""
    world = World(plan_of(manual("a"))).start("drew")
    world.record(ev.TargetBegan(step="a", target="local"))
    opened = ev.GateOpened(
        step="a", target="local", gate="manual", text="?", role=role, **more  # type: ignore[arg-type]
    )  # fmt: skip
    world.record(opened)
    return world


def facts(world: World) -> list[ev.Event]:
    return [wish.event for wish in world.decide().wishes if isinstance(wish, w.Record)]


def test_whoever_is_asked_is_reminded_again_and_again() -> None:
    world = asked(remind_every=60.0)
    told = []
    for _ in range(3):
        (at,) = {world.decide().wake_at}
        assert at is not None
        world.now = at
        world.obey_all()
        told.append(at - 1000)
    assert (told, world.target("a").gate and world.target("a").gate.reminded) == (  # type: ignore[union-attr]
        [60, 120, 180],
        3,
    )


def test_a_reminder_goes_to_everybody_who_may_answer() -> None:
    world = asked(remind_every=60.0)
    world.now += 60
    (reminded,) = facts(world)
    assert isinstance(reminded, ev.PersonReminded)
    assert reminded.to == ("drew", "simon", "ludovic", "ada")


def test_nobody_is_reminded_before_it_is_time() -> None:
    world = asked(remind_every=60.0)
    world.now += 59
    assert facts(world) == []


def test_deputies_and_the_driver_are_told_when_nobody_answers() -> None:
    world = asked(escalate_after=600.0)
    world.now += 600
    assert facts(world) == [ev.GateEscalated(step="a", target="local", to=("ada", "drew"))]


def test_a_question_escalates_once() -> None:
    world = asked(escalate_after=600.0)
    world.now += 600
    world.obey_all()
    world.now += 600
    assert facts(world) == []


def test_a_role_that_does_not_exist_escalates_to_the_driver() -> None:
    assert escalated_to(asked().state, "nobody") == ("drew",)


def test_a_role_is_named_with_the_people_who_have_it() -> None:
    assert named(asked().state, "dba") == "dba (drew, simon, ludovic, ada)"


@pytest.mark.parametrize(("role", "said"), [("", "anybody"), ("unknown", "unknown")])
def test_a_role_without_people_is_named_alone(role: str, said: str) -> None:
    assert named(asked().state, role) == said


def test_a_role_without_people_may_be_answered_for_by_anybody() -> None:
    plan = plan_of(step("a", approval={"role": "empty"}), roles={"empty": Role("empty")})
    world = World(plan).start("drew")
    world.drive()
    world.ask("approve", "eve", step="a")
    assert statuses(world.drive(), "a") == ["passed"]


def test_a_wait_takes_as_long_as_it_says() -> None:
    world = World(plan_of(wait("a", **{"for": 60})))
    world.drive()
    assert (statuses(world.state, "a"), world.now) == (["passed"], 1060.0)


def test_a_wait_for_probes_ends_when_they_hold() -> None:
    until = (probe(within=Duration(60), every=Duration(5)),)
    world = World(
        plan_of(wait("a", until=until)),
        answering=lambda *args: Verdict.HOLDS if args[2] == 2 else Verdict.DOES_NOT_HOLD,
    )
    world.drive()
    assert (statuses(world.state, "a"), world.asked.total()) == (["passed"], 3)


def test_a_wait_for_what_does_not_come_fails() -> None:
    until = (probe(within=Duration(20), every=Duration(5)),)
    world = World(plan_of(wait("a", until=until)), answering=lambda *_: Verdict.DOES_NOT_HOLD)
    assert statuses(world.drive(), "a") == ["failed"]


def test_a_step_does_not_begin_before_its_hour() -> None:
    world = World(plan_of(step("a", not_before="14:00")), clock=lambda _: 5000.0)
    world.drive()
    (began,) = [at for at, each in world.journal if isinstance(each, ev.TargetBegan)]
    assert began == 5000.0


def test_the_hour_of_a_step_is_that_of_the_wall_clock() -> None:
    world = World(plan_of(step("a", not_before="14:00")), clock=lambda _: 5000.0)
    world.record(ev.WallClockSet(ahead=100.0))
    world.drive()
    (began,) = [at for at, each in world.journal if isinstance(each, ev.TargetBegan)]
    assert began == 4900.0


def test_a_dry_run_waits_for_no_hour() -> None:
    plan = plan_of(step("a", not_before="14:00"), selection=Selection(mode=Mode.DRY_RUN))
    world = World(plan, clock=lambda _: 5000.0)
    world.drive()
    assert world.now < 5000


def test_waiting_for_an_hour_is_recorded_once() -> None:
    world = World(plan_of(step("a", not_before="14:00"), step("b")), clock=lambda _: 5000.0)
    world.drive()
    waits = [each for _, each in world.journal if isinstance(each, ev.TargetWaiting)]
    assert len(waits) == 1


def test_what_waits_for_a_lock_says_for_which() -> None:
    plan = plan_of(step("a", locks=("db",)), step("b", locks=("db",)), locks={"db": 1})
    world = World(plan)
    world.obey_all()
    waits = [each for _, each in world.journal if isinstance(each, ev.TargetWaiting)]
    assert [(each.step, each.detail) for each in waits] == [("b", "lock db")]


def test_a_retry_waits_for_its_pause() -> None:
    world = World(
        plan_of(step("a", retry=Retry(attempts=2))),
        acting=lambda _, attempt: Ended(2 - attempt),
    )
    world.obey_all()
    world.land(next(iter(world.air)))
    world.obey_all()
    assert (len(world.air), world.decide().wake_at) == (0, world.now + 1)


def test_a_condition_that_is_false_leaves_the_step_out_and_dependents_go_on() -> None:
    plan = plan_of(step("a", when="inputs.planned"), step("b", "a"))
    world = World(plan, condition=lambda _: False)
    assert statuses(world.drive()) == ["skipped", "passed"]


def test_why_a_step_was_left_out_is_told() -> None:
    plan = plan_of(step("a", when="x", only_if=("y",)))
    world = World(plan, condition=lambda _: False)
    world.drive()
    (skipped,) = [each for _, each in world.journal if isinstance(each, ev.StepSkipped)]
    assert skipped.why == "when: y and x is false"


def test_a_step_of_another_mode_is_left_out_with_the_reason() -> None:
    plan = plan_of(step("a", modes=(Mode.REHEARSAL,)), step("b", variants=("planned",)))
    world = World(plan)
    world.drive()
    skipped = [each.why for _, each in world.journal if isinstance(each, ev.StepSkipped)]
    assert skipped == ["only in mode rehearsal", "only in variant planned"]

"""The one list of what happened in a run, made from facts alone."""

from collections.abc import Mapping

import pytest

from drrun.core import events as ev
from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.model.outcomes import Ended
from drrun.core.model.runbook import Level, Objectives, Service
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.core.state.run_state import RunState
from drrun.report.after.chronology import Occurrence, chronology
from drrun.report.after.course import Course, course_of
from drrun.report.facts import Fact
from drrun.report.services import Objective, service_views
from tests.unit.core.worlds import step
from tests.unit.report.runs import START, begun, bound, facts

HOSTS = {
    TargetKey(StepId("a"), TargetName("web1")): "web1",
    TargetKey(StepId("b"), TargetName("web1")): "web1",
    TargetKey(StepId("c"), TargetName("local")): "",
}


def told(
    *events: tuple[float, ev.Event], hosts: Mapping[TargetKey, str] = HOSTS
) -> list[Occurrence]:
    """What these events are told as."""
    journal = [
        Fact(number, at, "controller", event) for number, (at, event) in enumerate(events, 1)
    ]
    return list(chronology(journal, hosts, (), {}))


def took(holder: str, sign_of_life: float | None = None) -> ev.ControllerTook:
    return ev.ControllerTook(
        epoch=1, holder=holder, host="laptop", pid=1, tool="0", sign_of_life=sign_of_life
    )


def missed(name: str, target: str = "web1") -> ev.ContactMissed:
    return ev.ContactMissed(step=name, target=target, attempt=1, silent=5.0, why="")


def found(name: str, target: str = "web1") -> ev.ContactFound:
    return ev.ContactFound(step=name, target=target, attempt=1, after=12.0, route="")


def test_a_host_that_two_jobs_miss_is_gone_once_and_back_once() -> None:
    lines = told((10.0, missed("a")), (11.0, missed("b")), (17.0, found("a")), (18.0, found("b")))
    assert [(each.at, each.word, each.about) for each in lines] == [
        (5.0, "host", "web1"),
        (17.0, "host", "web1"),
    ]
    assert lines[1].text == "is back after 12s"


def test_a_driver_that_died_has_an_end_at_its_last_sign_of_life() -> None:
    lines = told((0.0, took("bob")), (20.0, took("carol", sign_of_life=8.0)))
    assert [(each.at, each.by) for each in lines] == [(0.0, "bob"), (8.0, "bob"), (20.0, "carol")]
    assert "without a word" in lines[1].text
    assert lines[2].text.endswith("nobody drove for 12s")


def test_what_a_driver_has_recorded_is_a_sign_of_life() -> None:
    note = ev.Noted(by="bob", text="all is well")
    lines = told((0.0, took("bob")), (15.0, note), (20.0, took("carol", sign_of_life=8.0)))
    assert [each.at for each in lines if "without a word" in each.text] == [15.0]


def test_a_driver_that_lives_when_another_takes_over_was_relieved() -> None:
    lines = told((0.0, took("bob")), (20.0, took("carol", sign_of_life=19.5)))
    assert lines[1].text == "was relieved by carol"
    assert "nobody" not in lines[2].text


def test_after_the_end_of_a_run_nobody_is_missed() -> None:
    ended = ev.RunEnded(status="failed")
    lines = told((0.0, took("bob")), (5.0, ended), (900.0, took("dave", sign_of_life=5.0)))
    assert [each.text for each in lines] == [
        "drives the run from laptop", "failed", "drives the run from laptop",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "signature", "signed"),
    [("alice", "", False), ("alice", "SSH", True), ("controller", "", None)],
)
def test_only_answers_of_people_are_signed_or_not(
    by: str, signature: str, signed: bool | None
) -> None:
    answer = ev.GateAnswered(
        step="c", target="local", gate="manual", answer="confirm", by=by, signature=signature
    )
    [line] = told((1.0, answer))
    assert line.signed is signed
    assert ("(unsigned)" in line.whole, "(signed)" in line.whole) == (
        signed is False,
        signed is True,
    )


def test_steps_that_are_blocked_together_are_one_entry() -> None:
    blocked = [(1.0, ev.StepBlocked(step=each, because=("z",))) for each in ("a", "b", "c")]
    [line] = told(*blocked)
    assert (line.about, line.text) == ("a, b, c", "needs z")


def went() -> tuple[Course, RunState]:
    """`up` fails once and then passes; `top` fails for good; `up` is undone."""
    plan = bound(
        step("up", raises={"git": Level.READ_ONLY}),
        step("top", "up", raises={"git": Level.READ_WRITE}),
        services={"git": Service("git")},
    )
    world = begun(plan)
    world.acting = lambda key, _: Ended(1 if key.step == "top" else 0)
    world.drive()
    for event in (
        ev.RollbackBegan(why="enough", by="drew", steps=("up",)),
        ev.UndoBegan(step="up", target="local"),
    ):
        world.now += 10
        world.record(event)
    return course_of(RunState(plan), facts(world)), world.state


def test_a_level_that_was_reached_stays_in_the_course_after_the_way_back() -> None:
    course, state = went()
    assert [(each.level, each.why) for each in course.levels] == [
        (Level.READ_ONLY, "passed"),
        (None, "is being undone"),
    ]
    assert service_views(state.plan, state, START)[0].level is None


def test_a_failure_stands_while_other_steps_are_undone() -> None:
    course, _ = went()
    assert [(each.step, each.why != "") for each in course.failures] == [("top", True)]


def test_each_try_has_the_status_at_its_end_and_an_undo_is_a_try_of_its_own() -> None:
    course, _ = went()
    assert [(each.step, each.undo, each.status, each.ended is None) for each in course.tries] == [
        ("up", False, Status.PASSED, False),
        ("top", False, Status.FAILED, False),
        ("up", True, Status.RUNNING, True),
    ]


@pytest.mark.parametrize(
    ("closed_after", "verdict"), [(30.0, Objective.NOT_REACHED), (90.0, Objective.MISSED)]
)
def test_an_objective_is_judged_at_the_close_and_never_again(
    closed_after: float, verdict: Objective
) -> None:
    plan = bound(
        step("up", raises={"git": Level.READ_WRITE}),
        services={"git": Service("git", objectives=Objectives(rto=Duration(60)))},
    )
    world = begun(plan)
    world.now = START + closed_after
    world.record(ev.RunEnded(status="failed"))
    world.record(ev.RunClosed(by="drew", why="", open=()))
    for later in (0.0, 1e6):
        [git] = service_views(plan, world.state, world.now + later)
        assert git.objective is verdict
        assert git.overdue == (30.0 if verdict is Objective.MISSED else None)

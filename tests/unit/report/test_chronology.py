"""The one list of what happened in a run, made from facts alone."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.model.outcomes import Ended
from drrun.core.model.runbook import Level, Objectives, Retry, Service
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.core.state.run_state import RunState
from drrun.report.after.chronology import Occurrence, chronology
from drrun.report.after.course import Course, course_of
from drrun.report.facts import Fact
from drrun.report.services import Objective, service_views
from tests.unit.core.worlds import World, stand_in, step
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


def test_a_host_that_only_the_next_driver_finds_is_back() -> None:
    reached = ev.HostReached(host="web1", boot="1")
    lines = told((10.0, missed("a")), (30.0, reached), (31.0, found("a")), (32.0, reached))
    assert [(each.at, each.text.split(";")[0]) for each in lines] == [
        (5.0, "cannot be reached"),
        (30.0, "is back after 25s"),
    ]


def test_the_way_to_a_host_is_told_beside_what_happened_to_it() -> None:
    gone = ev.ContactMissed(step="a", target="web1", attempt=1, silent=5.0, why="10.0.0.5 refused")
    [line] = told((10.0, gone))
    assert (line.way, "10.0.0.5" in line.text) == ("10.0.0.5 refused", False)
    assert line.text == "cannot be reached; what runs there is not known until it is back"
    assert line.whole == f"{line.text} (10.0.0.5 refused)"


def test_a_question_says_for_whom_it_is() -> None:
    asked = ev.GateOpened(step="c", target="local", gate="manual", text="Ready?", role="ops")
    [line] = told((1.0, asked))
    assert line.text == "Ready? (for ops)"


def test_a_driver_that_died_has_an_end_at_its_last_sign_of_life() -> None:
    lines = told((0.0, took("bob")), (20.0, took("carol", sign_of_life=8.0)))
    assert [(each.at, each.by) for each in lines] == [(0.0, "bob"), (8.0, "bob"), (20.0, "carol")]
    assert lines[1].text.startswith("last sign of life")
    assert lines[2].text.endswith("nobody drove for 12s")


def test_what_a_driver_has_recorded_is_a_sign_of_life() -> None:
    note = ev.Noted(by="bob", text="all is well")
    lines = told((0.0, took("bob")), (15.0, note), (20.0, took("carol", sign_of_life=8.0)))
    assert [each.at for each in lines if "sign of life" in each.text] == [15.0]


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


def test_a_failure_that_was_put_right_by_a_person_is_not_forgotten() -> None:
    """The night's F5: four failures that were corrected were missing in the report."""
    answers = {1: Ended(1), 2: Ended(2), 3: Ended(0)}
    plan = bound(step("up"))
    world = begun(plan, acting=lambda _key, attempt: answers[attempt])
    for _ in range(2):
        world.drive()
        world.ask("retry", "bob", step="up", reason="the disk was full")
        world.record(ev.RunResumed(by="bob"))
    world.drive()
    course = course_of(RunState(plan), facts(world))
    assert world.state.step(StepId("up")) is Status.PASSED
    assert [each.why.split()[1] for each in course.corrected] == ["1", "2"]
    assert not course.failures


def test_a_retry_that_a_person_asks_for_is_told_with_the_reason() -> None:
    again = ev.TargetReopened(step="c", target="local", by="bob", why="the disk was full")
    behind = ev.TargetReopened(step="b", target="web1", by="bob", freed=True)
    [line] = told((1.0, again), (1.0, behind))
    assert (line.word, line.about, line.by, line.text) == (
        "retry",
        "c",
        "bob",
        "the disk was full",
    )


def test_edited_files_are_told_with_the_lines_that_changed() -> None:
    diff = (
        "--- it.yml (pinned)\n+++ it.yml (now)\n@@ -1 +1 @@\n two:\n-  run: ecko\n+  run: echo\n"
    )
    [line] = told((1.0, ev.FilesChanged(decision="accepted", diff=diff, by="bob")))
    assert line.whole == "files differ: accepted (-  run: ecko; +  run: echo)"
    assert "ecko" not in line.text  # readers elsewhere see no lines: they may name addresses


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


# --- any run ------------------------------------------------------------------------------------

_LEVELS = (Level.READ_ONLY, Level.DEGRADED, Level.READ_WRITE)


@st.composite
def went_back(draw: st.DrawFn) -> World:
    """Any small run in which some attempts fail, taken back after any number of turns."""
    names = [f"s{number}" for number in range(draw(st.integers(2, 6)))]
    steps = []
    for number, name in enumerate(names):
        earlier = names[: max(1, number)]
        needs: set[str] = draw(st.sets(st.sampled_from(earlier), max_size=2)) - {name}
        raises = {"git": draw(st.sampled_from(_LEVELS))} if draw(st.booleans()) else {}
        retry = Retry(attempts=draw(st.integers(1, 3)))
        steps.append(step(name, *sorted(needs), raises=raises, retry=retry, undo=stand_in()))
    fails = draw(st.sets(st.tuples(st.sampled_from(names), st.integers(1, 3))))
    world = begun(bound(*steps, services={"git": Service("git")}))
    world.acting = lambda key, attempt: Ended(1 if (key.step, attempt) in fails else 0)
    world.drive()
    passed = [name for name in names if world.state.step(StepId(name)) is Status.PASSED]
    back = draw(st.booleans())
    if passed and back:
        world.now += 100
        world.record(ev.RollbackBegan(why="enough", by="drew", steps=tuple(passed)))
        world.drive()
    return world


@given(world=went_back())
@settings(max_examples=100, deadline=None)
def test_a_way_back_takes_nothing_from_what_is_known_of_any_run(world: World) -> None:
    journal = facts(world)
    plan = world.plan
    course = course_of(RunState(plan), journal)
    state = RunState(plan)
    ended: dict[StepId, float] = {}
    for fact in journal:
        state.apply(fact.event, fact.at)
        [git] = service_views(plan, state, fact.at)
        changes = [each.level for each in course.levels if each.at <= fact.at]
        later = [each for each in journal if each.at == fact.at and each.seq > fact.seq]
        if not later:
            assert (changes[-1] if changes else None) is git.level
        for step_id, at in ended.items():
            assert state.settled_at[step_id] == at
        for step_id in plan.order:
            if state.step(step_id) is Status.PASSED:
                ended[step_id] = state.settled_at[step_id]
    begins = [each for each in journal if isinstance(each.event, ev.TargetBegan | ev.UndoBegan)]
    assert [each.began for each in course.tries] == [each.at for each in begins]
    assert [each.undo for each in course.tries] == [
        isinstance(each.event, ev.UndoBegan) for each in begins
    ]
    assert all(each.ended is not None and each.ended >= each.began for each in course.tries)
    failed = {step_id for step_id in plan.order if state.step(step_id) is Status.FAILED}
    assert {each.step for each in course.failures} == failed

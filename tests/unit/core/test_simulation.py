"""A run that only happens in time decides as a real one, and takes as long as was written."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from drrun.core import events as ev
from drrun.core.model.errors import Place
from drrun.core.model.ids import LOCAL, StepId, TargetKey
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.runbook import Estimate, OnFailure, Retry, Role, Step
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration, Share
from drrun.core.rules.relapse import RERUNS
from drrun.core.tabletop.fiction import (
    Fiction,
    Moment,
    ScriptedAnswer,
    ScriptedAttempt,
    ScriptedStep,
)
from drrun.core.tabletop.injects import Inject, fiction_of
from drrun.core.tabletop.simulation import Simulation, estimated
from tests.unit.core.worlds import (
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

A = TargetKey(StepId("a"), LOCAL)


def simulated(
    *steps: Step,
    moments: tuple[Moment, ...] = (),
    roles: dict[str, Role] | None = None,
    takes: float = 10.0,
    told: Callable[[Simulation], None] = lambda _: None,
    **scripts: ScriptedStep,
) -> Simulation:
    """A trial; every attempt, wait and answer takes ten seconds."""
    plan = plan_of(*steps, inventory=two_sites(), roles=roles)
    names = {name.replace("_", "@"): script for name, script in scripts.items()}
    made = Simulation(plan, lambda *_: takes, Fiction(names, moments))
    told(made)
    made.drive()
    return made


def attempts(*outcomes: str) -> ScriptedStep:
    return ScriptedStep(tuple(ScriptedAttempt(each) for each in outcomes))


def test_what_nobody_has_written_goes_well() -> None:
    found = simulated(step("a"), manual("b", "a"), decision("c", "b"), step("d", "c"))
    assert (statuses(found.state), found.now) == (["passed"] * 4, 40.0)


def test_steps_that_need_nothing_of_each_other_take_no_longer_than_one() -> None:
    assert simulated(step("a"), step("b"), step("c")).now == 10.0


def test_a_failure_blocks_what_needs_it() -> None:
    found = simulated(step("a"), step("b", "a"), a=ScriptedStep((ScriptedAttempt(exit=3),)))
    assert statuses(found.state) == ["failed", "blocked"]


@pytest.mark.parametrize(
    ("outcome", "becomes"),
    [("timed-out", "failed"), ("unreachable", "failed"), ("unknown", "unknown")],
)
def test_an_attempt_ends_as_it_is_written(outcome: str, becomes: str) -> None:
    script = replace(attempts(outcome), silent=True)
    assert statuses(simulated(step("a"), a=script).state) == [becomes]


def test_an_attempt_that_is_never_begun_is_never_told_to_have_begun() -> None:
    found = simulated(step("a"), a=attempts("unreachable"))
    assert not [each for _, each in found.journal if isinstance(each, ev.AttemptStarted)]


def test_an_attempt_ends_with_its_written_time() -> None:
    found = simulated(step("a", timeout=Duration(4)))
    assert (statuses(found.state), found.now) == (["failed"], 4.0)


def test_a_retry_waits_as_long_as_its_author_wrote() -> None:
    retry = Retry(attempts=3, delay=Duration(5), backoff=10.0, max_delay=Duration(20))
    again = attempts("unreachable", "unreachable", "ended")
    found = simulated(step("a", retry=retry), a=again)
    assert (statuses(found.state), found.now) == (["passed"], 10 + 5 + 10 + 20 + 10)


def test_checks_say_what_is_written_for_each_attempt() -> None:
    verdicts = {Purpose.VERIFY: (Verdict.DOES_NOT_HOLD, Verdict.HOLDS)}
    twice = step("a", verify=(probe(),), retry=Retry(attempts=2))
    found = simulated(twice, a=ScriptedStep(verdicts=verdicts))
    assert (statuses(found.state), found.state.targets[A].attempt) == (["passed"], 2)


def test_looking_after_an_unknown_end_sees_what_verifying_would_see() -> None:
    script = ScriptedStep(
        (ScriptedAttempt("unknown"),), verdicts={Purpose.VERIFY: (Verdict.HOLDS,)}
    )
    assert statuses(simulated(step("a", verify=(probe(),)), a=script).state) == ["passed"]


def test_nothing_is_done_already_unless_it_is_written() -> None:
    found = simulated(step("a", done_when=(probe(),)))
    assert not found.state.targets[A].already


def test_a_wait_takes_the_time_that_it_names() -> None:
    assert simulated(wait("a", **{"for": "90s"})).now == 90.0


def test_a_wait_whose_time_is_not_known_yet_takes_its_estimate() -> None:
    assert simulated(wait("a", **{"for": "{{ inputs.ttl }}"})).now == 10.0


def test_what_is_waited_for_comes_in_its_time() -> None:
    assert simulated(wait("a", until=(probe(),))).now == 10.0


def test_a_step_begins_at_its_hour() -> None:
    found = simulated(step("a", not_before="1970-01-01T00:01:00Z"))
    assert found.now == 70.0


def test_an_hour_that_cannot_be_known_yet_has_come() -> None:
    assert simulated(step("a", not_before="{{ steps.x.at }}")).now == 10.0


def test_a_condition_is_true_unless_somebody_says_otherwise() -> None:
    steps = (step("a", when="x"), step("b", when="x"), step("c", when="x"))

    def told(made: Simulation) -> None:
        made.condition = lambda _, name: name != "b"

    found = simulated(*steps, told=told, c=ScriptedStep(when=False))
    assert statuses(found.state) == ["passed", "skipped", "skipped"]


def test_a_target_has_its_own_script_before_its_steps() -> None:
    fan = step("a", for_each=["x", "y"], max_failures=Share(2))
    bad = ScriptedStep((ScriptedAttempt(exit=1),))
    found = simulated(fan, a_x=ScriptedStep(), a=bad)
    assert found.state.counts(StepId("a")) == {"passed": 1, "failed": 1}


def test_a_decision_takes_its_default_or_its_first_option() -> None:
    found = simulated(decision("a"), decision("b", default="wait"))
    options = [each.option for _, each in found.journal if isinstance(each, ev.GateAnswered)]
    assert options == ["go", "wait"]


def test_a_decision_may_be_refused() -> None:
    found = simulated(decision("a"), a=ScriptedStep(said=ScriptedAnswer("reject")))
    assert statuses(found.state) == ["failed"]


def test_approvals_and_looks_cost_no_time() -> None:
    found = simulated(step("a", approval={"role": "dba"}), roles={})
    assert (statuses(found.state), found.now) == (["passed"], 10.0)


def test_nobody_who_is_silent_ever_answers() -> None:
    found = simulated(manual("a"), a=ScriptedStep(silent=True))
    assert (statuses(found.state), found.state.ended) == (["waiting"], None)


def test_people_may_be_asked_instead() -> None:
    asked: list[float] = []

    def answer(_: ev.GateOpened, at: float) -> ScriptedAnswer:
        asked.append(at)
        return ScriptedAnswer("confirm")

    def told(made: Simulation) -> None:
        made.ask = answer

    found = simulated(step("a"), manual("b", "a"), told=told)
    assert (asked, statuses(found.state, "b")) == ([10.0], ["passed"])


def test_where_everybody_who_may_answer_is_lost_nobody_does() -> None:
    gone = tuple(Moment(0, "lost", f"person:{who}") for who in ("drew", "simon"))
    asks = step("a", approval={"role": "two"})
    found = simulated(asks, moments=gone, roles={"two": Role("two", ("drew", "simon"))})
    assert statuses(found.state) == ["waiting"]


@pytest.mark.parametrize(
    ("when_lost", "becomes"),
    [(None, "blocked"), ("skip", "skipped"), (stand_in(), "passed")],
)
@pytest.mark.parametrize("at", [0.0, 5.0])
def test_a_lost_host_does_to_a_step_what_its_author_wrote(
    when_lost: object, becomes: str, at: float
) -> None:
    lost = (Moment(at, "lost", "host:db1"),)
    found = simulated(step("a", on=("db1",), when_lost=when_lost), moments=lost)
    assert statuses(found.state) == [becomes]


def test_what_is_found_again_goes_on() -> None:
    moments = (Moment(0, "lost", "site:phl"), Moment(30, "found", "site:phl"))
    found = simulated(step("a", on=("db1",)), wait("b", **{"for": "60s"}), moments=moments)
    assert statuses(found.state) == ["passed", "passed"]


def test_what_cannot_be_lost_is_not_lost() -> None:
    found = simulated(step("a"), moments=(Moment(5, "lost", "site:mars"),))
    assert found.state.ended is RunStatus.SUCCEEDED


def test_what_breaks_again_is_done_again_at_once() -> None:
    moments = tuple(Moment(15.0 + 20 * n, "relapse", "a") for n in range(RERUNS + 1))
    steps = (step("a"), wait("b", **{"for": "600s"}))
    found = simulated(*steps, moments=moments)
    assert (found.state.targets[A].attempt, found.state.ended) == (
        RERUNS + 2,
        RunStatus.SUCCEEDED,
    )


def test_what_has_not_passed_cannot_break_again() -> None:
    found = simulated(step("a"), moments=(Moment(5, "relapse", "a"),))
    assert not [each for _, each in found.journal if isinstance(each, ev.Regressed)]


def test_what_is_said_is_heard_and_recorded() -> None:
    heard: list[str] = []

    def told(made: Simulation) -> None:
        made.hear = lambda moment: heard.append(moment.what)

    found = simulated(step("a"), moments=(Moment(5, "say", "the press calls"),), told=told)
    notes = [each.text for _, each in found.journal if isinstance(each, ev.Noted)]
    assert (heard, notes) == (["the press calls"], ["the press calls"])


def test_an_aborted_run_ends_what_acts() -> None:
    steps = (step("bad", on_failure=OnFailure.ABORT), wait("b", **{"for": "5s"}), step("c", "b"))
    found = simulated(*steps, bad=ScriptedStep((ScriptedAttempt(exit=1),)))
    assert (statuses(found.state), found.state.ended) == (
        ["failed", "passed", "cancelled"],
        RunStatus.ABORTED,
    )


@pytest.mark.parametrize(("answer", "becomes"), [("confirm", "passed"), ("reject", "failed")])
def test_people_are_asked_about_a_late_attempt_where_its_author_wants_that(
    answer: str, becomes: str
) -> None:
    slow = step("a", timeout=Duration(4), on_timeout="ask")
    found = simulated(slow, a=ScriptedStep(said=ScriptedAnswer(answer)))
    assert statuses(found.state) == [becomes]


def test_a_step_in_batches_takes_its_estimate_once() -> None:
    estimate = Estimate(Duration(60), Duration(60))
    fan = step("a", for_each=[1, 2, 3, 4], batch=(Share(1), Share(3)), estimate=estimate)
    plan = plan_of(fan)
    length = estimated(plan.steps[StepId("a")])
    made = Simulation(plan, lambda *_: length)
    made.drive()
    assert made.now == 60.0


def test_without_chance_everything_that_may_happen_does_in_the_middle_of_its_span() -> None:
    found = fiction_of([Inject("lose", "site:phl", at=(10.0, 30.0), chance=0.1)], None)
    assert found.moments == (Moment(20.0, "lost", "site:phl"),)


def test_chance_decides_whether_and_when() -> None:
    drawn = iter([0.9, 0.1, 0.25])
    injects = [
        Inject("lose", "site:phl", chance=0.5),
        Inject("lose", "site:ams", at=(10.0, 30.0), chance=0.5),
    ]
    assert fiction_of(injects, lambda: next(drawn)).moments == (Moment(15.0, "lost", "site:ams"),)


@pytest.mark.parametrize(
    ("kind", "moment"),
    [("lose", "lost"), ("find", "found"), ("relapse", "relapse"), ("say", "say")],
)
def test_what_has_a_moment_of_its_own_happens_then(kind: str, moment: str) -> None:
    (found,) = fiction_of([Inject(kind, "x", at=(5.0, 5.0), place=Place("f", 1))], None).moments
    assert found == Moment(5.0, moment, "x")


def test_a_step_fails_as_often_as_is_injected() -> None:
    script = fiction_of([Inject("fail", "a", times=2, outcome="unreachable")], None).script(
        "a", ""
    )
    assert [script.acted(number).outcome for number in (1, 2, 3, 4)] == [
        "unreachable",
        "unreachable",
        "ended",
        "ended",
    ]


def test_a_step_that_fails_without_a_number_always_fails() -> None:
    script = fiction_of([Inject("fail", "a")], None).script("a", "")
    assert {script.acted(number).exit for number in range(1, 9)} == {1}


def test_what_slows_a_step_down_twice_slows_it_down_more() -> None:
    injects = [Inject("slow", "a", factor=2.0), Inject("slow", "a", factor=3.0)]
    assert fiction_of(injects, None).script("a", "").factor == 6.0


def test_who_is_silent_stays_silent_in_all_that_is_injected_besides() -> None:
    script = fiction_of([Inject("silent", "a"), Inject("slow", "a", factor=2.0)], None)
    assert (script.script("a", "").silent, script.script("a", "").factor) == (True, 2.0)

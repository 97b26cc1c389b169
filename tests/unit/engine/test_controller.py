"""The controller's promises, with the fakes that ship."""

import threading

from drrun.core import events as ev
from drrun.core.model.outcomes import Ended, NeverStarted
from drrun.core.model.probes import Verdict
from drrun.core.model.status import RunStatus
from drrun.ports.hands import AttemptListener
from drrun.ports.places import AttemptOrder, Output
from drrun.testing.scripted import ScriptedHands, ScriptedProber
from tests.unit.core.worlds import manual, plan_of, probe, step
from tests.unit.engine.rigs import Driving, Rig, each_status


def test_a_run_goes_to_its_end() -> None:
    rig = Rig(plan_of(step("a"), step("b", "a")))
    assert rig.start().drive().status is RunStatus.SUCCEEDED


def test_the_intent_is_durable_before_the_command_is_sent() -> None:
    rig = Rig(plan_of(step("a")))
    seen: list[list[str]] = []

    class Watching(ScriptedHands):
        def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
            seen.append(rig.kinds(order.run))
            super().begin(order, output, report)

    rig.hands = Watching()
    rig.start().drive()
    assert "AttemptIntended" in seen[0]


def test_the_outcome_is_durable_before_what_depends_on_it_starts() -> None:
    rig = Rig(plan_of(step("a"), step("b", "a")))
    session = rig.start()
    session.drive()
    steps = [(entry.kind, entry.body.get("step")) for entry in rig.entries(session.run)]
    assert steps.index(("AttemptEnded", "a")) < steps.index(("TargetBegan", "b"))


def test_a_failed_verify_names_what_was_seen() -> None:
    rig = Rig(
        plan_of(step("a", verify=(probe("look"),))),
        prober=ScriptedProber({"look": [Verdict.DOES_NOT_HOLD]}),
    )
    session = rig.start()
    session.drive()
    failed = next(each for each in rig.entries(session.run) if each.kind == "TargetFailed")
    assert failed.body["why"] == "run: look: the script says: does not hold"


def test_a_retry_waits_and_acts_again() -> None:
    from drrun.core.model.runbook import Retry
    from drrun.core.model.values import Duration

    rig = Rig(
        plan_of(step("a", retry=Retry(attempts=2, delay=Duration(0.01)))),
        hands=ScriptedHands({"a": [Ended(1), Ended(0)]}),
    )
    assert rig.start().drive().status is RunStatus.SUCCEEDED


def test_a_run_that_only_waits_for_people_is_left_waiting() -> None:
    rig = Rig(plan_of(manual("a"), step("b")))
    standing = rig.start().drive()
    assert (standing.status, standing.why) == (
        RunStatus.WAITING,
        "a person must answer a",
    )


def test_an_answer_from_another_terminal_moves_a_running_run() -> None:
    rig = Rig(plan_of(manual("a"), step("b", "a")))
    driving = Driving(rig.start(linger=None))
    driving.await_event("GateOpened", step="a")
    rig.journal.post(driving.session.run, 0.0, "simon", "confirm", {"step": "a"})
    assert driving.end().status is RunStatus.SUCCEEDED


def test_an_answer_while_nobody_drives_is_found_by_the_next_controller() -> None:
    rig = Rig(plan_of(manual("a"), step("b", "a")))
    session = rig.start()
    session.drive()
    rig.journal.post(session.run, 0.0, "simon", "confirm", {"step": "a"})
    assert rig.resume(session.run).drive().status is RunStatus.SUCCEEDED


def test_a_refusal_blocks_what_comes_after() -> None:
    rig = Rig(plan_of(manual("a"), step("b", "a"), step("c")))
    session = rig.start()
    session.drive()
    rig.journal.post(session.run, 0.0, "simon", "reject", {"step": "a", "reason": "no"})
    rig.resume(session.run).drive()
    assert list(each_status(rig.fold(session.run))) == ["failed", "blocked", "passed"]


def test_a_request_that_cannot_be_done_is_recorded_with_the_reason() -> None:
    rig = Rig(plan_of(manual("a")))
    driving = Driving(rig.start(linger=None))
    driving.await_event("GateOpened", step="a")
    request = rig.journal.post(driving.session.run, 0.0, "simon", "confirm", {"step": "x"})
    driving.await_event("RequestRefused", by="simon")
    driving.session.detach()
    driving.end()
    answer = rig.journal.answer(request)
    assert answer is not None
    assert not answer.accepted


def test_stopping_lets_running_steps_finish_and_begins_nothing_new() -> None:
    rig = Rig(plan_of(step("a"), step("b", "a")))
    rig.hands.holds["a"] = threading.Event()
    driving = Driving(rig.start())
    driving.await_event("AttemptStarted", step="a")
    driving.session.stop()
    rig.hands.holds["a"].set()
    standing = driving.end()
    assert (standing.status, list(each_status(rig.fold(driving.session.run)))) == (
        RunStatus.INTERRUPTED,
        ["passed", "pending"],
    )


def test_detaching_leaves_at_once_and_the_attempt_is_not_failed() -> None:
    rig = Rig(plan_of(step("a")))
    rig.hands.holds["a"] = threading.Event()
    driving = Driving(rig.start())
    driving.await_event("AttemptStarted", step="a")
    driving.session.detach()
    driving.end()
    assert list(each_status(rig.fold(driving.session.run))) == ["running"]


def test_after_a_lost_controller_an_attempt_in_flight_is_not_sent_again() -> None:
    rig = Rig(plan_of(step("a", verify=(probe("look"),))))
    rig.hands.holds["a"] = threading.Event()
    driving = Driving(rig.start())
    driving.await_event("AttemptStarted", step="a")
    driving.session.detach()
    driving.end()
    standing = rig.resume(driving.session.run).drive()
    assert (standing.status, dict(rig.hands.effects)) == (RunStatus.SUCCEEDED, {"a@local#1": 1})


def test_a_paused_run_begins_nothing_until_it_is_unpaused() -> None:
    rig = Rig(plan_of(step("a"), step("b", "a")))
    rig.hands.holds["a"] = threading.Event()
    driving = Driving(rig.start(linger=None))
    driving.await_event("AttemptStarted", step="a")
    rig.journal.post(driving.session.run, 0.0, "simon", "pause", {"reason": "look first"})
    driving.await_event("RunPaused")
    rig.hands.holds["a"].set()
    driving.await_event("ProbesConcluded", step="a")
    assert "b@local#1" not in rig.hands.effects
    rig.journal.post(driving.session.run, 0.0, "simon", "unpause", {})
    assert driving.end().status is RunStatus.SUCCEEDED


def test_a_run_that_failed_only_for_unreachable_hosts_says_so() -> None:
    rig = Rig(plan_of(step("a")), hands=ScriptedHands({"a": [NeverStarted("no route")]}))
    assert rig.start().drive().unreachable


def test_an_undefined_name_fails_the_step_and_sends_nothing() -> None:
    from drrun.core.model.actions import RunAction

    rig = Rig(plan_of(step("a", action=RunAction("echo {{ nobody }}"))))
    session = rig.start()
    session.drive()
    assert (list(each_status(rig.fold(session.run))), rig.hands.commands) == (["failed"], [])


def test_resuming_a_failed_run_acts_on_the_failed_step_only() -> None:
    rig = Rig(plan_of(step("a"), step("b", "a")), hands=ScriptedHands({"b": [Ended(1)]}))
    session = rig.start()
    session.drive()
    rig.resume(session.run, ev.RunResumed(by="drew")).drive()
    assert dict(rig.hands.effects) == {"a@local#1": 1, "b@local#1": 1, "b@local#2": 1}

import json

import pytest

from drrun.core import events as ev
from drrun.core.model.actions import ManualAction
from drrun.core.model.ids import StepId, TargetName
from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.outcomes import Ended
from drrun.core.model.probes import Verdict
from drrun.core.model.runbook import Level, Objectives, Role, Service
from drrun.core.model.status import RunStatus, Status
from drrun.core.model.values import Duration
from drrun.report.clean import columns
from drrun.report.forecast import forecast
from drrun.report.jsondoc import dumps
from drrun.report.jsondoc.runs import run_json, step_json
from drrun.report.services import Objective
from drrun.report.step_view import step_view
from drrun.report.text.line import set_line
from drrun.report.text.lines import take_in
from drrun.report.text.run import run_text, summary_text
from drrun.report.text.sheet import Sheet
from drrun.report.text.step import step_text
from tests.unit.core.worlds import World, manual, probe, step
from tests.unit.report.runs import START, begun, bound, facts, lasts, viewed


def failed() -> World:
    """`a` passed, `b` failed, `c` is blocked."""
    world = begun(
        bound(step("a"), step("b", "a"), step("c", "b")),
        acting=lambda key, _: Ended(3 if key.step == "b" else 0),
    )
    world.drive()
    return world


def asked() -> World:
    """A person is asked."""
    world = begun(
        bound(
            step(
                "fence",
                owner="commander",
                action=ManualAction("switch it off\nboth of them", {"serial": "int"}),
            ),
            roles={"commander": Role("commander", ("drew",))},
        )
    )
    world.drive()
    return world


def test_a_blocked_step_says_what_it_needs() -> None:
    line = viewed(failed().state).lines[2]
    assert (line.status, line.note) == (Status.BLOCKED, "needs b")


def test_a_failed_step_says_how() -> None:
    assert viewed(failed().state).lines[1].note == "exit 3"


def test_the_summary_says_what_to_type_next() -> None:
    text = summary_text(viewed(failed().state, status=RunStatus.FAILED))
    assert "drrun show 20240111-test-1 b" in text
    assert "drrun resume 20240111-test-1" in text


def test_a_question_names_role_people_and_the_command_that_answers() -> None:
    text = run_text(viewed(asked().state, status=RunStatus.WAITING))
    assert "fence asks commander (drew)" in text
    assert "drrun confirm 20240111-test-1 fence --input serial=<int>" in text


def test_a_run_fits_eighty_columns() -> None:
    text = run_text(viewed(failed().state, status=RunStatus.FAILED), Sheet(80))
    assert max(columns(line) for line in text.splitlines()) <= 80


def test_what_was_in_flight_when_the_controller_left_is_unknown() -> None:
    world = begun(bound(step("a")))
    world.record(ev.TargetBegan(step="a", target="local"))
    view = viewed(world.state, status=RunStatus.INTERRUPTED)
    assert view.lines[0].status is Status.UNKNOWN


def test_the_documents_are_json() -> None:
    for world in (failed(), asked()):
        document = json.loads(dumps(run_json(viewed(world.state))))
        assert (document["format"], document["kind"]) == (1, "run")


# --- what remains -------------------------------------------------------------------------------


def test_the_forecast_is_the_longest_path_of_what_remains() -> None:
    world = begun(
        bound(
            step("a", estimate=lasts(100)),
            step("b", "a", estimate=lasts(50)),
            step("c", estimate=lasts(120)),
        )
    )
    found = forecast(world.state, START)
    assert found is not None
    assert found.remaining == Duration(150)


def test_a_running_step_counts_what_its_estimate_leaves() -> None:
    world = begun(bound(step("a", estimate=lasts(100))))
    world.record(ev.TargetBegan(step="a", target="local"))
    found = forecast(world.state, START + 30)
    assert found is not None
    assert found.remaining == Duration(70)


def test_steps_without_an_estimate_are_counted() -> None:
    found = forecast(begun(bound(step("a"), step("b"))).state, START)
    assert found is not None
    assert found.unestimated == 2


def test_a_step_past_its_bad_case_is_late() -> None:
    world = begun(bound(step("a", estimate=lasts(10, worst=20))))
    world.record(ev.TargetBegan(step="a", target="local"))
    assert viewed(world.state, START + 21).lines[0].late
    assert not viewed(world.state, START + 19).lines[0].late


def test_an_ended_run_has_no_forecast() -> None:
    assert forecast(failed().state, START) is None


# --- services -----------------------------------------------------------------------------------


def migrated(rto: float) -> World:
    world = begun(
        bound(
            step("ro", raises={"git": Level.READ_ONLY}),
            step("rw", "ro", raises={"git": Level.READ_WRITE}),
            services={"git": Service("git", objectives=Objectives(rto=Duration(rto)))},
        )
    )
    world.drive()
    return world


@pytest.mark.parametrize(("rto", "verdict"), [(3600, Objective.MET), (1, Objective.MISSED)])
def test_a_recovered_service_is_held_against_its_objective(rto: float, verdict: Objective) -> None:
    service = viewed(migrated(rto).state).services[0]
    assert (service.level, service.objective) == (Level.READ_WRITE, verdict)


def test_a_failed_step_raises_nothing() -> None:
    world = begun(
        bound(step("rw", raises={"git": Level.READ_WRITE})), acting=lambda _key, _try: Ended(1)
    )
    world.drive()
    assert viewed(world.state).services[0].level is None


def test_an_objective_that_is_over_is_missed_while_the_run_goes_on() -> None:
    world = begun(
        bound(
            step("rw", raises={"git": Level.READ_WRITE}),
            services={"git": Service("git", objectives=Objectives(rto=Duration(60)))},
        )
    )
    assert viewed(world.state, START + 59).services[0].objective is Objective.OPEN
    assert viewed(world.state, START + 61).services[0].objective is Objective.MISSED


# --- one step -----------------------------------------------------------------------------------


def test_every_attempt_is_shown_with_its_ending() -> None:
    world = begun(bound(step("b")), acting=lambda _key, attempt: Ended(attempt))
    world.drive()
    world.record(ev.TargetReopened(step="b", target="local", by="drew"))
    world.state.ended = None
    world.drive()
    story = step_view(world.state, facts(world), StepId("b")).targets[0]
    assert [(each.number, each.ending) for each in story.attempts] == [
        (1, "exit 1"),
        (2, "exit 2"),
    ]


def test_a_probe_shows_what_was_expected_and_seen_last() -> None:
    answers = [Verdict.DOES_NOT_HOLD, Verdict.DOES_NOT_HOLD, Verdict.HOLDS]
    world = begun(
        bound(step("a", verify=(probe(within=Duration(60)),))),
        answering=lambda _key, _purpose, times: answers[times],
    )
    world.drive()
    seen = step_view(world.state, facts(world), StepId("a")).targets[0].attempts[0].probes
    assert [(each.verdict, each.times) for each in seen.values()] == [("holds", 3)]


def test_a_blocked_step_shows_what_holds_it_up() -> None:
    world = failed()
    view = step_view(world.state, facts(world), StepId("c"))
    assert [(each.step, each.status) for each in view.hindrances] == [("b", Status.FAILED)]


def test_output_is_shown_behind_a_mark() -> None:
    world = failed()
    view = step_view(world.state, facts(world), StepId("b"))
    text = step_text(view, {(TargetName("local"), 1): {"stdout": ["drrun: all is well"]}})
    assert "  out | drrun: all is well" in text


def test_a_step_is_json() -> None:
    world = failed()
    document = step_json("r", step_view(world.state, facts(world), StepId("b")))
    assert json.loads(dumps(document))["targets"][0]["attempts"][0]["exit"] == 3


# --- one line for each change -------------------------------------------------------------------


def lines_of(world: World) -> list[str]:
    state = type(world.state)(world.plan)
    return [set_line(line) for fact in facts(world) for line in take_in(state, fact)]


def test_each_change_is_one_line() -> None:
    assert [line[9:] for line in lines_of(failed())] == [
        "running   a",
        "passed    a (1s)",
        "running   b",
        "failed    b: exit 3",
        "blocked   c: needs b",
        "ended     failed",
    ]


def test_text_from_elsewhere_stays_on_our_line() -> None:
    world = begun(bound(manual("fence")))
    world.record(ev.Noted(by="eve", text="ok\n12:00:00 passed    everything\x1b[2J", step="fence"))
    assert len(lines_of(world)) == 1
    assert "\x1b" not in lines_of(world)[0]


def test_the_state_behind_the_lines_is_the_run_itself() -> None:
    world = failed()
    state = type(world.state)(world.plan)
    for fact in facts(world):
        take_in(state, fact)
    assert state.targets == world.state.targets


def acting_on(host: str) -> World:
    """A step whose attempt on a host was intended just now."""
    inventory = Inventory(hosts={host: Host(host)})
    world = begun(bound(step("a", on=(host,)), inventory=inventory))
    world.record(ev.TargetBegan(step="a", target=host))
    world.record(
        ev.AttemptIntended(step="a", target=host, attempt=1, action="run", command="x", host=host)
    )
    return world


def test_a_host_that_is_slow_to_reach_is_shown() -> None:
    line = viewed(acting_on("db1").state, START + 12).lines[0]
    assert (line.note, line.contact) == ("connecting to db1, 12s",) * 2


def test_reaching_a_host_at_the_usual_speed_is_nothing_to_speak_of() -> None:
    assert not viewed(acting_on("db1").state, START + 2).lines[0].contact


def test_a_command_that_began_is_not_shown_as_connecting() -> None:
    world = acting_on("db1")
    world.record(ev.AttemptStarted(step="a", target="db1", attempt=1))
    assert not viewed(world.state, START + 12).lines[0].contact

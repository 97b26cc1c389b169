"""People act on a run from any terminal: approvals, decisions, claims, losses, ways back."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, SshdFactory, until

HEAD = """
drrun: 1
name: people
roles:
  commander: {people: [drew], deputies: [simon]}
  admins: {people: [drew, simon, conrad]}
steps:
"""


class Table:
    """A run that waits for people, driven by `drew`, and what they say to it."""

    def __init__(self, program: Program, server: Sshd) -> None:
        self.program = program
        self.server = server
        self.process: subprocess.Popen[str] | None = None

    def begin(self, steps: str, *arguments: str) -> None:
        self.program.write("runbooks/it.yml", HEAD + steps)
        self.process = self.program.start(
            "run", "runbooks/it.yml", "--yes", "--linger", "1h", "--by", "drew", *arguments
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline()  # the run's id: from here on it is known

    def asked(self, *steps: str) -> None:
        """Wait until these steps ask."""

        def asks() -> bool:
            done = self.program.here("status", "latest", "--json")
            return done.exit == 0 and all(f'"step": "{step}"' in done.out for step in steps)

        assert until(asks), self.program.here("status", "latest").out

    def say(self, by: str, command: str, *arguments: str) -> Done:
        return self.program.here(command, "latest", *arguments, "--by", by)

    def is_(self, step: str, *statuses: str) -> None:
        """Wait until a step stands so."""
        assert until(lambda: self.steps().get(step) in statuses), self.program.here(
            "status", "latest"
        ).out

    def steps(self) -> dict[str, str]:
        found: dict[str, Any] = self.program.json("status", "latest")
        return {step["id"]: step["status"] for step in found["steps"]}

    def end(self) -> Done:
        assert self.process is not None
        process, self.process = self.process, None
        return Done.of(process)

    def close(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.end()


@pytest.fixture
def table(tmp_path: Path, sshd_factory: SshdFactory) -> "Any":
    program = Program(tmp_path)
    server = sshd_factory.start()
    program.inventory({"db1": server})
    found = Table(program, server)
    yield found
    found.close()


APPROVED = """
  cut-over:
    run: "true"
    verify: {run: "true"}
    approval: {role: admins, count: 2, message: Cut over?, type_to_confirm: ams}
"""


@pytest.mark.faults(99)
def test_who_drives_the_run_cannot_approve(table: Table) -> None:
    table.begin(APPROVED)
    table.asked("cut-over")
    done = table.say("drew", "approve", "cut-over", "--type", "ams")
    assert (done.exit, "drives this run" in done.err) == (2, True), done.err


def test_who_drove_a_run_that_nobody_drives_may_approve(table: Table) -> None:
    """The night's F7: after `kill -9` bob was told that he drives the run."""
    table.begin(APPROVED)
    table.asked("cut-over")
    assert table.process is not None
    table.process.kill()
    table.end()
    done = table.say("drew", "approve", "cut-over", "--type", "ams")
    assert (done.exit, "only if somebody else than drew resumes" in done.err) == (0, True), (
        done.err
    )


def test_whoever_resumes_is_told_before_that_their_own_approval_does_not_count(
    table: Table,
) -> None:
    table.begin(APPROVED)
    table.asked("cut-over")
    assert table.process is not None
    table.process.kill()
    table.end()
    table.say("simon", "approve", "cut-over", "--type", "ams")
    done = table.program("resume", "latest", "--by", "simon", "--no-input")
    assert done.exit == 2
    assert "simon has approved cut-over. If simon resumes the run" in done.err, done.err
    assert [each["by"] for each in table.program.json("status", "latest")["kept"]] == ["simon"]


@pytest.mark.faults(99)
def test_an_approval_takes_as_many_different_persons_as_it_says(table: Table) -> None:
    table.begin(APPROVED)
    table.asked("cut-over")
    first = table.say("simon", "approve", "cut-over", "--type", "ams")
    again = table.say("simon", "approve", "cut-over", "--type", "ams")
    assert (first.exit, again.exit, "as before" in again.err) == (0, 0, True), again.err
    assert table.steps()["cut-over"] == "waiting"
    table.say("conrad", "approve", "cut-over", "--type", "ams")
    assert table.end().exit == 0


def test_what_is_approved_has_to_be_typed(table: Table) -> None:
    table.begin(APPROVED)
    table.asked("cut-over")
    done = table.say("simon", "approve", "cut-over", "--type", "phl")
    assert (done.exit, "--type 'ams'" in done.err) == (2, True), done.err


def test_somebody_who_is_not_in_the_role_cannot_approve(table: Table) -> None:
    table.begin(APPROVED)
    table.asked("cut-over")
    done = table.say("mallory", "approve", "cut-over", "--type", "ams")
    assert (done.exit, "admins (drew, simon, conrad)" in done.err) == (2, True), done.err


def test_a_refused_approval_blocks_and_never_skips(table: Table) -> None:
    table.begin(APPROVED + "  after: {run: 'true', needs: [cut-over], verify: {run: 'true'}}\n")
    table.asked("cut-over")
    table.say("simon", "reject", "cut-over", "--reason", "not yet")
    assert table.end().exit == 1
    assert table.steps() == {"cut-over": "failed", "after": "blocked"}


DECISION = """
  how:
    decision: How do we go on?
    authority: commander
    options: {failover: {title: to AMS}, wait: {title: for the provider}}
  go: {run: "true", needs: [how], when: steps.how.option == 'failover', verify: {run: "true"}}
  stay: {run: "true", needs: [how], when: steps.how.option == 'wait', verify: {run: "true"}}
"""


def test_a_decision_chooses_the_branch(table: Table) -> None:
    table.begin(DECISION)
    table.asked("how")
    table.say("simon", "decide", "how", "failover", "--reason", "it will not come back")
    assert table.end().exit == 0
    assert table.steps() == {"how": "passed", "go": "passed", "stay": "skipped"}


def test_a_decision_is_recorded_with_who_why_and_what_was_known(table: Table) -> None:
    table.begin(DECISION)
    table.asked("how")
    table.say("simon", "decide", "how", "wait", "--reason", "they answered")
    table.end()
    events = table.program.here("events", "latest", "--json").out
    assert '"known":{"elapsed"' in events
    assert "decided: wait: they answered" in table.program.here("show", "latest", "how").out


def test_another_decision_afterwards_is_a_conflict_the_same_is_fine(table: Table) -> None:
    table.begin(DECISION + "  hold: {manual: wait, needs: [how]}\n")
    table.asked("how")
    table.say("simon", "decide", "how", "wait")
    table.asked("hold")
    same = table.say("simon", "decide", "how", "wait")
    other = table.say("simon", "decide", "how", "failover")
    assert (same.exit, other.exit, "decided for wait by simon" in other.err) == (0, 2, True)


def test_a_default_is_taken_when_the_time_is_over_and_the_record_says_so(table: Table) -> None:
    decision = DECISION.replace("authority: commander", "decide_by: 300ms\n    default: wait")
    table.begin(decision)
    assert table.end().exit == 0
    assert "nobody decided in time" in table.program.here("show", "latest", "how").out


def test_an_option_that_is_not_there_is_refused_with_those_that_are(table: Table) -> None:
    table.begin(DECISION)
    table.asked("how")
    done = table.say("simon", "decide", "how", "panic")
    assert (done.exit, "failover, wait" in done.err) == (2, True), done.err


def test_people_are_reminded_and_others_are_told(table: Table) -> None:
    table.begin(
        "  wait-for: {manual: {text: call, remind_after: 200ms, escalate_after: 400ms},"
        " owner: commander}\n"
    )
    table.asked("wait-for")
    assert until(lambda: "GateEscalated" in table.program.here("events", "latest").out)
    assert "PersonReminded" in table.program.here("events", "latest").out


FAILS = """
  restore: {run: "exit 1", verify: {run: "true"}}
  hold: {manual: wait}
"""


def test_a_second_person_is_told_who_has_claimed_a_step(table: Table) -> None:
    table.begin(FAILS)
    table.is_("restore", "failed")
    table.say("simon", "claim", "restore")
    done = table.say("conrad", "retry", "restore")
    assert (done.exit, "simon has restore" in done.err) == (2, True), done.err
    taken = table.say("conrad", "claim", "restore", "--reason", "simon sleeps")
    assert (taken.exit, table.say("conrad", "retry", "restore").exit) == (0, 0), taken.err


def test_a_handover_gives_everything_that_is_open_to_another(table: Table) -> None:
    table.begin(FAILS)
    table.is_("restore", "failed")
    table.say("simon", "assign", "hold", "simon")
    done = table.say("simon", "handover", "conrad", "the", "disk", "is", "slow")
    assert "handed over to conrad: hold" in done.err, done.err
    assert "conrad has it" in table.program.here("status", "latest").out


LOSSES = """
  graceful:
    run: echo graceful >>effects
    on: db1
    chdir: "{{ host.vars.home }}"
    needs: [hold]
    verify: {run: "true"}
    when_lost: %s
  hold: {manual: wait}
  after: {run: "true", needs: [graceful], verify: {run: "true"}}
"""


@pytest.mark.parametrize(
    ("when_lost", "graceful", "after"),
    [("skip", "skipped", "passed"), ("block", "blocked", "blocked"),
     ("{run: 'true'}", "passed", "passed")],
)  # fmt: skip
def test_what_was_declared_lost_is_not_contacted(
    table: Table, when_lost: str, graceful: str, after: str
) -> None:
    table.begin(LOSSES % when_lost)
    table.asked("hold")
    table.say("drew", "lost", "host:db1", "--reason", "null-routed")
    table.say("drew", "confirm", "hold")
    table.end()
    steps = table.steps()
    assert (steps["graceful"], steps["after"]) == (graceful, after)
    assert effects(table.server.home / "effects") == []


def test_what_was_lost_can_be_found_again(table: Table) -> None:
    table.begin(LOSSES % "skip")
    table.asked("hold")
    table.say("drew", "lost", "host:db1", "--reason", "null-routed")
    table.say("drew", "found", "host:db1")
    assert table.say("drew", "found", "host:db1").exit == 2
    table.say("drew", "confirm", "hold")
    assert table.end().exit == 7  # the step on the lost host was skipped


def test_losing_wants_a_reason_and_a_thing_that_there_is(table: Table) -> None:
    table.begin(LOSSES % "skip")
    table.asked("hold")
    assert "--reason" in table.say("drew", "lost", "host:db1").err
    done = table.say("drew", "lost", "site:atlantis", "--reason", "sunk")
    assert (done.exit, "there is no site 'atlantis'" in done.err) == (2, True)


BACK = """
  one:
    run: echo one >>$HOME/effects
    on: db1
    verify: {run: "true"}
    undo: {run: "echo not-one >>$HOME/effects", verify: {run: grep -q not-one $HOME/effects}}
  two:
    run: echo two >>$HOME/effects
    on: db1
    needs: [one]
    verify: {run: "true"}
    undo: {run: "echo not-two >>$HOME/effects", verify: {run: grep -q not-two $HOME/effects}}
  there: {run: "true", done_when: {run: "true"}, undo: "false"}
  mails: {run: "true", needs: [two], undo: {none: they are sent}, verify: {run: "true"}}
  hold: {manual: wait, needs: [mails]}
"""


@pytest.mark.faults(137)
def test_a_rollback_undoes_in_reverse_order_and_says_what_stays(table: Table) -> None:
    table.begin(BACK)
    table.asked("hold")
    done = table.say("drew", "rollback", "--yes", "--reason", "wrong site")
    assert "mails: they are sent" in done.err, done.err
    assert table.end().exit == 1
    assert effects(table.server.home / "effects") == ["one", "two", "not-two", "not-one"]
    found = table.program.json("status", "latest")
    steps = {step["id"]: step["status"] for step in found["steps"]}
    assert (found["status"], steps["one"], steps["two"], steps["mails"], steps["hold"]) == (
        "rolled-back", "rolled-back", "rolled-back", "passed", "cancelled",
    )  # fmt: skip


def test_on_failure_rollback_takes_back_what_has_passed(table: Table) -> None:
    table.begin(BACK.replace("hold: {manual: wait,", "bad: {run: 'exit 1', on_failure: rollback,"))
    assert table.end().exit == 1
    assert effects(table.server.home / "effects")[-2:] == ["not-two", "not-one"]


def test_past_a_point_of_no_return_only_a_second_person_may_insist(table: Table) -> None:
    table.begin(
        BACK.replace("they are sent}", "they are sent}, irreversible: true"),
        "--allow-irreversible", "mails",
    )  # fmt: skip
    table.asked("hold")
    plain = table.say("drew", "rollback", "--yes", "--reason", "wrong")
    assert (plain.exit, "cannot be undone" in plain.err) == (2, True), plain.err
    driver = table.say("drew", "rollback", "--yes", "--type", "people")
    assert (driver.exit, "second person" in driver.err) == (2, True)
    assert table.say("simon", "rollback", "--yes", "--type", "people").exit == 0
    assert effects(table.server.home / "effects")[:2] == ["one", "two"]


WATCHED = """
  serve:
    run: touch $HOME/up
    on: db1
    verify: {file: "{{ host.vars.home }}/up"}
    watch: {probes: [{run: test -e $HOME/up, name: is up}], threshold: 2 of 3, every: 100ms}
    on_regressed: %s
  hold: {manual: wait}
"""


def test_what_breaks_after_it_passed_is_regressed_and_the_run_pauses(table: Table) -> None:
    table.begin(WATCHED % "pause")
    table.is_("serve", "passed")
    (table.server.home / "up").unlink()
    table.is_("serve", "regressed")
    assert "is up" in table.program.json("status", "latest")["why"]
    (table.server.home / "up").touch()
    table.is_("serve", "passed")


def test_on_regressed_rerun_does_the_step_again(table: Table) -> None:
    table.begin(WATCHED % "rerun")
    table.is_("serve", "passed")
    (table.server.home / "up").unlink()
    assert until((table.server.home / "up").exists)


def test_a_broken_invariant_pauses_the_run_and_names_who_acted(table: Table) -> None:
    table.program.write("unused", "")
    steps = """
  breaks: {run: "touch $HOME/second-writer", on: db1, verify: {run: "true"}}
  hold: {manual: wait, needs: [breaks]}
invariants:
  - {name: one writer, on: db1, run: "test ! -e $HOME/second-writer", every: 100ms}
"""
    table.begin(steps)
    assert until(lambda: table.program.json("status", "latest")["status"] == "paused")
    assert "InvariantBroken" in table.program.here("events", "latest").out
    assert "breaks@db1" in table.program.here("events", "latest", "--json").out


def test_a_guard_can_be_let_pass_once_with_a_reason(table: Table) -> None:
    table.begin(
        "  a: {run: 'true', guard: {name: fenced, run: 'false'}, verify: {run: 'true'}}\n"
        "  hold: {manual: wait}\n"
    )
    table.is_("a", "failed")
    assert "--reason" in table.say("simon", "retry", "a", "--bypass-guard", "fenced").err
    wrong = table.say("simon", "retry", "a", "--bypass-guard", "nope", "--reason", "x")
    assert (wrong.exit, "fenced" in wrong.err) == (2, True)
    table.say("simon", "retry", "a", "--bypass-guard", "fenced", "--reason", "seen it myself")
    table.is_("a", "passed")


def test_a_rejection_can_send_the_run_back_to_an_earlier_step(table: Table) -> None:
    table.begin(
        "  copy: {run: echo copy >>$HOME/effects, on: db1, verify: {run: 'true'}}\n"
        "  look: {manual: does it look right?, needs: [copy]}\n"
    )
    table.asked("look")
    table.say("simon", "reject", "look", "--rewind-to", "copy", "--reason", "half of it")
    assert until(lambda: effects(table.server.home / "effects") == ["copy", "copy"])
    table.asked("look")
    table.say("simon", "confirm", "look")
    assert table.end().exit == 0


def test_a_step_that_is_late_asks_instead_of_being_killed(table: Table) -> None:
    table.begin(
        "  slow: {run: 'sleep 300', on: db1, timeout: 300ms, on_timeout: ask,"
        " verify: {run: 'true'}}\n"
    )
    table.asked("slow")
    table.say("simon", "reject", "slow", "--reason", "it hangs")
    assert table.end().exit == 1
    assert "longer than" in table.program.here("show", "latest", "slow").out


def test_an_unknown_command_for_a_step_that_is_not_there_names_the_way_out(table: Table) -> None:
    table.begin(FAILS)
    table.is_("restore", "failed")
    for command in ("approve", "claim", "retry", "confirm"):
        done = table.say("simon", command, "nope")
        assert (done.exit, "there is no step 'nope'" in done.err) == (2, True), command


def test_evidence_is_kept_by_its_hash_and_comes_back_as_it_was(table: Table) -> None:
    table.begin("  call: {manual: call them, evidence: required}\n")
    table.asked("call")
    assert "evidence" in table.say("simon", "confirm", "call").err
    picture = table.program.folder / "screen shot.png"
    picture.write_bytes(bytes(range(256)) * 1000)
    table.say("simon", "confirm", "call", "--evidence", str(picture))
    table.end()
    listed = table.program.here("evidence", "latest").out
    assert "screen shot.png" in listed
    digest = listed.split()[-1]
    table.program.here("evidence", "latest", digest[:12], "-o", "back.png")
    assert (table.program.folder / "back.png").read_bytes() == picture.read_bytes()


def test_evidence_that_was_changed_is_found_out(table: Table) -> None:
    table.begin("  call: {manual: call them, evidence: required}\n")
    table.asked("call")
    note = table.program.write("note.txt", "they said yes")
    table.say("simon", "confirm", "call", "--evidence", str(note))
    table.end()
    digest = table.program.here("evidence", "latest").out.split()[-1]
    next(table.program.folder.rglob(digest)).write_text("they said no")
    done = table.program.here("evidence", "latest", digest)
    assert (done.exit, "not what was given" in done.err) == (2, True), done.err


def test_a_run_that_has_succeeded_can_be_taken_back(table: Table) -> None:
    table.begin(BACK.replace("  hold: {manual: wait, needs: [mails]}\n", ""))
    assert table.end().exit == 0
    done = table.say("simon", "rollback", "--yes", "--reason", "wrong site after all")
    assert done.exit == 0, done.err
    assert effects(table.server.home / "effects") == ["one", "two", "not-two", "not-one"]
    assert table.program.json("status", "latest")["status"] == "rolled-back"
    assert table.program.here("verify-journal", "latest").exit == 0


@pytest.mark.faults(137)
def test_a_rollback_that_cannot_be_is_refused_before_anything_is_driven(table: Table) -> None:
    table.begin("  a: {run: 'true', verify: {run: 'true'}}\n")
    assert table.end().exit == 0
    done = table.say("simon", "rollback", "--yes")
    assert (done.exit, "can be undone" in done.err) == (2, True), done.err

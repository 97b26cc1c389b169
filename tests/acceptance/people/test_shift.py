"""A long run with people in it: nobody answers, a terminal dies, a shift ends."""

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, SshdFactory, until

RUNBOOK = """
drrun: 1
name: shift
roles:
  commander: {people: [drew], deputies: [simon]}
  operators: {people: [drew, simon]}
  hg-maintainer: {people: [ludovic], deputies: [conrad], contact: hg}
locks: {wire: 1}
steps:
  declare: {manual: Declare the emergency., owner: commander}
  call-provider:
    manual: {text: Ask the provider for a route., contact: colo, remind_after: 300ms}
    owner: operators
    needs: [declare]
  hg-restore:
    manual: {text: Restore hg., remind_after: 400ms, escalate_after: 800ms}
    owner: hg-maintainer
    needs: [declare]
  check-rack: {manual: Look at the rack., owner: operators, needs: [declare]}
  transfer:
    on: ams
    needs: [declare]
    locks: [wire]
    run: |
      echo transfer >>$HOME/effects
      while [ ! -e $HOME/arrived ]; do echo "$(date +%s) bytes"; sleep 0.1; done
    verify: {run: test -e $HOME/arrived}
  count: {run: echo count >>$HOME/effects, on: ams, needs: [declare], verify: {run: "true"}}
  cut-over:
    run: echo cut >>$HOME/effects
    on: ams
    needs: [transfer, call-provider]
    approval: {role: operators, message: Cut over now?}
    verify: {run: "true"}
  open-writes:
    run: echo open >>$HOME/effects
    on: ams
    needs: [cut-over]
    approval: {role: commander, message: Open writes?}
    verify: {run: "true"}
  tell-users: {manual: Tell the users., owner: operators, needs: [open-writes]}
  credit: {manual: Credit everybody., owner: commander, needs: [open-writes]}
"""


class Shift:
    """The run, and two people at terminals of their own."""

    def __init__(self, folder: Path, server: Sshd) -> None:
        self.server = server
        self.program = Program(folder)
        self.program.inventory({"ams": server})
        self.program.write("runbooks/shift.yml", RUNBOOK)
        contact = {"contacts": {"colo": {"channels": [{"kind": "phone", "number": "1"}]}}}
        self.program.write("inventory/contacts.yml", json.dumps(contact))
        self.process = self._first()

    def _first(self) -> "subprocess.Popen[str]":
        process = self.program.start(
            "run", "runbooks/shift.yml", "--yes", "--linger", "1h", "--by", "drew"
        )
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    def say(self, by: str, command: str, *arguments: str) -> Done:
        return self.program.here(command, "latest", *arguments, "--by", by)

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = self.program.here("events", "latest", "--json").out.splitlines()
        return [event for event in map(json.loads, lines) if event["kind"] == kind]

    def statuses(self) -> dict[str, str]:
        found = self.program.json("status", "latest")
        return {step["id"]: step["status"] for step in found["steps"]}

    def wait(self, step: str, status: str) -> None:
        assert until(lambda: self.statuses()[step] == status), self.program.here(
            "status", "latest"
        ).out

    def declare(self) -> None:
        self.wait("declare", "waiting")
        self.say("drew", "confirm", "declare")
        assert until(lambda: "transfer" in effects(self.server.home / "effects"))

    def close(self) -> None:
        (self.server.home / "arrived").touch()
        if self.process.poll() is None:
            self.process.kill()
        Done.of(self.process)


@pytest.fixture
def shift(tmp_path: Path, sshd_factory: SshdFactory) -> Iterator[Shift]:
    found = Shift(tmp_path, sshd_factory.start())
    yield found
    found.close()


def test_while_people_are_waited_for_automatic_steps_go_on(shift: Shift) -> None:
    shift.declare()
    shift.wait("count", "passed")
    assert shift.statuses()["hg-restore"] == "waiting"


def test_an_expert_who_never_answers_is_reminded_then_the_deputy_is_told_and_does_it(
    shift: Shift,
) -> None:
    shift.declare()
    assert until(lambda: bool(shift.events("GateEscalated")))
    asked = next(e for e in shift.events("GateOpened") if e["body"]["step"] == "hg-restore")
    told = shift.events("GateEscalated")[0]
    waited = _moment(told["at"]) - _moment(asked["at"])
    assert (told["body"]["to"][0], 0.7 < waited < 2.5) == ("conrad", True), waited
    assert len(shift.events("PersonReminded")) >= 1
    assert shift.say("conrad", "confirm", "hg-restore").exit == 0
    shift.wait("hg-restore", "passed")


def test_a_third_party_is_waited_for_as_such(shift: Shift) -> None:
    shift.declare()
    shift.wait("call-provider", "waiting")
    gate = next(e for e in shift.events("GateOpened") if e["body"]["step"] == "call-provider")
    assert gate["body"]["contact"] == "colo"


def test_when_a_terminal_dies_another_person_sees_the_same_and_goes_on(shift: Shift) -> None:
    shift.declare()
    before = shift.statuses()
    shift.process.kill()
    Done.of(shift.process)
    seen = shift.program.json("status", "latest")
    assert seen["status"] == "interrupted"
    shift.process = shift.program.start("resume", "latest", "--linger", "1h", "--by", "simon")
    began = time.monotonic()
    assert until(lambda: shift.program.json("status", "latest")["status"] == "running")
    after = shift.statuses()
    assert (after["transfer"], before["transfer"]) == ("running", "running")
    assert time.monotonic() - began < 20
    assert effects(shift.server.home / "effects").count("transfer") == 1


def test_a_shift_ends_in_the_middle_of_a_transfer_and_the_transfer_does_not(
    shift: Shift,
) -> None:
    shift.declare()
    shift.say("drew", "claim", "check-rack")
    handed = shift.say("drew", "handover", "simon", "disk", "17", "is", "slow")
    assert handed.exit == 0, handed.err
    assert shift.statuses()["transfer"] == "running"
    (shift.server.home / "arrived").touch()
    shift.wait("transfer", "passed")
    note = shift.events("HandedOver")[0]["body"]
    assert (note["to"], note["note"]) == ("simon", "disk 17 is slow")
    assert effects(shift.server.home / "effects").count("transfer") == 1


@pytest.mark.faults(99)
def test_nobody_approves_their_own_run_and_two_at_once_count_once(shift: Shift) -> None:
    shift.declare()
    (shift.server.home / "arrived").touch()
    shift.say("drew", "confirm", "call-provider")
    shift.wait("cut-over", "waiting")
    assert shift.say("drew", "approve", "cut-over").exit == 2
    both = [
        shift.program.start("approve", "latest", "cut-over", "--by", "simon") for _ in range(2)
    ]
    assert [Done.of(each).exit for each in both] == [0, 0]
    shift.wait("cut-over", "passed")
    answers = [e for e in shift.events("GateAnswered") if e["body"]["step"] == "cut-over"]
    assert (len(answers), effects(shift.server.home / "effects").count("cut")) == (1, 1)


def test_the_whole_story_ends_well_and_nothing_was_done_twice(shift: Shift) -> None:
    shift.declare()
    (shift.server.home / "arrived").touch()
    for step in ("call-provider", "check-rack"):
        shift.say("drew", "confirm", step)
    shift.say("ludovic", "confirm", "hg-restore")
    shift.wait("cut-over", "waiting")
    shift.say("simon", "approve", "cut-over")
    shift.wait("open-writes", "waiting")
    shift.say("simon", "approve", "open-writes")
    shift.wait("credit", "waiting")
    shift.say("drew", "confirm", "credit")
    shift.say("simon", "confirm", "tell-users")
    done = Done.of(shift.process)
    shift.process = shift.program.start("status", "latest")
    assert done.exit == 0, done.err
    assert sorted(effects(shift.server.home / "effects")) == ["count", "cut", "open", "transfer"]


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_everybody_sees_their_own_and_since_when_they_are_on_duty(shift: Shift) -> None:
    shift.declare()
    shift.say("simon", "claim", "check-rack")
    assert until(lambda: "hg-restore" in shift.say("ludovic", "status", "--mine").out)
    simon = shift.say("simon", "status", "--mine").out
    drew = shift.say("drew", "status", "--mine").out
    assert "on duty since" in simon
    assert "check-rack" in simon
    assert "check-rack" not in drew
    assert "not on duty" in shift.say("ludovic", "status", "--mine").out

"""Packets that are lost without a word, while a step is in flight. Method M3, case C10."""

import subprocess
import threading
from pathlib import Path

import pytest

from tests.faults.wires import Wire
from tests.programs import Done, Program, effects
from tests.sshd import Sshd, SshdFactory, until

RUNBOOK = """
drrun: 1
name: cut
defaults: {chdir: "{{ host.vars.home }}"}
steps:
  slow:
    on: far
    run: |
      echo begun >>effects
      i=0
      while [ ! -e go ]; do i=$((i + 1)); echo "line $i"; sleep 0.1; done
      echo ended >>effects
    verify: {run: grep -q ended $HOME/effects}
  beside: {run: "true", chdir: /, verify: {run: "true"}}
"""


class Scene:
    """A step in flight at the far end of a wire."""

    def __init__(self, folder: Path, servers: SshdFactory, wire: Wire) -> None:
        self.server: Sshd = servers.start(address=wire.far)
        self.wire = wire
        self.program = Program(folder, prefix=wire.prefix)
        self.program.inventory({"far": self.server})
        self.program.write("runbooks/cut.yml", RUNBOOK)

    def begin(self) -> "subprocess.Popen[str]":
        process = self.program.start("run", "runbooks/cut.yml", "--yes", "--no-input")
        assert until(lambda: effects(self.server.home / "effects") == ["begun"])
        return process

    def status(self) -> str:
        return self.program.here("status", "latest").out

    def finish(self, process: "subprocess.Popen[str]") -> Done:
        (self.server.home / "go").touch()
        return Done.of(process)


@pytest.fixture
def scene(tmp_path: Path, sshd_factory: SshdFactory, wire: Wire) -> Scene:
    return Scene(tmp_path, sshd_factory, wire)


@pytest.mark.faults(52, 53)
@pytest.mark.parametrize("replies_only", [False, True], ids=["both ways", "replies only"])
def test_a_cut_that_lasts_is_shown_healed_and_runs_nothing_twice(
    scene: Scene, replies_only: bool
) -> None:
    process = scene.begin()
    with scene.wire.cut(replies_only=replies_only):
        assert until(lambda: "not seen for" in scene.status(), 15), scene.status()
    done = scene.finish(process)
    assert (done.exit, effects(scene.server.home / "effects")) == (0, ["begun", "ended"]), done.err


@pytest.mark.faults(52)
def test_a_cut_of_a_moment_is_no_news(scene: Scene) -> None:
    process = scene.begin()
    with scene.wire.cut():
        threading.Event().wait(3)
    done = scene.finish(process)
    assert (done.exit, "not seen" in done.err) == (0, False), done.err


@pytest.mark.faults(57)
def test_a_host_that_never_returns_holds_up_nothing_else_and_is_given_up_by_a_person(
    scene: Scene,
) -> None:
    process = scene.begin()
    with scene.wire.cut():
        assert until(lambda: "not seen for" in scene.status(), 15)
        steps = {s["id"]: s["status"] for s in scene.program.json("status", "latest")["steps"]}
        assert steps == {"slow": "running", "beside": "passed"}
        scene.program.here("mark-done", "latest", "slow", "--reason", "seen on the console")
        assert Done.of(process).exit == 7
    (scene.server.home / "go").touch()


@pytest.mark.faults(27)
def test_a_black_hole_at_connect_starts_nothing_and_ends_by_the_deadline(scene: Scene) -> None:
    with scene.wire.cut():
        done = scene.program("run", "runbooks/cut.yml", "--yes", "--no-input")
    assert (done.exit, effects(scene.server.home / "effects")) == (4, []), done.err


@pytest.mark.faults(61)
def test_a_time_limit_that_cannot_be_enforced_leaves_the_step_unknown(scene: Scene) -> None:
    scene.program.write(
        "runbooks/cut.yml", RUNBOOK.replace("    on: far\n", "    on: far\n    timeout: 2s\n")
    )
    process = scene.begin()
    with scene.wire.cut():
        done = Done.of(process)
    (scene.server.home / "go").touch()
    steps = {s["id"]: s["status"] for s in scene.program.json("status", "latest")["steps"]}
    assert (done.exit, steps["slow"]) == (3, "unknown"), done.err

"""Kill drrun at every journal write and every word with a host; then look at the hosts.

One run counts the points. Then, for each of them, a run is killed there with SIGKILL and resumed
until it ends. Judged from outside: an append-only file on the hosts has each step's line exactly
once. Methods M1 and M11, fault F45;
contract guarantees 1 and 2.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs import Program, effects
from tests.sshd import SshdFactory, servers

#: Not idempotent, so that a second execution is seen; some slow enough to be in flight.
RUNBOOK = """
drrun: 1
name: crash
defaults: {chdir: "{{ host.vars.home }}"}
steps:
  first: {run: echo first >>effects, on: a, verify: {run: grep -q first $HOME/effects}}
  slow: {run: sleep 0.3; echo slow >>effects, on: b, verify: {run: grep -q slow $HOME/effects}}
  fan:
    {run: echo fan >>effects, on: [a, b], needs: [first], verify: {run: grep -q fan $HOME/effects}}
  put:
    uses: copy
    with: {content: hello, to: put}
    on: b
    needs: [first]
    verify: {file: "{{ host.vars.home }}/put"}
  asked: {manual: go on?, needs: [first]}
  last:
    run: echo last >>effects
    on: b
    needs: [slow, fan, put, asked]
    verify: {run: grep -q last $HOME/effects}
"""
EXPECTED = {"a": ["fan", "first"], "b": ["fan", "last", "slow"]}
#: The points are shared out, so that workers can take their part.
PARTS = 8


class Scene:
    """Two servers and a program, fresh for each run."""

    def __init__(self, folder: Path, servers: SshdFactory) -> None:
        self.servers = {"a": servers.start(), "b": servers.start()}
        self.folder = folder
        self._runs = 0

    def run(self, **environment: str) -> "Program":
        """A run in a place of its own, killed somewhere or not."""
        self._runs += 1
        for server in self.servers.values():
            for left in ("effects", "put"):
                (server.home / left).unlink(missing_ok=True)
        program = Program(self.folder / str(self._runs))
        program.write("runbooks/crash.yml", RUNBOOK)
        program.inventory(self.servers)
        arguments = ("run", "runbooks/crash.yml", "--yes", "--no-input")
        self.first = program(*arguments, **environment)
        return program

    def finish(self, program: Program) -> None:
        """Resume, answering what is asked, until it has succeeded."""
        told = ""
        for _ in range(6):
            program.here("confirm", "latest", "asked")
            done = program("resume", "latest", "--no-input")
            told = done.err
            if done.exit == 0 or "has succeeded" in told:
                return
            if "there is no run yet" in told:
                # Killed before the run was durable: nothing can have happened.
                assert self.effects() == {"a": [], "b": []}
                program("run", "runbooks/crash.yml", "--yes", "--no-input")
        raise AssertionError(f"it is not resumable: {told}")

    def effects(self) -> dict[str, list[str]]:
        """What the hosts saw."""
        return {
            name: sorted(effects(server.home / "effects")) for name, server in self.servers.items()
        }

    def leftovers(self) -> list[Path]:
        """Jobs that nobody cleaned up."""
        return [
            path
            for server in self.servers.values()
            for path in (server.home / ".drrun").glob("*/*.[oei]")
        ]


@pytest.fixture
def scene(tmp_path: Path, sshd_factory: SshdFactory) -> Scene:
    return Scene(tmp_path, sshd_factory)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many there are, told by a run that nobody kills."""
    with servers(tmp_path_factory) as factory:
        scene = Scene(tmp_path_factory.mktemp("points"), factory)
        listed = scene.folder / "points"
        program = scene.run(DRRUN_LIST_POINTS=str(listed))
        scene.finish(program)
        assert scene.effects() == EXPECTED
        return len(listed.read_text().splitlines())


@pytest.mark.faults(45)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_point_every_effect_happens_exactly_once(
    scene: Scene, points: int, part: int, record_property: Callable[[str, object], None]
) -> None:
    survived = 0
    mine = range(part + 1, points + 1, PARTS)
    for number in mine:
        program = scene.run(DRRUN_DIE_AT=str(number))
        scene.finish(program)
        assert scene.effects() == EXPECTED, f"killed at point {number} of {points}"
        survived += 1
    record_property("points", len(mine))
    record_property("survived", survived)
    assert survived == len(mine)

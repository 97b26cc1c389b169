"""Put an older copy of the state back, whenever it was taken; then look at the hosts.

One run with several gates, on two hosts and this machine, is driven to its end, and its state is
copied at every journal write and every word with a host. Then each copy is driven on, all gates
answered, until it gets no further. Judged from outside: nothing happens on any host a second time.
Fault F115; contract guarantees 2 and 7.
"""

import os
import select
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, SshdFactory, servers, until

#: Not idempotent, and verified by nothing: whoever acts again is seen.
RUNBOOK = """
drrun: 1
name: copies
steps:
  first: {run: echo first >>$HOME/effects, on: a, verify: {run: "true"}}
  one: {manual: go on?, needs: [first]}
  both: {run: echo both >>$HOME/effects, on: [a, b], needs: [one], verify: {run: "true"}}
  two: {manual: go on?, needs: [both]}
  pay: {run: echo pay >>$HOME/effects, on: b, needs: [two], verify: {run: "true"}}
  put:
    uses: copy
    with: {content: hello, to: put}
    on: a
    needs: [two]
    verify: {run: "true"}
  here: {run: echo here >>$HOME/effects, on: local, needs: [two], verify: {run: "true"}}
  three: {manual: go on?, needs: [pay, put, here]}
  last: {run: echo last >>$HOME/effects, on: [a, b], needs: [three], verify: {run: "true"}}
"""
EXPECTED = {"a": ["both", "first", "last"], "b": ["both", "last", "pay"], "": ["here"]}
GATES = ("one", "two", "three")
#: Exit codes: succeeded; left, with something to do; damaged.
DONE, LEFT, DAMAGED = 0, 3, 6
#: Copies are shared out, so that workers can take their part.
PARTS = 4


class Scene:
    """A run on two servers and this machine."""

    def __init__(self, folder: Path, factory: SshdFactory) -> None:
        self.servers: dict[str, Sshd] = {name: factory.start() for name in "ab"}
        self.program = Program(folder / "laptop")
        self.program.write("runbooks/copies.yml", RUNBOOK)
        self.program.inventory(self.servers)

    @property
    def state(self) -> Path:
        """What is copied."""
        return self.program.folder / "state"

    def begun(self, **environment: str) -> "subprocess.Popen[str]":
        """The run, up to its first gate."""
        arguments = ("run", "runbooks/copies.yml", "--yes", "--no-input")
        return self.program.start(*arguments, **environment)

    def gone_on(self, program: Program, **environment: str) -> Iterator["subprocess.Popen[str]"]:
        """From one gate to the next."""
        for gate in GATES:
            program.here("confirm", "latest", gate)
            yield program.start("resume", "latest", "--no-input", **environment)

    def driven(self, program: Program) -> Done:
        """Answer all gates and resume until it gets no further; its last words."""
        done = Done(LEFT, "", "")
        for process in self.gone_on(program):
            done = Done.of(process)
            if done.exit != LEFT:
                break
        return done

    def effects(self) -> dict[str, list[str]]:
        """What the hosts saw."""
        homes = {name: server.home for name, server in self.servers.items()}
        homes[""] = self.program.folder
        return {name: sorted(effects(home / "effects")) for name, home in homes.items()}

    def put_back(self, copy: Path) -> None:
        """Let a copy take the place of the state."""
        shutil.rmtree(self.state)
        shutil.copytree(copy, self.state)


@pytest.fixture
def scene(tmp_path: Path, sshd_factory: SshdFactory) -> Scene:
    return Scene(tmp_path, sshd_factory)


class Copier:
    """Copies a state at each fault point that a drrun passes, as a snapshot of its disk would."""

    def __init__(self, state: Path, to: Path) -> None:
        self.copies: list[Path] = []
        self._state, self._to = state, to
        to.mkdir()
        self.pipe = to / "points"
        os.mkfifo(self.pipe)
        # Open for writing too: so it has no end while nobody writes.
        self._points = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)

    def follow(self, process: "subprocess.Popen[str]") -> Done:
        """Copy until a drrun ends."""
        while process.poll() is None:
            if select.select([self._points], [], [], 0.05)[0]:
                os.kill(process.pid, signal.SIGSTOP)
                os.read(self._points, 65536)
                self._copy()
                os.kill(process.pid, signal.SIGCONT)
        self._copy()
        return Done.of(process)

    def _copy(self) -> None:
        """The state as it is now, if anything is written there that was not in the last copy."""
        copy = self._to / f"{len(self.copies):03}"
        shutil.copytree(self._state, copy)
        if entries(copy) == (entries(self.copies[-1]) if self.copies else 0):
            shutil.rmtree(copy)
        else:
            self.copies.append(copy)

    def close(self) -> None:
        os.close(self._points)


def entries(state: Path) -> int:
    """How many entries of a journal are in a state, for whoever opens it."""
    database = state / "drrun" / "state.db"
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database)) as reads:
        try:
            return int(reads.execute("SELECT count(*) FROM entries").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


Driven = tuple[Scene, list[Path]]


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """A run that has succeeded, and its state wherever it changed."""
    with servers(tmp_path_factory) as factory:
        folder = tmp_path_factory.mktemp("copies")
        scene = Scene(folder, factory)
        copier = Copier(scene.state, folder / "kept")
        points = {"DRRUN_LIST_POINTS": str(copier.pipe)}
        codes = [copier.follow(scene.begun(**points)).exit]
        codes += [
            copier.follow(process).exit for process in scene.gone_on(scene.program, **points)
        ]
        copier.close()
        assert (codes, scene.effects()) == ([LEFT, LEFT, LEFT, DONE], EXPECTED)
        yield scene, copier.copies


@pytest.mark.faults(87, 115)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_older_copy_does_anything_a_second_time(
    driven: Driven, part: int, record_property: Callable[[str, object], None]
) -> None:
    scene, copies = driven
    codes = []
    for copy in copies[part::PARTS]:
        scene.put_back(copy)
        done = scene.driven(scene.program)
        assert scene.effects() == EXPECTED, copy
        codes.append(done.exit)
    record_property("copies", len(codes))
    record_property("refused", codes.count(DAMAGED))
    assert set(codes) <= {DONE, DAMAGED}
    assert DAMAGED in codes


# --- two machines ------------------------------------------------------------------------------


def second(scene: Scene, folder: Path) -> Program:
    """Another machine with a copy of the state as it is now, and with nothing else of ours."""
    program = Program(folder / "second")
    shutil.copytree(scene.state, program.folder / "state")
    program.inventory(scene.servers)
    return program


def twice(scene: Scene) -> dict[str, list[str]]:
    """What a host saw more often than once."""
    return {
        name: [each for each in set(lines) if lines.count(each) > 1]
        for name, lines in scene.effects().items()
    }


NOTHING: dict[str, list[str]] = {"a": [], "b": [], "": []}


@pytest.mark.faults(115)
@pytest.mark.parametrize("first_goes", [True, False])
def test_of_two_machines_with_one_state_the_one_that_acts_is_obeyed(
    scene: Scene, tmp_path: Path, *, first_goes: bool
) -> None:
    assert Done.of(scene.begun()).exit == LEFT
    programs = [scene.program, second(scene, tmp_path)]
    if not first_goes:
        programs.reverse()
    for program in programs:
        program.here("confirm", "latest", "one")
    done = [program("resume", "latest", "--no-input") for program in programs]
    assert [each.exit for each in done] == [LEFT, DAMAGED], done
    assert "another copy of it was used since" in done[1].err or "older copy" in done[1].err
    # The one that is obeyed goes on as if nothing had been.
    assert scene.driven(programs[0]).exit == DONE
    assert twice(scene) == NOTHING


@pytest.mark.faults(115)
def test_a_controller_that_lives_stops_where_a_copy_took_its_place(
    scene: Scene, tmp_path: Path
) -> None:
    process = scene.program.start(
        "run", "runbooks/copies.yml", "--yes", "--no-input", "--linger", "5m"
    )
    assert until(lambda: "drrun confirm" in scene.program.here("status", "latest").out)
    other = second(scene, tmp_path)
    other.here("confirm", "latest", "one")
    # The copy holds a lease of a process that lives on another machine, as far as it can see.
    forced = other("resume", "latest", "--no-input", "--take-over")
    assert forced.exit == LEFT, forced.err
    scene.program.here("confirm", "latest", "one")
    done = Done.of(process)
    assert done.exit == DAMAGED, done.err
    assert "Traceback" not in done.err
    assert twice(scene) == NOTHING


@pytest.mark.faults(115)
@pytest.mark.parametrize("round_", range(4))
def test_two_machines_at_the_same_moment_do_nothing_twice(
    scene: Scene, tmp_path: Path, round_: int
) -> None:
    assert Done.of(scene.begun()).exit == LEFT
    programs = (scene.program, second(scene, tmp_path))
    for program in programs:
        program.here("confirm", "latest", "one")
    both = [program.start("resume", "latest", "--no-input") for program in programs]
    codes = [Done.of(each).exit for each in both]
    assert DAMAGED in codes, round_
    assert twice(scene) == NOTHING


# --- the word of two persons -------------------------------------------------------------------


@pytest.mark.faults(115)
def test_two_persons_may_let_an_older_record_count_and_what_was_begun_stays_begun(
    scene: Scene, tmp_path: Path
) -> None:
    assert Done.of(scene.begun()).exit == LEFT
    kept = tmp_path / "kept"
    shutil.copytree(scene.state, kept)
    assert scene.driven(scene.program).exit == DONE
    scene.put_back(kept)
    program = scene.program
    assert scene.driven(program).exit == DAMAGED
    accept = ("resume", "latest", "--no-input", "--accept-older-record", "--reason", "it is lost")
    drove = program.json("status", "latest")["started_by"]
    assert program(*accept, "--by", drove).exit == 2
    assert program(*accept[:-2], "--by", "sam").exit == 2
    done = program(*accept, "--by", "sam")
    assert done.exit == LEFT, done.err
    assert "RecordAccepted" in program("events", "latest").out
    # It counts from then on, on hosts that are met later too.
    assert scene.driven(program).exit == DONE
    # All that had been done was looked for, and found; nothing was done again.
    assert scene.effects() == EXPECTED

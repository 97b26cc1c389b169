"""Controllers of several machines, whose clocks disagree by up to two hours, race for a run.

Rules:
- The true time is known to the test alone. A controller lives or is dead; one that lives gives a
  sign of life at least every ten seconds, as the real one does every five.
- No living controller is replaced without force. Neither is one replaced with force, because it
  was seen to live. Whoever was replaced writes nothing any more.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from drrun.core.model.errors import LeaseLost, RunHeld
from drrun.core.model.ids import RunId
from drrun.engine.leasing import LEASE_TTL, ControllerProcess, Sign
from drrun.journal.database import Database
from drrun.journal.leases import SqliteLeases
from drrun.journal.sqlite import SqliteJournal
from drrun.ports.journal import Lease
from drrun.testing.manual_clock import ManualClock
from tests.contract.journal.benches import document, draft, record

RACES, SEED = 1000, 8
HOUR = 3600.0
SIGN_EVERY = 10.0


@dataclass
class Machine:
    """A machine with clocks of its own, as one of its two processes sees it."""

    number: int
    #: Its wall clock.
    clock: ManualClock
    #: What its other clock counts from.
    elapsed: ManualClock
    #: One that does not is gone, or stopped and may yet write once more.
    lives: bool = True
    lease: Lease | None = None
    signed: float = 0.0

    @property
    def host(self) -> str:
        """The name of the machine."""
        return f"machine-{self.number // 2}"


@dataclass
class Race:
    """One run, several machines, the true time."""

    database: Database
    run: RunId
    chance: random.Random
    now: float = 0.0
    #: Who was given the run last, and has not given it back.
    holder: Machine | None = None
    machines: list[Machine] = field(default_factory=list)
    leases: list[SqliteLeases] = field(default_factory=list)
    #: What happened, by kind.
    tally: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.journal = SqliteJournal(self.database)
        wall = 1_704_963_600.0
        off = [self.chance.uniform(-HOUR, HOUR) for _ in range(3)]
        for number in range(6):
            clock = ManualClock(wall + off[number // 2] + self.chance.uniform(-1, 1))
            machine = Machine(number, clock, ManualClock(self.chance.uniform(0, 1e6)))
            self.machines.append(machine)
            seat = ControllerProcess(f"p{number}", machine.host, number, f"start-{number}")
            sign = partial(self.sign, machine)
            self.leases.append(SqliteLeases(self.database, clock, seat, sign, machine.elapsed.now))

    def sign(self, mine: Machine, lease: Lease) -> Sign:
        """What a machine can tell of the process that holds a lease."""
        holder = self.machines[lease.pid]
        if holder.host != mine.host:
            return Sign.OUT_OF_SIGHT
        return Sign.ALIVE if holder.lives else Sign.DEAD

    def pass_time(self, seconds: float) -> None:
        """Time passes for all; living controllers give their signs of life."""
        while seconds > 0:
            step = min(seconds, SIGN_EVERY / 2)
            seconds -= step
            self.now += step
            for machine in self.machines:
                machine.clock.advance(step)
                machine.elapsed.advance(step)
                if machine is self.holder and machine.lives:
                    self.give_sign(machine)

    def give_sign(self, machine: Machine) -> None:
        assert machine.lease is not None
        self.leases[machine.number].renew(machine.lease)
        machine.signed = self.now

    def take(self, machine: Machine, *, force: bool) -> None:
        """Try to become the controller; it must not come off at the cost of one that lives."""
        before = self.holder
        try:
            lease = self.leases[machine.number].take(self.run, force=force)
        except RunHeld:
            assert before is not None
            self.count("refused")
            return
        if before is not None and before is not machine:
            assert not before.lives, "a living controller was thrown out"
            if before.host != machine.host:
                assert force
                assert self.now - before.signed >= LEASE_TTL
            near = before.host == machine.host
            self.count("taken from the dead" if near else "taken by force")
        self.holder, machine.lease, machine.signed = machine, lease, self.now
        if before is not None and self.chance.random() < 0.5:
            self.write(before)

    def write(self, machine: Machine) -> None:
        """Write with whatever lease it believes to have."""
        if machine.lease is None:
            return
        current = self.holder
        try:
            self.journal.append(machine.lease, [draft(epoch=machine.lease.epoch)])
        except LeaseLost:
            assert machine is not current
            self.count("stale writes refused")
            return
        assert machine is current, "a replaced controller wrote"
        self.count("written")

    def end(self, machine: Machine) -> None:
        """It dies where it stands, or gives the run back."""
        if machine is not self.holder or self.chance.random() < 0.7:
            machine.lives = False
        elif machine.lease is not None:
            self.leases[machine.number].release(machine.lease)
            self.holder = machine.lease = None

    def count(self, kind: str) -> None:
        self.tally[kind] = self.tally.get(kind, 0) + 1

    def step(self) -> None:
        """Something happens."""
        machine = self.chance.choice(self.machines)
        act = self.chance.choice(
            ["take", "force", "force", "force", "write", "write", "end", "time", "time"]
        )
        match act:
            case "time":
                self.pass_time(self.chance.choice([1.0, 4.0, 31.0, LEASE_TTL, 2 * LEASE_TTL]))
            case "end":
                self.end(machine)
            case "write":
                self.write(machine)
            case _ if machine.lives and machine is not self.holder:
                self.take(machine, force=act == "force")
            case _:
                return


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """In memory where the system offers that: these are races, not power cuts."""
    memory = Path("/dev/shm")
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder,
        Database(Path(folder) / "state") as found,
    ):
        yield found


@pytest.mark.faults(92, 118)
def test_no_clock_of_another_machine_throws_a_living_controller_out(database: Database) -> None:
    total: dict[str, int] = {}
    for number in range(RACES):
        race = Race(database, RunId(f"race-{number}"), random.Random(f"{SEED} {number}"))
        race.journal.create(record(race.run), [document()])
        for _ in range(25):
            race.step()
        epochs = [entry.epoch for entry in race.journal.read(race.run)]
        assert epochs == sorted(epochs)
        for kind, times in race.tally.items():
            total[kind] = total.get(kind, 0) + times
    wanted = {
        "refused",
        "taken by force",
        "taken from the dead",
        "stale writes refused",
        "written",
    }
    assert total.keys() == wanted, total
    assert min(total.values()) > 20, total

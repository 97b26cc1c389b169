"""A run on a machine whose clock is set again and again, at the worst moments.

Rules:
- The machine counts its own seconds, which only the test lets pass; its clock is that count and
  something that is set anew behind every entry of the journal.
- Whatever it is set to, what happens and when, counted from the start, is the same as if it had
  never been set. Only `not_before` is about the clock on the wall.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.actions import UsesAction
from drrun.core.model.errors import LeaseLost
from drrun.core.model.ids import RunId
from drrun.core.model.moments import rfc3339
from drrun.core.model.outcomes import Ended
from drrun.core.model.plan import Plan
from drrun.core.model.probes import Verdict
from drrun.core.model.runbook import OnUnknown, Retry
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration
from drrun.engine.crew import Crew
from drrun.engine.observations import CheckAnswered, Observation, ObservationQueue
from drrun.engine.session import Session
from drrun.journal.system_clock import SystemClock
from drrun.ports.journal import Entry
from drrun.testing.memory import MemoryJournal
from drrun.testing.scripted import ScriptedHands, ScriptedProber
from tests.unit.core.worlds import plan_of, probe, step
from tests.unit.engine.rigs import Rig

HOUR = 3600.0
BOOTED = 1_704_960_000.0
SETTINGS = st.lists(st.floats(-HOUR, HOUR), min_size=1, max_size=40)


@dataclass
class Machine:
    """One boot of a machine: its own count of seconds, and how its clock is set."""

    elapsed: float = 3600.0
    wall: float = BOOTED
    settings: list[float] = field(default_factory=list)

    def clock(self) -> SystemClock:
        """The clock of a process that begins now."""
        return SystemClock(lambda: self.wall + self.elapsed, lambda: self.elapsed, lambda: "boot")

    def set_clock(self) -> None:
        """Somebody, or NTP, sets it."""
        if self.settings:
            self.wall = BOOTED + self.settings.pop(0)


@dataclass
class Jumping(ObservationQueue):
    """Nobody waits: if nothing is on its way, time passes at once."""

    machine: Machine
    crew: Crew

    def __post_init__(self) -> None:
        super().__init__()

    def take(self, timeout: float) -> Iterable[Observation | CheckAnswered]:
        if self.crew.air:
            return super().take(10)
        self.machine.elapsed += max(0.0, timeout)
        return super().take(0)


class Killed(LeaseLost):
    """The controller ends here."""


def prepared(session: Session, machine: Machine, die_after: int | None) -> Session:
    crew = session.edges.crew
    crew._line = Jumping(machine, crew)

    def told(entry: Entry, event: ev.Event) -> None:
        del event
        machine.set_clock()
        if entry.seq == die_after:
            raise Killed

    session.subscribe(told)
    return session


@dataclass
class Told:
    """What happened: for each step what, and how many seconds after the start."""

    status: RunStatus
    steps: dict[str, list[tuple[str, float]]]
    entries: list[Entry]

    def of(self, name: str) -> list[float]:
        """When something of this kind happened."""
        return [at for told in self.steps.values() for kind, at in told if kind == name]


def played(plan: Plan, set_to: Sequence[float], die_after: Sequence[int] = ()) -> Told:
    """A run, whose controllers end behind these entries; the last one finishes it."""
    machine = Machine(settings=list(set_to))
    rig = Rig(
        plan,
        hands=ScriptedHands({"again": [Ended(1), Ended(1), Ended(0)]}),
        prober=ScriptedProber({"soon": [Verdict.DOES_NOT_HOLD] * 3 + [Verdict.HOLDS]}),
        journal=MemoryJournal(machine.clock()),
        clock=machine.clock(),
    )
    run, standing = RunId(""), None
    for die in (*die_after, None):
        if run:
            rig.clock = machine.clock()
            machine.elapsed += 7
            session = rig.resume(run)
        else:
            session = rig.start()
        run = session.run
        try:
            standing = prepared(session, machine, die).drive()
        except Killed:
            continue
    assert standing is not None
    return told_of(standing.status, rig.entries(run))


def told_of(status: RunStatus, entries: list[Entry]) -> Told:
    steps: dict[str, list[tuple[str, float]]] = {}
    for entry in entries:
        name = str(entry.body.get("step", ""))
        if name:
            steps.setdefault(name, []).append((entry.kind, round(entry.at - entries[0].at, 3)))
    return Told(status, steps, entries)


def plan() -> Plan:
    """Everything that takes time: a wait, retries, a probe that is polled, one that is stable."""
    pause = Retry(attempts=3, delay=Duration(60), backoff=2, max_delay=Duration(HOUR))
    return plan_of(
        step("wait", action=UsesAction("wait", {"for": "10m"})),
        step("again", retry=pause, on_unknown=OnUnknown.RERUN),
        step(
            "polled",
            on_unknown=OnUnknown.RERUN,
            verify=(probe("soon", within=Duration(600), every=Duration(30)),),
        ),
        step(
            "stable",
            "wait",
            on_unknown=OnUnknown.RERUN,
            verify=(probe("holds", stable_for=Duration(90)),),
        ),
        step("last", "again", "polled", "stable", on_unknown=OnUnknown.RERUN),
    )


UNTOUCHED = played(plan(), ())


@pytest.mark.faults(94)
@settings(max_examples=25, deadline=None)
@given(SETTINGS)
def test_a_clock_that_is_set_at_every_entry_changes_nothing(set_to: list[float]) -> None:
    told = played(plan(), set_to)
    assert (told.status, told.steps) == (UNTOUCHED.status, UNTOUCHED.steps)
    assert UNTOUCHED.status is RunStatus.SUCCEEDED


@settings(max_examples=25, deadline=None)
@given(SETTINGS, st.lists(st.integers(3, len(UNTOUCHED.entries) - 2), min_size=1, max_size=2))
def test_nor_does_it_where_controllers_end_and_others_go_on(
    set_to: list[float], die_after: list[int]
) -> None:
    dying = sorted(die_after)
    # What was set is recorded too, so that entries are counted otherwise: die where nothing was.
    told, plainly = played(plan(), set_to, dying[:1]), played(plan(), (), dying[:1])
    moments = [entry.at for entry in told.entries]
    assert moments == sorted(moments)
    assert told.status is plainly.status is RunStatus.SUCCEEDED
    spent = told.entries[-1].at - told.entries[0].at
    longest = UNTOUCHED.entries[-1].at - UNTOUCHED.entries[0].at
    # Each controller that comes later needs its seven seconds, and asks some things once more.
    assert spent <= longest + 7 + 120


@settings(max_examples=25, deadline=None)
@given(st.floats(-600, 600), st.integers(1, 8))
def test_not_before_is_about_the_clock_on_the_wall(set_to: float, when: int) -> None:
    wanted = BOOTED + HOUR + 600
    office = step("office", not_before=rfc3339(wanted))
    told = played(plan_of(office), [0.0] * (when - 1) + [set_to])
    began = next(each for each in told.entries if each.kind == "TargetBegan")
    before = told.entries[: began.seq]
    was_set = [each.body["ahead"] for each in before if each.kind == "WallClockSet"]
    # On the wall it is what the run's clock says, and what the machine's was set by.
    on_the_wall = began.at + (was_set[-1] if was_set else 0.0)
    assert on_the_wall >= wanted - 2.1
    if not was_set:
        assert on_the_wall <= wanted + 0.5


def test_that_the_clock_was_set_is_recorded_once() -> None:
    told = played(plan(), [0.0, 0.0, 600.0])
    found = [entry.body["ahead"] for entry in told.entries if entry.kind == "WallClockSet"]
    assert found == [600.0]

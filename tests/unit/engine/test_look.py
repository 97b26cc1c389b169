"""Who looks at a run sees what its journal says, whatever was kept of an earlier look."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.cases.load_plan import LoadedPlan, PlanRequest, load
from drrun.cases.read_run import RunReading, known, look
from drrun.cases.sound import WORTH_KEEPING, is_sound, news
from drrun.cli.run_views import facts_of_steps, view_of
from drrun.core import events as ev
from drrun.core.integrity.chain import Head
from drrun.core.model.errors import RunDamaged
from drrun.core.model.ids import RunId
from drrun.core.model.packing import pack, unpack
from drrun.core.model.status import Status
from drrun.core.state.run_state import RunState
from drrun.core.tabletop.simulation import Simulation
from drrun.engine.records import Records
from drrun.journal.folds import file_of_fold
from drrun.journal.opening import open_state
from drrun.ports.journal import Draft, Entry, Journal, KeptFold, Lease, RunRecord
from drrun.report.step_view import step_view
from drrun.testing.manual_clock import ManualClock
from tests.unit.core.test_engine_properties import world_of

ROOT = Path(__file__).parents[3]
RUN = RunId("20240111-090000-test-7f3a")
#: Inputs without which a runbook has no plan.
NEEDED = {"datacentre-switchover": {"ticket": "OPS-1"}}
STEPS = ("a", "b", "c", "d", "e")
#: What people may do at any time.
SAID: Sequence[tuple[str, ev.Event]] = (
    ("kim", ev.Noted(by="kim", text="all well", step="a")),
    ("kim", ev.Claimed(step="b", by="kim", reason="mine")),
    ("kim", ev.HandedOver(by="kim", to="sam", note="ask me", steps=("b",))),
    ("sam", ev.ClockStated(name="disrupted", moment=900.0, by="sam", why="seen")),
    ("sam", ev.Assigned(step="c", to="kim", by="sam", reason="")),
    ("controller", ev.ConditionSeen(step="d", expression="x", value=True)),
    ("drew", ev.RunPaused(by="drew", why="lunch")),
    ("drew", ev.RunUnpaused(by="drew")),
)


@dataclass
class Desk:
    """A state folder with one run, to which entries are added."""

    folder: Path
    loaded: LoadedPlan
    records: Records
    lease: Lease

    def tamper(self, statement: str) -> None:
        """Change the database behind the program's back."""
        file = self.folder / "state" / "journal.sqlite"
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("DROP TRIGGER entries_are_not_changed")
            database.execute("DROP TRIGGER entries_are_not_deleted")
            database.execute(statement)

    def add(self, told: Sequence[tuple[float, str, ev.Event]]) -> None:
        """Write entries."""
        drafts = [
            Draft(at, who, ev.kind_of(event), event.VERSION, ev.body_of(event))
            for at, who, event in told
        ]
        self.records.journal.append(self.lease, drafts)


def runbook(needs: Mapping[str, Sequence[str]]) -> str:
    """A runbook of steps that need these."""
    lines = [
        f"  {step}: {{run: {step}, needs: [{', '.join(needs[step])}], retry: {{attempts: 2}}, "
        f"estimate: 5m, verify: [{{run: look}}]}}"
        for step in STEPS
    ]
    return "drrun: 1\nname: test\nsteps:\n" + "\n".join(lines) + "\n"


@contextmanager
def desk(text: str) -> Iterator[Desk]:
    """A desk with one run of this runbook."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test.yml").write_text(text)
        loaded = load(PlanRequest(folder / "test.yml"))
        with open_state(folder / "state", key=folder / "key") as opened:
            records = replace(opened, clock=ManualClock(2000.0))
            record = RunRecord(RUN, "test", "", "live", "", 1000.0, "drew", "running", None, 0)
            records.journal.create(record, loaded.documents)
            yield Desk(folder, loaded, records, records.leases.take(RUN))


def everything(records: Records, seen: RunReading) -> Mapping[str, Any]:
    """All that can be seen of a run."""
    steps = list(seen.state.plan.order)
    told = facts_of_steps(records, seen, steps)
    state = dict(vars(seen.state)) | {"replan": None}
    return {
        "state": state,
        "about": seen.about,
        "view": view_of(records, seen),
        "steps": [step_view(seen.state, told[step], step) for step in steps],
    }


@st.composite
def journals(draw: st.DrawFn) -> tuple[str, list[tuple[float, str, ev.Event]]]:
    """A runbook, and the journal of a run of it in a world of chance, with people in it."""
    needs = {
        step: draw(st.lists(st.sampled_from(STEPS[:at]), max_size=2, unique=True)) if at else []
        for at, step in enumerate(STEPS)
    }
    text = runbook(needs)
    with TemporaryDirectory() as name:
        path = Path(name) / "test.yml"
        path.write_text(text)
        world = world_of(load(PlanRequest(path)).plan, draw(st.integers(0, 10**6)), max_parallel=3)
    begun = ev.RunStarted(
        name="test", title="", mode="live", variant="", inputs={}, options={}, by="drew", tool="0"
    )
    world.record(begun)
    world.drive()
    told = [(at, "controller", event) for at, event in world.journal]
    for who, event in draw(st.lists(st.sampled_from(SAID), max_size=6)):
        at = draw(st.integers(1, len(told)))
        told.insert(at, (told[at - 1][0], who, event))
    return text, told


@given(journal=journals(), data=st.data())
@settings(max_examples=40)
def test_a_look_that_goes_on_sees_what_a_look_from_the_beginning_sees(
    journal: tuple[str, list[tuple[float, str, ev.Event]]], data: st.DataObject
) -> None:
    text, told = journal
    cuts = sorted(data.draw(st.lists(st.integers(1, len(told)), max_size=3)))
    with desk(text) as place:
        for start, end in zip([0, *cuts], [*cuts, len(told)], strict=True):
            place.add(told[start:end])
            look(place.records, RUN, worth_keeping=1)
        seen, whole = look(place.records, RUN), known(place.records, RUN)
        assert everything(place.records, seen) == everything(place.records, whole)
        own = {step: [fact for fact in whole.facts if _step(fact.event) == step]
               for step in seen.state.plan.order}  # fmt: skip
        assert facts_of_steps(place.records, seen, list(own)) == own


def _step(event: ev.Event) -> str:
    return getattr(event, "step", "")


BEGUN = ev.RunStarted(
    name="test", title="", mode="live", variant="", inputs={}, options={}, by="drew", tool="0"
)
CHAIN = runbook({step: STEPS[:at][-1:] for at, step in enumerate(STEPS)})


def notes(count: int) -> list[tuple[float, str, ev.Event]]:
    """A run that has begun, and what people noted."""
    noted = [(1000.0 + number, "kim", ev.Noted(by="kim", text=str(number))) for number in
             range(count)]  # fmt: skip
    return [(1000.0, "drew", BEGUN), *noted]


class Counting:
    """A journal that counts the entries that are read."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.read_entries = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def read(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        for entry in self._journal.read(run, after):
            self.read_entries += 1
            yield entry


def test_a_look_reads_only_what_came_since_the_last_that_was_kept() -> None:
    with desk(CHAIN) as place:
        place.add(notes(WORTH_KEEPING))
        look(place.records, RUN)
        place.add(notes(3)[1:])
        counting = Counting(place.records.journal)
        look(replace(place.records, journal=counting), RUN)
        assert counting.read_entries == 3


class Untouchable:
    """Folds that nobody may ask."""

    def recall(self, run: RunId) -> KeptFold | None:
        raise AssertionError(run)

    def keep(self, run: RunId, head: Head, text: str) -> None:
        raise AssertionError(run, head, text)


def test_who_acts_never_asks_what_was_kept() -> None:
    with desk(CHAIN) as place:
        place.add(notes(5))
        records = replace(place.records, folds=Untouchable())
        assert known(records, RUN).about.seq == 6


def test_a_short_journal_is_not_worth_keeping() -> None:
    with desk(CHAIN) as place:
        place.add(notes(10))
        look(place.records, RUN)
        assert not file_of_fold(place.folder / "state", RUN).exists()


def test_a_look_that_goes_on_takes_amendments_as_any_other() -> None:
    with desk(CHAIN) as place:
        place.add(notes(5))
        look(place.records, RUN, worth_keeping=1)
        amended = ev.PlanAmended(
            by="drew",
            path="more.yml",
            text="steps:\n  f: {run: f, needs: [e], verify: [{run: look}]}\n",
            why="",
            added=("f",),
            changed=(),
        )
        place.add([(1100.0, "drew", amended)])
        whole = everything(place.records, known(place.records, RUN))
        for _ in range(2):
            seen = look(place.records, RUN, worth_keeping=1)
            assert "f" in seen.state.plan.steps
            assert everything(place.records, seen) == whole


def test_what_was_written_by_nobody_is_told_left_out_and_never_kept() -> None:
    with desk(CHAIN) as place:
        place.add(notes(10))
        place.tamper("UPDATE entries SET actor = 'nobody' WHERE seq = 4")
        seen = look(place.records, RUN, worth_keeping=1)
        assert seen.damage == ("entry 4 was altered",)
        assert "nobody" not in seen.about.on_duty
        assert seen.about.seq == 11
        assert not file_of_fold(place.folder / "state", RUN).exists()


def test_what_comes_while_somebody_watches_is_checked_too() -> None:
    with desk(CHAIN) as place:
        seen = look(place.records, RUN)
        last = Head(seen.about.seq, seen.about.hash)
        place.add(notes(4))
        found = news(place.records, RUN, last)
        assert [entry.seq for entry in found] == [1, 2, 3, 4, 5]
        place.tamper(f"UPDATE entries SET actor = 'eve' WHERE seq = {last.seq + 2}")
        with pytest.raises(RunDamaged, match=f"entry {last.seq + 2} was altered"):
            news(place.records, RUN, last)


def test_a_look_that_found_nothing_wrong_is_not_made_again() -> None:
    with desk(CHAIN) as place:
        place.add(notes(10))
        assert is_sound(place.records, RUN, worth_keeping=1).flaws == ()
        assert place.records.folds is not None
        kept = place.records.folds.recall(RUN)
        assert kept is not None
        assert kept.head == is_sound(place.records, RUN).sound
        place.tamper("UPDATE entries SET actor = 'eve' WHERE seq = 4")
        assert is_sound(place.records, RUN).flaws == ("entry 4 was altered",)


def test_whoever_acts_is_refused_before_anything_damaged_is_folded() -> None:
    with desk(CHAIN) as place:
        place.add(notes(10))
        place.tamper("UPDATE entries SET kind = 'Other' WHERE seq = 4")
        with pytest.raises(RunDamaged, match="entry 4 was altered"):
            known(place.records, RUN)


def test_what_cannot_have_happened_without_a_doubted_entry_is_left_out() -> None:
    with desk(CHAIN) as place:
        simulation = Simulation(place.loaded.plan, lambda _key, _attempt: 60.0)
        simulation.drive()
        place.add([(at, "controller", event) for at, event in simulation.journal])
        place.tamper("UPDATE entries SET actor = 'eve' WHERE kind = 'AttemptEnded'")
        seen = look(place.records, RUN)
        assert (len(seen.damage), seen.unfit) == (len(STEPS), len(STEPS))
        assert known(place.records, RUN, damaged=True).unfit == seen.unfit
        assert {target.status for target in seen.state.targets.values()} == {Status.RUNNING}


def test_a_kept_fold_that_cannot_be_read_is_as_if_it_were_not_there() -> None:
    with desk(CHAIN) as place:
        place.add(notes(10))
        expected = everything(place.records, look(place.records, RUN, worth_keeping=1))
        assert place.records.folds is not None
        kept = place.records.folds.recall(RUN)
        assert kept is not None
        assert kept.text
        place.records.folds.keep(RUN, kept.head, "no packed value")
        assert everything(place.records, look(place.records, RUN)) == expected


@pytest.mark.parametrize("path", sorted((ROOT / "runbooks").glob("*.yml")), ids=lambda it: it.stem)
def test_every_plan_that_comes_with_drrun_can_be_kept(path: Path) -> None:
    given = NEEDED.get(path.stem, {})
    plan = load(PlanRequest(path, (ROOT / "inventory",), inputs=given)).plan
    state = RunState(plan)
    assert repr(unpack(pack(state)).plan) == repr(plan)

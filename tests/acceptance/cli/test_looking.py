"""Looking at a long run: quick by what an earlier look kept; never anything but its journal."""

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from drrun.cases.load_plan import PlanRequest, load
from drrun.core import events as ev
from drrun.core.model.ids import RunId
from drrun.core.tabletop.simulation import Simulation
from drrun.journal.store import open_store
from drrun.ports.journal import Draft, RunRecord
from drrun.testing.manual_clock import ManualClock
from tests.acceptance.cli.conftest import Tool

STEPS = 200
BEGUN = 1_704_963_600.0
LOOKS = (
    ("status", "latest"), ("status", "latest", "--mine", "--by", "kim"), ("show", "latest", "s7"),
    ("show", "latest", "s7", "--json"), ("logs", "latest", "s7"), ("status", "latest", "--json"),
)  # fmt: skip
#: What a look that goes on has no use for.
HEAVY = ("yaml", "jinja2", "networkx", "paramiko", "fabric", "drrun.files.runbook.runbook_yaml")


@pytest.fixture
def state(tool: Tool, tmp_path: Path) -> Path:
    """The user's state, with one run of more than 1,000 entries that has ended."""
    steps = "".join(
        f'  s{number}: {{run: "true", estimate: 1m, verify: [{{run: "true"}}]}}\n'
        for number in range(STEPS)
    )
    loaded = load(PlanRequest(tool.folder / tool.runbook(steps)))
    simulation = Simulation(loaded.plan, lambda _key, _attempt: 60.0)
    simulation.drive()
    place = tmp_path / "state" / "drrun" / "state.db"
    run = RunId("20240111-090000-test-7f3a")
    with open_store(place, ManualClock()) as store:
        record = RunRecord(run, "test", "", "live", "", BEGUN, "drew", "succeeded", BEGUN, 0)
        store.journal.create(record, loaded.documents)
        lease = store.leases.take(run)
        told = [
            (at, replace(event, mode="live") if isinstance(event, ev.RunStarted) else event)
            for at, event in simulation.journal
        ]
        drafts = [
            Draft(BEGUN + at, "controller", ev.kind_of(event), event.VERSION, ev.body_of(event))
            for at, event in told
        ]
        store.journal.append(lease, drafts)
        store.leases.release(lease)
    return place


def folds(state: Path) -> Path:
    """The folder with what looks kept."""
    return state.with_name(f"{state.name}.d") / "folds"


def shown(tool: Tool, *words: str) -> tuple[int, str, str]:
    """What a look shows, whenever that is."""
    found = tool(*words)
    timeless = re.sub(r'"now": "[^"]*"', '"now": ""', found.stdout)
    return found.returncode, timeless, found.stderr


def seen(tool: Tool) -> list[tuple[int, str, str]]:
    """What every look shows."""
    return [shown(tool, *words) for words in LOOKS]


def test_what_was_kept_changes_nothing_that_is_shown(tool: Tool, state: Path) -> None:
    first = []
    for words in LOOKS:
        shutil.rmtree(folds(state), ignore_errors=True)
        first.append(shown(tool, *words))
    assert folds(state).is_dir()
    assert seen(tool) == first


def test_a_look_that_goes_on_reads_no_runbook(tool: Tool, state: Path) -> None:
    tool("status", "latest")
    assert folds(state).is_dir()
    for words in LOOKS:
        told = tool(*words, PYTHONPROFILEIMPORTTIME="1").stderr
        imported = set(re.findall(r"^import time:.*\| +(\S+)$", told, re.MULTILINE))
        assert "drrun.core.state.run_state" in imported
        assert not imported & set(HEAVY)


def test_what_was_altered_is_told_and_left_out_whatever_was_kept(tool: Tool, state: Path) -> None:
    tool("status", "latest")
    with closing(sqlite3.connect(state)) as database:
        database.execute("DROP TRIGGER entries_are_not_changed")
        database.execute("UPDATE entries SET actor = 'mallory' WHERE seq = 5")
        database.commit()
    altered = seen(tool)
    shutil.rmtree(folds(state))
    assert seen(tool) == altered
    assert {code for code, _, _ in altered} == {6}
    assert all("entry 5 was altered" in out + err for _, out, err in altered)
    assert not any("mallory" in out for _, out, _ in altered)


def test_where_nothing_can_be_kept_one_looks_all_the_same(tool: Tool, state: Path) -> None:
    expected = seen(tool)
    shutil.rmtree(folds(state))
    folds(state).write_text("in the way")
    assert seen(tool) == expected


def test_what_came_with_a_state_from_elsewhere_does_not_count(
    tool: Tool, state: Path, tmp_path: Path
) -> None:
    expected = seen(tool)
    [kept] = folds(state).iterdir()
    (tmp_path / "state" / "drrun" / "key").write_bytes(b"k" * 32)
    before = kept.read_bytes()
    assert tool("status", "latest").stdout == expected[0][1]
    assert kept.read_bytes() != before

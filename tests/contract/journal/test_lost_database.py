"""A database that does not know the runs of its folder is damage, and no empty history."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drrun.core.model.errors import JournalDamaged
from drrun.core.model.ids import RunId
from drrun.journal.store import StateStore, open_store
from drrun.testing.manual_clock import ManualClock
from tests.contract.journal.benches import RUN, document, draft, record

OTHER = RunId("20240112-100000-migration-11aa")
#: As many characters as a name of a file cannot have.
LONG = RunId("20240113-100000-" + "ü" * 200)


def write(store: StateStore, run: RunId, entries: int = 3) -> None:
    """A run with entries and an output."""
    store.journal.create(record(run), [document()])
    lease = store.leases.take(run)
    store.journal.append(lease, [draft(number=number) for number in range(entries)])
    store.leases.release(lease)
    store.shelf.put(store.shelf.outputs(run) / "a" / "local.1.stdout", b"done\n")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with a run."""
    folder = tmp_path / "state"
    with open_store(folder, ManualClock()) as store:
        write(store, RUN)
    return folder


@pytest.fixture
def store(state: Path) -> Iterator[StateStore]:
    with open_store(state, ManualClock()) as opened:
        yield opened


def missing(file: Path) -> None:
    file.unlink()


def cut_to(size: int) -> Callable[[Path], None]:
    def cut(file: Path) -> None:
        file.write_bytes(file.read_bytes()[:size])

    return cut


def blank(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as made:
        made.execute("VACUUM")


def of_another_program(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE t (a)")


LOSSES: list[Callable[[Path], None]] = [missing, blank, of_another_program]
CUTS = {size: cut_to(size) for size in [*range(65), 99, 100, 512, 4095, 4096, 8191]}


@pytest.mark.parametrize("lose", LOSSES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("trace", ["heads", "outputs"])
@pytest.mark.faults(116)
def test_a_database_that_is_gone_is_damage_while_anything_is_left_of_its_runs(
    state: Path, store: StateStore, lose: Callable[[Path], None], trace: str
) -> None:
    lose(state / "journal.sqlite")
    shutil.rmtree(state / ({"heads", "outputs"} - {trace}).pop())
    before = sorted(state.rglob("*"))
    with pytest.raises(JournalDamaged, match=f"traces of {RUN} in.*Restore"):
        store.journal.runs()
    with pytest.raises(JournalDamaged, match="Do not start their steps again"):
        store.journal.create(record(OTHER), [document()])
    assert sorted(state.rglob("*")) == before


@pytest.mark.parametrize("size", CUTS)
@pytest.mark.faults(116)
def test_a_database_that_was_cut_to_anything_is_damage(
    state: Path, store: StateStore, size: int
) -> None:
    CUTS[size](state / "journal.sqlite")
    with pytest.raises(JournalDamaged):
        store.journal.verify(RUN)
    with pytest.raises(JournalDamaged):
        store.journal.create(record(OTHER), [document()])


@pytest.mark.parametrize("other", [OTHER, LONG], ids=["short", "long"])
def test_an_older_copy_that_lacks_a_run_says_so_and_begins_no_other(
    state: Path, store: StateStore, other: RunId
) -> None:
    old = state.with_name("old.sqlite")
    shutil.copy(state / "journal.sqlite", old)
    write(store, other)
    assert store.journal.lost() == ()
    store.close()
    shutil.copy(old, state / "journal.sqlite")
    assert len(store.journal.lost()) == 1
    assert store.journal.check(RUN).flaws == ()
    with pytest.raises(JournalDamaged, match="is another, or an older one"):
        store.journal.create(record(RunId("new")), [document()])


def test_a_run_that_was_removed_is_not_lost(state: Path, store: StateStore) -> None:
    write(store, LONG)
    store.shelf.remove(RUN, "drew", 0.0)
    (state / "heads" / RUN).write_text("left by somebody who was killed while removing")
    assert store.journal.lost() == ()


def test_a_folder_without_runs_is_an_empty_history(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.sqlite").touch(0o600)
    with open_store(tmp_path / "state", ManualClock()) as store:
        assert (store.journal.runs(), store.journal.lost()) == ([], ())

"""A fold that was kept counts only for the journal that it was made from, byte for byte."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drrun.core.integrity.chain import Head
from drrun.journal.folds import FileFolds, file_of_fold, this_edition
from drrun.journal.store import StateStore, open_store
from drrun.ports.journal import KeptFold
from drrun.testing.manual_clock import ManualClock
from tests.contract.journal.benches import RUN, document, draft, record
from tests.contract.journal.test_damage import DAMAGE, tamper

ENTRIES = 6
TEXT = '{"what": "it folds to, …"}'
#: What `DAMAGE` does behind the entries that were folded, or beside them.
BEHIND = ("INSERT INTO entries", "UPDATE runs SET head_hash")
FINER = (
    "SET at = at + 0.000001 WHERE seq = 3",
    "SET version = 2 WHERE seq = 3",
    "SET hash = upper(hash) WHERE seq = 3",
    "SET actor = 'controller' || char(10) WHERE seq = 3",
    "SET body = body || char(0) WHERE seq = 3",
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> Iterator[StateStore]:
    """A store with one run of six entries."""
    with open_store(state, ManualClock()) as store:
        store.journal.create(record(), [document()])
        lease = store.leases.take(RUN)
        drafts = [draft(number=number, text="what was seen") for number in range(ENTRIES)]
        store.journal.append(lease, drafts)
        store.leases.release(lease)
        yield store


@pytest.fixture
def folds(store: StateStore, tmp_path: Path) -> FileFolds:
    """Folds in which what the six entries come to is kept."""
    folds = FileFolds(store.database, tmp_path / "key")
    folds.keep(RUN, head_of(store), TEXT)
    return folds


def head_of(store: StateStore) -> Head:
    """The last entry."""
    *_, last = store.journal.read(RUN)
    return Head(last.seq, last.hash)


def recalled(folds: FileFolds) -> str:
    """What counts of it; "": nothing."""
    kept = folds.recall(RUN)
    return kept.text if kept else ""


def test_what_was_kept_is_recalled_with_where_it_stands(
    folds: FileFolds, store: StateStore
) -> None:
    kept = folds.recall(RUN)
    assert kept is not None
    assert (kept.text, kept.head) == (TEXT, head_of(store))


def test_without_it_one_begins_where_the_chain_begins(store: StateStore, tmp_path: Path) -> None:
    row = store.database.row("run", run=RUN)
    assert row is not None
    born = Head(0, row["genesis"])
    assert FileFolds(store.database, tmp_path / "key").recall(RUN) == KeptFold(born, born)


def test_it_counts_still_when_the_journal_has_grown(folds: FileFolds, store: StateStore) -> None:
    lease = store.leases.take(RUN)
    store.journal.append(lease, [draft(number=7)])
    assert recalled(folds) == TEXT


@pytest.mark.parametrize(
    "done",
    [*(each for each in DAMAGE if not each.startswith(BEHIND)),
     *(f"UPDATE entries {each}" for each in FINER)],
)  # fmt: skip
def test_it_never_hides_that_the_journal_was_altered(
    folds: FileFolds, state: Path, done: str
) -> None:
    tamper(state, done)
    assert recalled(folds) == ""


def test_it_never_hides_that_another_journal_was_put_in_place(
    folds: FileFolds, store: StateStore, state: Path
) -> None:
    store.close()
    (state / "journal.sqlite").unlink()
    (state / "heads" / RUN).unlink()
    with open_store(state, ManualClock()) as other:
        other.journal.create(record(), [document()])
        lease = other.leases.take(RUN)
        other.journal.append(lease, [draft(number=0, text="what was said")] * ENTRIES)
        assert recalled(folds) == ""


@pytest.mark.parametrize("bit", [1, 128])
def test_no_byte_of_it_can_be_changed(folds: FileFolds, state: Path, bit: int) -> None:
    path = file_of_fold(state, RUN)
    sound = path.read_bytes()
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ bit]) + sound[place + 1 :])
        assert recalled(folds) == "", place
    path.write_bytes(sound)
    assert recalled(folds) == TEXT


def test_torn_at_any_length_it_does_not_count(folds: FileFolds, state: Path) -> None:
    path = file_of_fold(state, RUN)
    sound = path.read_bytes()
    for length in range(len(sound)):
        path.write_bytes(sound[:length])
        assert recalled(folds) == "", length


def test_nobody_else_can_have_made_it(folds: FileFolds, store: StateStore, tmp_path: Path) -> None:
    assert recalled(FileFolds(store.database, tmp_path / "key of another user")) == ""
    (tmp_path / "key").write_bytes(os.urandom(32))
    assert recalled(folds) == ""


def test_another_version_of_the_program_does_not_read_it(
    folds: FileFolds, store: StateStore, tmp_path: Path
) -> None:
    assert recalled(FileFolds(store.database, tmp_path / "key", "another")) == ""
    assert recalled(FileFolds(store.database, tmp_path / "key", this_edition())) == TEXT
    assert recalled(folds) == TEXT


@pytest.mark.parametrize("which", ["fold", "key"])
def test_what_others_could_read_or_write_does_not_count(
    folds: FileFolds, state: Path, tmp_path: Path, which: str
) -> None:
    path = file_of_fold(state, RUN) if which == "fold" else tmp_path / "key"
    path.chmod(0o640)
    assert recalled(folds) == ""
    path.chmod(0o600)
    moved = path.rename(tmp_path / "moved")
    path.symlink_to(moved)
    assert recalled(folds) == ""


def test_files_are_for_this_user_alone(folds: FileFolds, state: Path, tmp_path: Path) -> None:
    assert recalled(folds)
    path = file_of_fold(state, RUN)
    found = [each.stat().st_mode & 0o777 for each in (path.parent, path, tmp_path / "key")]
    assert found == [0o700, 0o600, 0o600]


def test_it_may_go_at_any_time(folds: FileFolds, store: StateStore, state: Path) -> None:
    file_of_fold(state, RUN).unlink()
    file_of_fold(state, RUN).parent.rmdir()
    assert recalled(folds) == ""
    folds.keep(RUN, head_of(store), TEXT)
    assert recalled(folds) == TEXT


def test_where_it_cannot_be_written_there_is_none(
    store: StateStore, state: Path, tmp_path: Path
) -> None:
    (state / "folds").write_text("in the way")
    folds = FileFolds(store.database, tmp_path / "key")
    folds.keep(RUN, head_of(store), TEXT)
    assert recalled(folds) == ""


def test_without_a_key_there_is_none(store: StateStore, state: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("too short")
    folds = FileFolds(store.database, tmp_path / "key")
    folds.keep(RUN, head_of(store), TEXT)
    assert not file_of_fold(state, RUN).exists()
    assert (tmp_path / "key").read_text() == "too short"


def test_what_a_killed_writer_left_is_removed(
    folds: FileFolds, store: StateStore, state: Path
) -> None:
    path = file_of_fold(state, RUN)
    path.with_name(f".{path.name}-4711").write_text("half")
    folds.keep(RUN, head_of(store), TEXT)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_it_goes_with_its_run(folds: FileFolds, store: StateStore, state: Path) -> None:
    store.shelf.remove(RUN, "drew", 0.0)
    assert not file_of_fold(state, RUN).exists()
    assert folds.recall(RUN) is None


def test_looking_holds_up_no_writer(folds: FileFolds, state: Path) -> None:
    assert recalled(folds)
    with closing(sqlite3.connect(state / "journal.sqlite", timeout=0)) as writer:
        writer.execute("BEGIN EXCLUSIVE")

"""A journal that is not what was written is found and named by place (faults F87 and F103)."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from drrun.core.model.errors import JournalDamaged, StateUnusable
from drrun.journal.database import Database
from drrun.journal.store import StateStore, open_store
from drrun.testing.manual_clock import ManualClock
from tests.contract.journal.benches import RUN, document, draft, record


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A state folder with one run of six entries."""
    folder = tmp_path / "state"
    with open_store(folder, ManualClock()) as store:
        store.journal.create(record(), [document()])
        lease = store.leases.take(RUN)
        for number in range(6):
            store.journal.append(lease, [draft(number=number, text="what was seen")])
        store.leases.release(lease)
    return folder


def tamper(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite", isolation_level=None)) as database:
        for trigger in ("entries_are_not_changed", "entries_are_not_deleted"):
            database.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            database.execute(statement)


@pytest.fixture
def store(written: Path) -> Iterator[StateStore]:
    with open_store(written, ManualClock()) as opened:
        yield opened


CHANGES = {
    "SET body = replace(body, 'seen', 'said') WHERE seq = 4": "entry 4 was altered",
    "SET body = replace(body, ':', ' :') WHERE seq = 4": "entry 4 was altered",
    "SET body = '{' WHERE seq = 4": "entry 4 was altered",
    "SET body = CAST(body AS BLOB) WHERE seq = 4": "entry 4 was altered",
    "SET actor = 'simon' WHERE seq = 2": "entry 2 was altered",
    "SET at = at + 1 WHERE seq = 1": "entry 1 was altered",
    "SET at = 'noon' WHERE seq = 1": "entry 1 was altered",
    "SET kind = 'Other' WHERE seq = 6": "entry 6 was altered",
    "SET epoch = 7 WHERE seq = 3": "entry 3 was altered",
    "SET seq = 9 WHERE seq = 3": "entry 3 is missing",
}
DAMAGE = {
    **{f"UPDATE entries {change}": found for change, found in CHANGES.items()},
    "DELETE FROM entries WHERE seq = 3": "entry 3 is missing",
    "DELETE FROM entries WHERE seq = 1": "entry 1 is missing",
    "DELETE FROM entries WHERE seq > 4": "entries 5 to 6 are missing: the end was cut",
    "DELETE FROM entries": "entries 1 to 6 are missing: the end was cut",
    "INSERT INTO entries SELECT run, 7, at, actor, epoch, kind, version, body, hash FROM entries"
    " WHERE seq = 6": "entry 7 was added behind the recorded end",
    "UPDATE documents SET content = 'drrun: 2'": "runbook /srv/migration.yaml was altered",
    "UPDATE documents SET path = '/other'": "list of documents",
    "DELETE FROM documents": "list of documents",
    "UPDATE runs SET mode = 'rehearsal'": "how it was started",
    "UPDATE runs SET head_hash = genesis": "entry 6 is not the one",
    "UPDATE runs SET id = 'other'": "no list has it any more",
}


@pytest.mark.parametrize(("done", "found"), DAMAGE.items(), ids=DAMAGE)
def test_what_was_changed_is_named(
    written: Path, store: StateStore, done: str, found: str
) -> None:
    tamper(written, done)
    with pytest.raises(JournalDamaged, match=found):
        store.journal.verify(RUN)


def test_nobody_becomes_controller_of_a_damaged_run(written: Path, store: StateStore) -> None:
    tamper(written, "DELETE FROM entries WHERE seq = 3")
    with pytest.raises(JournalDamaged, match="entry 3 is missing"):
        store.leases.take(RUN)
    assert store.leases.holder(RUN) is None


@pytest.mark.faults(108)
def test_what_is_left_of_a_damaged_run_can_be_read(written: Path, store: StateStore) -> None:
    """Fault F108."""
    tamper(written, "DELETE FROM entries WHERE seq = 3")
    assert [entry.seq for entry in store.journal.read(RUN)] == [1, 2, 4, 5, 6]


CUT = (
    "DELETE FROM entries WHERE seq > 4",
    "UPDATE runs SET head_seq = 4, head_hash = (SELECT hash FROM entries WHERE seq = 4)",
)


def test_a_tail_that_was_cut_with_its_head_is_found_by_the_anchor(
    written: Path, store: StateStore
) -> None:
    tamper(written, *CUT)
    with pytest.raises(JournalDamaged, match="ends with entry 4, but had reached entry 6"):
        store.journal.verify(RUN)


@pytest.mark.faults(87)
def test_an_old_copy_of_the_database_is_found_by_the_anchor(
    written: Path, store: StateStore
) -> None:
    old = written.with_name("old.sqlite")
    shutil.copy(written / "journal.sqlite", old)
    store.journal.append(store.leases.take(RUN), [draft()])
    store.close()
    shutil.copy(old, written / "journal.sqlite")
    with pytest.raises(JournalDamaged, match="an old copy was restored"):
        store.leases.take(RUN)


@pytest.mark.faults(103)
def test_a_cut_nobody_here_remembers_changes_the_head_that_was_printed(
    written: Path, store: StateStore
) -> None:
    printed = store.journal.verify(RUN)
    tamper(written, *CUT)
    shutil.rmtree(written / "heads")
    assert store.journal.verify(RUN) != printed


def test_an_anchor_that_holds_nothing_says_nothing(written: Path, store: StateStore) -> None:
    (written / "heads" / RUN).write_bytes(b"")
    assert store.journal.verify(RUN)


def test_an_old_copy_under_a_running_controller_is_found_by_its_next_write(
    written: Path, store: StateStore
) -> None:
    lease = store.leases.take(RUN)
    old = written.with_name("old.sqlite")
    shutil.copy(written / "journal.sqlite", old)
    store.journal.append(lease, [draft()])
    store.close()
    shutil.copy(old, written / "journal.sqlite")
    with pytest.raises(JournalDamaged, match="does not end with entry 7 any more"):
        store.journal.append(lease, [draft()])


def test_the_program_itself_cannot_change_or_delete_an_entry(written: Path) -> None:
    with closing(sqlite3.connect(written / "journal.sqlite")) as database:
        for statement in ("UPDATE entries SET seq = 9 WHERE seq = 6", "DELETE FROM entries"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)


def test_a_lost_row_of_the_lease_does_not_let_the_epoch_go_back(
    written: Path, store: StateStore
) -> None:
    store.journal.append(store.leases.take(RUN), [draft()])
    tamper(written, "DELETE FROM leases")
    assert store.leases.take(RUN).epoch == 3


def whole(folder: Path) -> tuple[object, ...]:
    """Everything that the chain vouches for, or what was said of it."""
    with Database(folder) as database:
        store = StateStore.over(database, ManualClock())
        try:
            store.journal.verify(RUN)
            kept = [replace(each, status="", ended_at=None) for each in store.journal.runs()]
            return (kept, list(store.journal.read(RUN)), store.journal.documents(RUN))
        except JournalDamaged:
            return ("damaged",)
        except StateUnusable:
            return ("unusable",)


def changed_somehow(
    folder: Path, offsets: list[int], change: Callable[[bytearray, int], bytearray]
) -> dict[int, tuple[object, ...]]:
    """What is seen after each change that is neither found nor harmless."""
    file = folder / "journal.sqlite"
    original, sound = file.read_bytes(), whole(folder)
    slipped: dict[int, tuple[object, ...]] = {}
    for offset in offsets:
        file.write_bytes(change(bytearray(original), offset))
        seen = whole(folder)
        if seen not in (sound, ("damaged",), ("unusable",)):
            slipped[offset] = seen
    return slipped


@pytest.mark.faults(87)
def test_a_flipped_byte_is_found_or_harmless(written: Path) -> None:
    """Every byte of the entries, and a thousand anywhere."""
    chance = random.Random(87)
    content = (written / "journal.sqlite").read_bytes()
    begin, end = content.index(b'{"number":5'), content.rindex(b"what was seen") + 200
    offsets = [*range(begin - 64, end), *(chance.randrange(len(content)) for _ in range(1000))]

    def flip(content: bytearray, offset: int) -> bytearray:
        content[offset] ^= chance.randrange(1, 256)
        return content

    assert not changed_somehow(written, offsets, flip)


@pytest.mark.faults(87)
def test_a_file_cut_at_any_byte_of_its_last_page_is_found(written: Path) -> None:
    size = (written / "journal.sqlite").stat().st_size

    def cut(content: bytearray, offset: int) -> bytearray:
        return content[:offset]

    assert not changed_somehow(written, list(range(size - 4096, size, 7)), cut)


def test_a_file_that_is_no_database_is_refused(written: Path, store: StateStore) -> None:
    (written / "journal.sqlite").write_bytes(b"not a database at all" * 400)
    with pytest.raises(JournalDamaged, match="is damaged: file is not a database"):
        store.journal.runs()

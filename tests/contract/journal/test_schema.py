"""Files of other versions (faults F95 and F97)."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from drrun.core.model.errors import StateUnusable
from drrun.journal import schema
from drrun.journal.queries import migrations, split, statements
from drrun.journal.store import StateStore, open_store
from drrun.testing.manual_clock import ManualClock
from tests.contract.journal.benches import RUN, SqliteBench, document, draft, record


def pragma(file: Path, text: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"PRAGMA {text}")


@pytest.mark.faults(95)
def test_a_state_from_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "journal.sqlite"
    with open_store(tmp_path / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
    pragma(file, "user_version = 99")
    before = file.read_bytes()
    with open_store(tmp_path / "state", ManualClock()) as store:
        for use in (store.journal.runs, lambda: store.journal.create(record(), [])):
            with pytest.raises(StateUnusable, match="made by a newer drrun"):
                use()
    assert file.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "photos.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE photos (name)")
    before = file.read_bytes()
    with (
        open_store(file, ManualClock()) as store,
        pytest.raises(StateUnusable, match="is not a journal of drrun"),
    ):
        store.journal.create(record(), [document()])
    assert file.read_bytes() == before


def test_a_state_whose_creation_was_cut_short_is_completed(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "journal.sqlite").touch(mode=0o600)
    with open_store(tmp_path / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
        assert [each.id for each in store.journal.runs()] == [RUN]


#: A version that is still to come.
NEWER = max(migrations()) + 1


def migrate(disk: SqliteBench, *more: str) -> None:
    """Bring the file to a version that `more` leads to."""
    file = disk.folder / "journal.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        schema.bring_up_to_date(connection, file, {**migrations(), NEWER: more})


@pytest.mark.faults(95)
def test_an_older_state_is_copied_and_then_migrated(disk: SqliteBench) -> None:
    disk.mine.journal.append(disk.mine.leases.take(RUN), [draft()])
    migrate(disk, "CREATE TABLE places (name TEXT)")
    with closing(sqlite3.connect(disk.folder / "journal.sqlite")) as new:
        assert new.execute("PRAGMA user_version").fetchone() == (NEWER,)
    copy = disk.folder / f"journal.sqlite.schema-{NEWER - 1}"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (NEWER - 1,)
        assert old.execute("SELECT count(*) FROM entries").fetchone() == (1,)


@pytest.mark.faults(97)
def test_a_migration_that_fails_in_the_middle_leaves_the_old_state(disk: SqliteBench) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(disk, "CREATE TABLE places (name TEXT)", "CREATE NONSENSE")
    with closing(sqlite3.connect(disk.folder / "journal.sqlite")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (NEWER - 1,)
        names = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert ("places",) not in names
    assert disk.mine.journal.runs()


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    assert list(migrations()) == list(range(1, len(migrations()) + 1))


def test_every_statement_fits_the_schema(disk: SqliteBench) -> None:
    disk.mine.journal.runs()
    with closing(sqlite3.connect(disk.folder / "journal.sqlite")) as database:
        for text in statements().values():
            values = dict.fromkeys(("x", *_parameters(text)), 0)
            database.execute(f"EXPLAIN {text}", values)


def _parameters(text: str) -> set[str]:
    return set(re.findall(r":([a-z_0-9]+)", text))


def test_a_script_is_split_into_statements_also_around_triggers() -> None:
    script = "CREATE TABLE a (b);\n-- ; \nCREATE TRIGGER c DELETE ON a\nBEGIN\n  SELECT 1;\nEND;\n"
    assert len(split(script)) == 2


@pytest.mark.faults(88)
def test_commits_are_synchronised_and_there_is_no_wal(tmp_path: Path) -> None:
    with open_store(tmp_path / "state", ManualClock()) as store:
        assert pragmas(store) == {"journal_mode": "persist", "synchronous": 3, "foreign_keys": 1}


def pragmas(store: StateStore) -> dict[str, object]:
    store.journal.create(record(), [document()])
    connection = store.database._open()
    names = ("journal_mode", "synchronous", "foreign_keys")
    return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}

"""The version of the schema in a file, and the way forward from an older one.

Rules:
- Migrations go forward only, all in one transaction: killed in the middle, a file is old or new,
  never half (fault F97). A file with entries is copied before it is migrated.
- A file made by a newer version is refused, and so is one that is not ours (fault F95).
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from drrun.core.model.errors import StateUnusable
from drrun.journal.folder import make_private_file
from drrun.journal.queries import migrations

#: `PRAGMA application_id`: "drrn".
APPLICATION = 0x6472726E


class NotOurs(StateUnusable):
    """The file is none of drrun's. Exit code 2."""


Migrations = Mapping[int, Sequence[str]]


def bring_up_to_date(
    connection: sqlite3.Connection, file: Path, known: Migrations | None = None
) -> None:
    """Apply the migrations that `file` lacks.

    Args:
        connection: In autocommit.
        file: What the connection is open on.
        known: Statements that lead to each version; by default those of this program.

    Raises:
        StateUnusable: It was made by a newer version, or by another program.
    """
    known = known or migrations()
    newest = max(known)
    version = _version(connection, file, newest)
    if version == newest:
        return
    if version:
        _copy(connection, file.with_name(f"{file.name}.schema-{version}"))
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        for number in range(_version(connection, file, newest) + 1, newest + 1):
            for statement in known[number]:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {newest}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_blank(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever put into the file."""
    row = connection.execute(
        "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_user_version, pragma_application_id"
    ).fetchone()
    return not any(row)


def _version(connection: sqlite3.Connection, file: Path, newest: int) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    foreign = application != APPLICATION and (tables or application or version)
    if foreign or version < 0:
        raise NotOurs(
            f"{file} is not a journal of drrun. Nothing was changed. Choose another state: --state"
        )
    if version > newest:
        raise StateUnusable(
            f"{file} was made by a newer drrun (schema {version}, this one knows "
            f"{newest}). Nothing was changed. Use that version, or another state folder"
        )
    return version


def _copy(connection: sqlite3.Connection, copy: Path) -> None:
    make_private_file(copy)
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)

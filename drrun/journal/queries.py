"""SQL by name: statements live in `sql/queries.sql`, the schema in `sql/NNN-*.sql`.

Rules:
- No SQL stands in Python, but for pragmas and transactions in `drrun.journal.database`.
"""

import re
import sqlite3
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_NUMBERED = re.compile(r"(\d{3})-[a-z0-9-]+\.sql")


@cache
def statements() -> dict[str, str]:
    """The text of every named statement."""
    text = files("drrun.journal").joinpath("sql", "queries.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


@cache
def migrations() -> dict[int, tuple[str, ...]]:
    """The statements that lead to each version of the schema, in order, without a gap."""
    found: dict[int, tuple[str, ...]] = {}
    for file in files("drrun.journal").joinpath("sql").iterdir():
        match = _NUMBERED.fullmatch(file.name)
        if match:
            found[int(match[1])] = split(file.read_text(encoding="utf-8"))
    return dict(sorted(found.items()))


def split(script: str) -> tuple[str, ...]:
    """The single statements of `script`, so that they can be run inside one transaction."""
    found, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if line.strip() and sqlite3.complete_statement(statement):
            found.append(statement.strip())
            statement = ""
    return tuple(found)

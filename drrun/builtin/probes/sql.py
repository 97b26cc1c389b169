"""`sql`: a query gives the expected value.

Rules:
- On a host: through its own `psql`, as `become` says. On the controller: with a `dsn` through
  psycopg (`pip install 'drrun[pg]'`), or psql if that is not there.
- The session is read-only (contract guarantee 11); the server's own time limit is set too.
- One value is its text; several rows are lines, columns separated by tabs. Whatever goes wrong,
  a refused connection too, could not tell: it says nothing about the data.
"""

import shlex
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from drrun.builtin.probes.asking import (
    CommandResult,
    command,
    doubt,
    ended_with,
    judged,
    unanswered,
)
from drrun.core.rules.judging import Observed, shown
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question

#: What names files of the controller in a dsn.
_FILES = frozenset(
    {"passfile", "service", "servicefile", "sslcert", "sslcrl", "sslcrldir", "sslkey",
     "sslrootcert"}
)  # fmt: skip


def evaluate(question: Question, places: Places, cancel: Cancel) -> ProbeAnswer:
    """Query once."""
    try:
        parts = _parts(question)
    except ValueError as error:
        return doubt(question, f"the dsn cannot be read: {error}")
    if question.host is None and find_spec("psycopg") is not None:
        return _by_psycopg(question, parts)
    return _by_psql(question, parts, places, cancel)


def _parts(question: Question) -> dict[str, str]:
    """The connection by libpq's names, from the parts, a URL, or `key=value` words.

    Raises:
        ValueError: The dsn cannot be read.
    """
    ask = question.ask
    dsn = str(ask.get("dsn") or "")
    if "://" in dsn:
        url = urlsplit(dsn)
        parts = {
            "host": url.hostname or "",
            "port": str(url.port or ""),
            "user": unquote(url.username or ""),
            "password": unquote(url.password or ""),
            "dbname": unquote(url.path.lstrip("/")),
            **dict(parse_qsl(url.query)),
        }
    else:
        parts = dict(word.partition("=")[::2] for word in shlex.split(dsn))
    names = {"database": "dbname"}
    for name in ("host", "port", "user", "password", "database"):
        if ask.get(name):
            parts[names.get(name, name)] = str(ask[name])
    if "dsn" in question.heard and _FILES & parts.keys():
        raise ValueError("it has a value in it that a host gave, so it must not name a file")
    return {name: value for name, value in parts.items() if value}


def _milliseconds(question: Question) -> int:
    return max(1, int(question.timeout * 1000))


def _by_psycopg(question: Question, parts: Mapping[str, str]) -> ProbeAnswer:
    import psycopg

    options = f"-c default_transaction_read_only=on -c statement_timeout={_milliseconds(question)}"
    try:
        with psycopg.connect(
            **{"dbname": "postgres", **parts},  # type: ignore[arg-type] # libpq's own names
            connect_timeout=max(2, int(question.timeout)),
            options=options,
            application_name="drrun",
        ) as connection:
            cursor = connection.execute(str(question.ask["query"]).encode())
            rows = cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        return doubt(question, " ".join(str(error).split()) or type(error).__name__)
    return judged(question, question.expect, Observed(_text(rows), present=bool(rows)))


def _text(rows: list[tuple[Any, ...]]) -> str:
    return "\n".join("\t".join(_cell(value) for value in row) for row in rows)


def _cell(value: object) -> str:
    """As psql prints it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


#: libpq's names -> the variables that psql reads them from; so no password is ever in argv.
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
}


#: The query goes to the server alone: where psql itself reads, `\!` is a command of the shell.
_PSQL = """psql -X -A -t -q -F '\t' -v ON_ERROR_STOP=1 -f - <<'END'
\\set query `printf %s "$drrun_query"`
SELECT :'query' \\gexec
END"""


def _by_psql(
    question: Question, parts: Mapping[str, str], places: Places, cancel: Cancel
) -> ProbeAnswer:
    settings = (
        f"-c default_transaction_read_only=on -c statement_timeout={_milliseconds(question)}"
    )
    variables = {_VARIABLES[name]: value for name, value in parts.items() if name in _VARIABLES}
    variables |= {"PGOPTIONS": settings, "PGCONNECT_TIMEOUT": str(max(2, int(question.timeout)))}
    text = "\n".join(
        [
            "command -v psql >/dev/null 2>&1 || { echo 'there is no psql here' >&2; exit 120; }",
            *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
            f"export drrun_query={shlex.quote(str(question.ask['query']))}",
            _PSQL,
        ]
    )
    reply = command(question, places, cancel, text)
    status = ended_with(reply)
    if status is None:
        return unanswered(question, reply)
    if status != 0:
        return doubt(question, _complaint(reply) or f"psql ended with {status}")
    answer = reply.stdout.rstrip("\n")
    return judged(question, question.expect, Observed(answer, present=bool(reply.stdout)))


def _complaint(reply: CommandResult) -> str:
    """What psql complains about; below that line it only points to the place in the query."""
    for line in reply.stderr.splitlines():
        _, mark, said = line.partition("ERROR:")
        if mark:
            return shown(said)
    return reply.last_words

"""Probes as written: questions of seven kinds, each with a short and a long form.

Rules:
- Whatever the form, the model holds the long one: `tcp: 5432` is `{"port": 5432}`.
- The first member of a question is the one that people are shown.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from drrun.core.model.execution import Execution
from drrun.core.model.probes import Expect, PortState, Probe, ProbeKind
from drrun.core.model.values import quantity
from drrun.files.yaml.scalars import (
    Number,
    Text,
    boolean,
    choice,
    duration,
    literally,
    pattern,
    period,
    text,
)
from drrun.files.yaml.shape import (
    WRONG,
    ByForm,
    Converted,
    Definitions,
    ListOf,
    MappingOf,
    Reading,
    RecordKey,
    RecordShape,
    Schema,
    Shape,
    Wrong,
)
from drrun.files.yaml.written import Table

_PORT = Number(1, 65535)
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
#: Patterns of hosts, as of a step.
hosts: Shape[tuple[str, ...]] = ListOf(text, or_one=True, least=1)
#: Programs that quote like sh; in another language drrun could not quote what it fills in.
shell = Text("a POSIX shell like sh or bash", r"(/\S*/)?(sh|bash|dash|ash|ksh|mksh|zsh)( \S.*)?")
#: A variable of drrun's own, which holds a value, would be exported by that name.
_VARIABLE = Text(
    "a name like PGHOST, which does not begin with drrun_",
    r"(?!drrun_)[A-Za-z_][A-Za-z0-9_]{0,200}",
)
environment: Shape[dict[str, str]] = MappingOf(literally, name=_VARIABLE, what="variable")


def _user(word: str) -> str:
    return {"true": "root", "false": ""}.get(word, word)


become: Shape[str] = Converted(text, _user)
EXECUTION: Mapping[str, RecordKey] = {
    "env": RecordKey(environment, "environment variables"),
    "become": RecordKey(
        become, "the user to become, by sudo -n; true is root; false is the user of the log-in"
    ),
    "chdir": RecordKey(
        text,
        "folder to execute in; a relative one is meant from the home of the log-in, on the "
        "controller from the folder of the runbook, which is the default there",
    ),
    "shell": RecordKey(shell, "the shell, with its options", default="sh"),
}


def take_execution(values: dict[str, Any]) -> Execution:
    """Take the keys of EXECUTION (and `stdin`) out of `values`."""
    taken = {name: values.pop(name) for name in (*EXECUTION, "stdin") if name in values}
    if "become" in taken:
        taken["become"] = taken["become"] or None
    return Execution(**taken)


def _codes(least: int, most: int) -> Shape[tuple[int, ...]]:
    return ListOf(Number(least, most), or_one=True, least=1)


def _limit(word: str) -> str:
    if "{{" not in word and quantity(word) is None:
        raise ValueError(f"{word!r} is not a number, duration, size or share to compare with")
    return word


def _absent(word: str) -> str | bool:
    return {"true": True, "false": False}.get(word, word)


_LIMIT: Shape[str] = Converted(Text("a limit like 5m"), _limit)


def _expect(values: dict[str, Any], table: Table, reading: Reading) -> Expect | Wrong:
    if values.get("absent") is False:
        del values["absent"]
    if not table.entries:
        return reading.wrong(table, "expects nothing: say what must be seen")
    return Expect(**values)


expectation: RecordShape[Expect] = RecordShape(
    "expect",
    {
        "exit": RecordKey(_codes(0, 255), "exit status, or a list of those allowed"),
        "status": RecordKey(_codes(100, 599), "HTTP status, or a list of those allowed"),
        "equals": RecordKey(literally, "what was seen, without white space around it"),
        "matches": RecordKey(pattern, "regular expression that is found in what was seen"),
        "contains": RecordKey(text, "text that occurs"),
        "absent": RecordKey(
            Converted(text, _absent), "text that must not occur; true: nothing at all"
        ),
        "lt": RecordKey(_LIMIT, "less than"),
        "le": RecordKey(_LIMIT, "at most"),
        "gt": RecordKey(_LIMIT, "more than"),
        "ge": RecordKey(_LIMIT, "at least"),
        "json": RecordKey(text, "path into a JSON answer, data.items.0.name"),
    },
    _expect,
    about="What the answer must look like; every member that is given must be met.",
)


def _question(
    name: str, main: str, keys: Mapping[str, RecordKey], short: Shape[Any]
) -> Shape[Any]:
    """Short form: one word for `main`; long form: a record that puts `main` first."""

    def build(values: dict[str, Any], _: Table, __: Reading) -> dict[str, Any]:
        # `main` may be absent: of tcp, the host is.
        return {key: values[key] for key in dict.fromkeys((main, *values)) if key in values}

    return ByForm(word=short, table=RecordShape(f"{name}-question", keys, build))


def _as(key: str) -> Any:
    return lambda value: {key: value}


def _url(word: str) -> str:
    if "{{" not in word[:2] and not re.match(r"https?://[^\s/]", word):
        raise ValueError(f"{word[:80]!r} is not a URL: it begins with http:// or https://")
    return word


def _port(word: str) -> int | str:
    if word.isascii() and word.isdigit() and 1 <= int(word[:6]) <= 65535:
        return int(word)
    if _TEMPLATE.fullmatch(word):
        return word
    raise ValueError(f"{word!r} is not a port: a number from 1 to 65535")


def _endpoint(word: str) -> dict[str, Any]:
    """Read `5432`, `db1:5432`, `[::1]:5432`; templates may stand for either part."""
    masked = _TEMPLATE.sub(lambda match: "_" * len(match[0]), word)
    colon = masked.rfind(":")
    if colon < 0:
        return {"port": _port(word)}
    host = word[:colon].removeprefix("[").removesuffix("]")
    if not host or any(character.isspace() for character in masked):
        raise ValueError(f"{word!r} is not an address: write it like db1:5432")
    return {"host": host, "port": _port(word[colon + 1 :])}


_url_text: Shape[str] = Converted(text, _url)
_endpoint_text: Shape[dict[str, Any]] = Converted(
    Text("a port, or an address like db1:5432"), _endpoint
)
_HTTP = {
    "url": RecordKey(_url_text, "http:// or https://", required=True),
    "method": RecordKey(Text("a method like GET", r"[A-Z]{3,10}"), default="GET"),
    "headers": RecordKey(
        MappingOf(literally, name=Text("a header", r"[A-Za-z0-9-]+"), what="header"),
        "headers to send",
    ),
    "body": RecordKey(literally, "what to send"),
    "status": RecordKey(_codes(100, 599), "as `status` of `expect`; 200 to 399 by default"),
    "address": RecordKey(text, "connect to this address; Host and TLS name stay those of the URL"),
    "insecure": RecordKey(boolean, "true: do not check the certificate", default=False),
    "ca": RecordKey(text, "file with the certificates to trust"),
}
_DNS = {
    "name": RecordKey(text, "the name asked for", required=True),
    "type": RecordKey(Text("a record type like A", r"[A-Z]{1,10}[0-9]{0,5}"), default="A"),
    "server": RecordKey(
        hosts, "ask these servers instead of all authoritative ones", into="servers"
    ),
    "servers": RecordKey(hosts, "as `server`"),
    "zone": RecordKey(text, "the zone, where it cannot be found out"),
    "tcp": RecordKey(boolean, "true: ask by TCP, not by UDP", default=False),
    "want": RecordKey(
        Text("data, ttl or serial", r"data|ttl|serial"),
        "what of the answer is judged: its data, its TTL, or the serial number of the zone",
        default="data",
    ),
}
_SQL = {
    "query": RecordKey(
        text,
        "one statement that reads; rows become lines, columns are separated by tabs",
        required=True,
    ),
    "dsn": RecordKey(text, "where: a connection string or URL"),
    "url": RecordKey(text, "as `dsn`", into="dsn"),
    "database": RecordKey(text, "instead of `dsn`: name of the database"),
    "user": RecordKey(text, "user of the database"),
    "host": RecordKey(
        text, "host or socket folder of the database, as seen from where it is asked"
    ),
    "port": RecordKey(_PORT, "port of the database"),
    "password": RecordKey(text, "a template that names a secret"),
}
_FILE = {
    "path": RecordKey(text, "path on the host", required=True),
    "exists": RecordKey(boolean, "whether it must be there", default=True),
    "sha256": RecordKey(
        Text("64 hexadecimal digits", r"[0-9a-f]{64}|.*\{\{.*"), "hash of its content"
    ),
    "mode": RecordKey(Text("permissions like '0644'", r"[0-7]{3,4}"), "its permissions"),
    "owner": RecordKey(text, "user or user:group"),
    "size": RecordKey(text, "bytes, or a size like 20GiB"),
}
_ASK = {
    "question": RecordKey(text, "what is asked", required=True),
    "role": RecordKey(text, "who looks"),
}
_QUESTIONS: Mapping[str, RecordKey] = {
    "run": RecordKey(
        Converted(text, _as("text")),
        "shell text; exit 0: it holds; 126 and 127 (it could not be executed), no answer within "
        "`timeout`, no contact: it could not tell; any other exit: it does not hold",
    ),
    "http": RecordKey(
        _question("http", "url", _HTTP, Converted(_url_text, _as("url"))),
        "one request, sent by the controller; holds if the status is 200 to 399",
    ),
    "tcp": RecordKey(
        _question(
            "tcp",
            "host",
            {
                "host": RecordKey(text, "name or address; the target itself by default"),
                "port": RecordKey(
                    Converted(Text("a port"), _port), "where to connect", required=True
                ),
                "state": RecordKey(
                    choice(PortState),
                    "what must become of the attempt: open (somebody takes the connection), "
                    "refused (the host says that nobody does), silent (nothing answers within "
                    "`timeout`)",
                    default="open",
                ),
            },
            _endpoint_text,
        ),
        "a port, or `host:port`; holds if somebody takes the connection, or as `state` says",
    ),
    "dns": RecordKey(
        _question("dns", "name", _DNS, Converted(text, _as("name"))),
        "a name; holds if every authoritative server answers as expected",
    ),
    "sql": RecordKey(
        _question("sql", "query", _SQL, Converted(text, _as("query"))),
        "a query of PostgreSQL, by psql on the target; the session is read-only",
    ),
    "file": RecordKey(
        _question("file", "path", _FILE, Converted(text, _as("path"))),
        "a path on the target; holds if it exists and is as expected",
    ),
    "ask": RecordKey(
        _question("ask", "question", _ASK, Converted(text, _as("question"))),
        "a question to a person, who looks and answers yes or no",
    ),
}
_KINDS = tuple(str(kind) for kind in ProbeKind)


def _tells(values: dict[str, Any], table: Table, reading: Reading) -> dict[str, Any] | Wrong:
    told = {"holds": (0,), "not": (1,), **values}
    if both := set(told["holds"]) & set(told["not"]):
        return reading.wrong(table, f"exit {min(both)} is in `holds` and in `not`: one of them")
    return told


_TELLS: RecordShape[dict[str, Any]] = RecordShape(
    "tells",
    {
        "holds": RecordKey(_codes(0, 255), "exit codes that mean that it holds", default=0),
        "not": RecordKey(_codes(0, 255), "exit codes that mean that it does not hold", default=1),
    },
    _tells,
    about="Which answer of a `run` probe each exit code gives; all others could not tell.",
)


def build_probe(values: dict[str, Any], table: Table, reading: Reading) -> Probe | Wrong:
    """A probe of the keys that were read."""
    written = [kind for kind in _KINDS if kind in table.entries]
    if len(written) != 1:
        found = f"has {' and '.join(written)}" if written else "asks nothing"
        return reading.wrong(table, f"a probe {found}: exactly one of {', '.join(_KINDS)}")
    kind = written[0]
    if kind not in values:
        return WRONG
    ask = values.pop(kind)
    status = ask.pop("status", None)
    expect = values.pop("expect", Expect())
    if status is not None and expect.status is None:
        expect = replace(expect, status=status)
    if fault := _misplaced(kind, ask, expect, "tells" in values):
        return reading.wrong(table, fault)
    if "tells" in values:
        ask["tells"] = values.pop("tells")
    execution = take_execution(values)
    return Probe(
        kind=ProbeKind(kind),
        ask=ask,
        expect=expect,
        execution=execution,
        place=reading.place(table),
        **values,
    )


def _misplaced(kind: str, ask: Mapping[str, Any], expect: Expect, tells: bool) -> str:
    """Why what is said of the answer does not fit the question, or ""."""
    if tells and kind != ProbeKind.RUN:
        return f"tells: only a run probe has exit codes, not {kind}"
    if tells and expect.exit is not None:
        return "has `tells` and `expect: {exit: …}`: both say what an exit code means; keep one"
    if ask.get("state", PortState.OPEN) != PortState.OPEN and expect != Expect():
        return f"expect: a port that is {ask['state']} says nothing that could be judged"
    return ""


def one_question(_: Definitions) -> Schema:
    """A probe has one question."""
    return {"oneOf": [{"required": [kind]} for kind in _KINDS]}


probe: RecordShape[Probe] = RecordShape(
    "probe",
    {
        **_QUESTIONS,
        "name": RecordKey(text, "what people call it"),
        "on": RecordKey(hosts, "where it is asked: hosts, groups, site:NAME, local"),
        "expect": RecordKey(expectation, "what the answer must look like"),
        "tells": RecordKey(
            _TELLS, "of `run`: which exit codes mean holds, and which not; others could not tell"
        ),
        "within": RecordKey(duration, "poll until it holds, for at most so long"),
        "every": RecordKey(period, "how often, with `within` or `stable_for`", default="5s"),
        "stable_for": RecordKey(duration, "must keep holding for so long"),
        "timeout": RecordKey(
            period, "limit of one answer; later it could not tell", default="30s"
        ),
        **EXECUTION,
    },
    build_probe,
    about="A question with three answers: holds, does not hold, could not tell.",
    extra=one_question,
)

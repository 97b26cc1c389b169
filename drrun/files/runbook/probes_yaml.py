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
from drrun.core.model.probes import Expect, Probe, ProbeKind
from drrun.core.model.values import quantity
from drrun.files.yaml.scalars import (
    Number,
    Text,
    boolean,
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
    Key,
    ListOf,
    MappingOf,
    Reading,
    Record,
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
EXECUTION: Mapping[str, Key] = {
    "env": Key(environment, "environment variables"),
    "become": Key(become, "the user to become, by sudo -n; true is root"),
    "chdir": Key(text, "folder to execute in"),
    "shell": Key(shell, "the shell; sh by default"),
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
        raise ValueError(f"{word!r} is no number, duration, size or share to compare with")
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


expectation: Record[Expect] = Record(
    "expect",
    {
        "exit": Key(_codes(0, 255), "exit status, or a list of those allowed"),
        "status": Key(_codes(100, 599), "HTTP status, or a list of those allowed"),
        "equals": Key(literally, "what was seen, without white space around it"),
        "matches": Key(pattern, "regular expression that is found in what was seen"),
        "contains": Key(text, "text that occurs"),
        "absent": Key(Converted(text, _absent), "text that must not occur; true: nothing at all"),
        "lt": Key(_LIMIT, "less than"),
        "le": Key(_LIMIT, "at most"),
        "gt": Key(_LIMIT, "more than"),
        "ge": Key(_LIMIT, "at least"),
        "json": Key(text, "path into a JSON answer, data.items.0.name"),
    },
    _expect,
    about="What the answer must look like; every member that is given must be met.",
)


def _question(name: str, main: str, keys: Mapping[str, Key], short: Shape[Any]) -> Shape[Any]:
    """Short form: one word for `main`; long form: a record that puts `main` first."""

    def build(values: dict[str, Any], _: Table, __: Reading) -> dict[str, Any]:
        # `main` may be absent: of tcp, the host is.
        return {key: values[key] for key in dict.fromkeys((main, *values)) if key in values}

    return ByForm(word=short, table=Record(f"{name}-question", keys, build))


def _as(key: str) -> Any:
    return lambda value: {key: value}


def _url(word: str) -> str:
    if "{{" not in word[:2] and not re.match(r"https?://[^\s/]", word):
        raise ValueError(f"{word[:80]!r} is no URL: it begins with http:// or https://")
    return word


def _port(word: str) -> int | str:
    if word.isascii() and word.isdigit() and 1 <= int(word[:6]) <= 65535:
        return int(word)
    if _TEMPLATE.fullmatch(word):
        return word
    raise ValueError(f"{word!r} is no port: a number from 1 to 65535")


def _endpoint(word: str) -> dict[str, Any]:
    """Read `5432`, `db1:5432`, `[::1]:5432`; templates may stand for either part."""
    masked = _TEMPLATE.sub(lambda match: "_" * len(match[0]), word)
    colon = masked.rfind(":")
    if colon < 0:
        return {"port": _port(word)}
    host = word[:colon].removeprefix("[").removesuffix("]")
    if not host or any(character.isspace() for character in masked):
        raise ValueError(f"{word!r} is no address: write it like db1:5432")
    return {"host": host, "port": _port(word[colon + 1 :])}


_url_text: Shape[str] = Converted(text, _url)
_endpoint_text: Shape[dict[str, Any]] = Converted(
    Text("a port, or an address like db1:5432"), _endpoint
)
_HTTP = {
    "url": Key(_url_text, "http:// or https://", required=True),
    "method": Key(Text("a method like GET", r"[A-Z]{3,10}"), "GET by default"),
    "headers": Key(MappingOf(literally, name=Text("a header", r"[A-Za-z0-9-]+"), what="header")),
    "body": Key(literally),
    "status": Key(_codes(100, 599), "as `expect.status`"),
    "address": Key(text, "connect to this address; Host and TLS name stay those of the URL"),
    "insecure": Key(boolean, "do not check the certificate"),
    "ca": Key(text, "file with the certificates to trust"),
}
_DNS = {
    "name": Key(text, "the name asked for", required=True),
    "type": Key(Text("a record type like A", r"[A-Z]{1,10}[0-9]{0,5}"), "A by default"),
    "server": Key(hosts, "ask these servers instead of all authoritative ones", into="servers"),
    "servers": Key(hosts, "as `server`"),
    "zone": Key(text, "the zone, where it cannot be found out"),
    "tcp": Key(boolean, "ask by TCP"),
    "want": Key(Text("data, ttl or serial", r"data|ttl|serial"), "what of the answer is judged"),
}
_SQL = {
    "query": Key(text, "one statement", required=True),
    "dsn": Key(text, "where: a connection string or URL"),
    "url": Key(text, "as `dsn`", into="dsn"),
    "database": Key(text),
    "user": Key(text),
    "host": Key(text),
    "port": Key(_PORT),
    "password": Key(text, "a template that names a secret"),
}
_FILE = {
    "path": Key(text, "path on the host", required=True),
    "exists": Key(boolean, "whether it must be there; true by default"),
    "sha256": Key(Text("64 hexadecimal digits", r"[0-9a-f]{64}|.*\{\{.*")),
    "mode": Key(Text("permissions like '0644'", r"[0-7]{3,4}")),
    "owner": Key(text, "user or user:group"),
    "size": Key(text, "bytes, or a size like 20GiB"),
}
_ASK = {"question": Key(text, required=True), "role": Key(text, "who looks")}
_QUESTIONS: Mapping[str, Key] = {
    "run": Key(Converted(text, _as("text")), "shell text; holds if it exits with 0"),
    "http": Key(_question("http", "url", _HTTP, Converted(_url_text, _as("url")))),
    "tcp": Key(
        _question(
            "tcp",
            "host",
            {"host": Key(text), "port": Key(Converted(Text("a port"), _port), required=True)},
            _endpoint_text,
        ),
        "whether something listens",
    ),
    "dns": Key(_question("dns", "name", _DNS, Converted(text, _as("name")))),
    "sql": Key(_question("sql", "query", _SQL, Converted(text, _as("query")))),
    "file": Key(_question("file", "path", _FILE, Converted(text, _as("path")))),
    "ask": Key(_question("ask", "question", _ASK, Converted(text, _as("question")))),
}
_KINDS = tuple(str(kind) for kind in ProbeKind)


def _probe(values: dict[str, Any], table: Table, reading: Reading) -> Probe | Wrong:
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
    execution = take_execution(values)
    return Probe(
        kind=ProbeKind(kind),
        ask=ask,
        expect=expect,
        execution=execution,
        place=reading.place(table),
        **values,
    )


probe: Record[Probe] = Record(
    "probe",
    {
        **_QUESTIONS,
        "name": Key(text, "what people call it"),
        "on": Key(hosts, "where it is asked: hosts, groups, site:NAME, local"),
        "expect": Key(expectation),
        "within": Key(duration, "poll until it holds, for at most so long"),
        "every": Key(period, "how often; 5s by default"),
        "stable_for": Key(duration, "must keep holding for so long"),
        "timeout": Key(period, "limit of one evaluation; 30s by default"),
        **EXECUTION,
    },
    _probe,
    about="A question with three answers: holds, does not hold, could not tell.",
    extra=lambda _: {"oneOf": [{"required": [kind]} for kind in _KINDS]},
)
#: A list of probes, or one.
probes: Shape[tuple[Probe, ...]] = ListOf(probe, or_mapping=True)

"""The other probes, and the actions that send files, on this machine as a place."""

import http.server
import os
import shlex
import shutil
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.builtin.probes import Probes, judge
from drrun.core.model.execution import Execution
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Ended
from drrun.core.model.probes import Expect, ProbeKind, Verdict
from drrun.core.model.values import Duration
from drrun.hands.local import LocalPlace
from drrun.ports.places import ProbeAnswer, Question, Remote

HOLDS, NOT, DOUBT = Verdict.HOLDS, Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL


class Here:
    """Every host is this machine."""

    def place(self, host: Host | None) -> Remote:
        return LocalPlace()


def ask(
    kind: ProbeKind, what: Mapping[str, Any], seconds: float = 5, **expect: Any
) -> ProbeAnswer:
    question = Question(kind, what, Expect(**expect), Duration(seconds), None)
    return Probes(Here()).evaluate(question, threading.Event())


@pytest.mark.parametrize(
    ("text", "expect", "verdict"),
    [
        ("true", {}, HOLDS),
        ("false", {}, NOT),
        ("exit 3", {"exit": (3,)}, HOLDS),
        ("no-such-command", {}, DOUBT),
        ("echo 412", {"lt": "5m"}, NOT),
        ('echo \'{"a": {"b": 1}}\'', {"json": "a.b", "equals": "1"}, HOLDS),
        ("sleep 60", {}, DOUBT),
    ],
)
def test_a_command_is_judged(text: str, expect: dict[str, Any], verdict: Verdict) -> None:
    assert ask(ProbeKind.RUN, {"text": text}, 1, **expect).verdict is verdict


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_somebody_who_listens_is_found(listening: int) -> None:
    assert ask(ProbeKind.TCP, {"host": "127.0.0.1", "port": listening}).verdict is HOLDS


def test_a_closed_port_does_not_hold() -> None:
    assert ask(ProbeKind.TCP, {"host": "127.0.0.1", "port": 9}).verdict is NOT


@pytest.fixture
def silent() -> Iterator[int]:
    """A port whose queue is full: the kernel answers no further caller."""
    with ExitStack() as held:
        server = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = server.getsockname()[1]
        while True:
            caller = held.enter_context(socket.socket())
            caller.settimeout(0.3)
            try:
                caller.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        yield port


#: The host itself, asked over a place, and the controller.
ASKED_FROM = pytest.mark.parametrize("host", [None, Host("db1")], ids=["here", "a host"])


@ASKED_FROM
def test_each_state_of_a_port_is_told_from_the_others(
    listening: int, silent: int, host: Host | None
) -> None:
    ports = {"open": listening, "refused": 9, "silent": silent}
    for wanted in ports:
        for state, port in ports.items():
            what = {"host": "127.0.0.1", "port": port, "state": wanted}
            question = Question(ProbeKind.TCP, what, Expect(), Duration(2), host)
            answer = Probes(Here()).evaluate(question, threading.Event())
            assert answer.verdict is (HOLDS if state == wanted else NOT), (wanted, state, answer)


def a_host_without(folder: Path, *missing: str) -> str:
    """A folder of programs that lacks some; a link for each of the others."""
    there = {name: shutil.which(name) for name in ("sh", "bash", "timeout")}
    for name, found in {**there, "python3": os.path.realpath(sys.executable)}.items():
        if name not in missing and found:
            (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.parametrize(
    ("missing", "verdict"),
    [((), HOLDS), (("bash",), HOLDS), (("bash", "timeout", "python3"), DOUBT)],
)
def test_a_host_that_has_no_tool_could_not_tell(
    tmp_path: Path, missing: tuple[str, ...], verdict: Verdict
) -> None:
    what = {"host": "127.0.0.1", "port": 9, "state": "refused"}
    here = Execution(env={"PATH": a_host_without(tmp_path, *missing)})
    question = Question(ProbeKind.TCP, what, Expect(), Duration(5), Host("db1"), here)
    assert Probes(Here()).evaluate(question, threading.Event()).verdict is verdict


@pytest.mark.parametrize(
    ("said", "code", "wanted", "verdict"),
    [
        ("nc: connect to 10.0.0.1 port 1 (tcp) failed: Connection refused", 1, "refused", HOLDS),
        ("nc: connect to 10.0.0.1 port 1 (tcp) timed out: Operation now", 1, "silent", HOLDS),
        ("Ncat: TIMEOUT.", 1, "silent", HOLDS),
        ("nc: connect to 10.0.0.1 port 1 (tcp) failed: No route to host", 1, "silent", DOUBT),
        ("nc: connect to 10.0.0.1 port 1 (tcp) failed: No route to host", 1, "open", NOT),
        ("nc: bad address 'db'", 1, "open", DOUBT),
        ("nc: unrecognized option: z", 1, "silent", DOUBT),
        ("Connection to 10.0.0.1 1 port [tcp/*] succeeded!", 0, "open", HOLDS),
    ],
)
def test_what_the_tool_of_a_host_says_is_understood(
    tmp_path: Path, said: str, code: int, wanted: str, verdict: Verdict
) -> None:
    tool = tmp_path / "nc"
    tool.write_text(f"#!/bin/sh\necho {shlex.quote(said)} >&2\nexit {code}\n")
    tool.chmod(0o755)
    path = a_host_without(tmp_path, "bash", "python3", "timeout")
    question = Question(
        ProbeKind.TCP, {"host": "10.0.0.1", "port": 1, "state": wanted}, Expect(), Duration(5),
        Host("db1"), Execution(env={"PATH": path}),
    )  # fmt: skip
    assert Probes(Here()).evaluate(question, threading.Event()).verdict is verdict


@given(
    code=st.integers(0, 255), holds=st.sets(st.integers(0, 255)), no=st.sets(st.integers(0, 255))
)
def test_only_a_stated_exit_code_tells_anything(code: int, holds: set[int], no: set[int]) -> None:
    tells = {"holds": tuple(holds), "not": tuple(no - holds)}
    question = Question(
        ProbeKind.RUN, {"text": "x", "tells": tells}, Expect(), Duration(1), None
    )  # fmt: skip
    told = HOLDS if code in holds else NOT if code in no else DOUBT
    assert judge(question, Ended(code), "", "").verdict is told


class Page(http.server.BaseHTTPRequestHandler):
    """Says which host was asked for."""

    def do_GET(self) -> None:
        """Answer."""
        body = f"host={self.headers['Host']}".encode()
        self.send_response(503 if self.path == "/down" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_page_is_asked_at_an_address_under_its_own_name(web: int) -> None:
    what = {"url": "http://git.example.org/", "address": f"127.0.0.1:{web}"}
    assert ask(ProbeKind.HTTP, what, contains="host=git.example.org").verdict is HOLDS


def test_a_page_with_an_error_does_not_hold(web: int) -> None:
    seen = ask(ProbeKind.HTTP, {"url": f"http://127.0.0.1:{web}/down"})
    assert (seen.verdict, seen.value[:3]) == (NOT, "503")


def test_a_server_that_never_answers_does_not_hold(listening: int) -> None:
    assert ask(ProbeKind.HTTP, {"url": f"http://127.0.0.1:{listening}/"}, 1).verdict is NOT


def test_a_file_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("hello\n")
    (tmp_path / "f").chmod(0o640)
    path = str(tmp_path / "f")
    answers = [
        ask(ProbeKind.FILE, {"path": path}, equals="hello").verdict,
        ask(ProbeKind.FILE, {"path": path, "mode": "0640"}).verdict,
        ask(ProbeKind.FILE, {"path": path, "mode": "0600"}).verdict,
        ask(ProbeKind.FILE, {"path": f"{path}-gone"}).verdict,
        ask(ProbeKind.FILE, {"path": f"{path}-gone"}, absent=True).verdict,
        ask(ProbeKind.FILE, {"path": path}, absent=True).verdict,
    ]
    assert answers == [HOLDS, HOLDS, NOT, NOT, HOLDS, NOT]

"""The other probes, and the actions that send files, on this machine as a place."""

import http.server
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from drrun.builtin.probes import Probes
from drrun.core.model.inventory import Host
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

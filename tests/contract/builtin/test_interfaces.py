"""Actions that talk to interfaces of others: http.request, fact, notify."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from drrun.core.model.outcomes import Ended, NeverStarted, OutcomeUnknown
from drrun.core.model.probes import Expect, ProbeKind
from drrun.core.model.values import Duration
from drrun.ports.places import Question
from tests.contract.builtin.conftest import Acting


@dataclass
class Service:
    """Somebody's interface, and what it was told."""

    url: str
    told: list[tuple[str, str, str]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            found.told.append((self.command, self.path, body))
            if self.path == "/hangs-up":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            answer = json.dumps({"token": self.headers.get("X-Token", "")}).encode()
            self.send_response(503 if self.path == "/down" else 201)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names of the library

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = Service(f"http://127.0.0.1:{server.server_address[1]}")
    yield found
    server.shutdown()
    server.server_close()


def test_a_request_is_sent_once_and_its_answer_is_the_output(
    act: Acting, service: Service
) -> None:
    outcome = act("http.request", url=f"{service.url}/pool", method="post",
                  headers={"X-Token": "t"}, body={"site": "ams"})  # fmt: skip
    assert outcome == Ended(0, note="it answers 201", facts={"status": 201})
    assert service.told == [("POST", "/pool", '{"site": "ams"}')]
    assert json.loads(act.output.text("stdout")) == {"token": "t"}


def test_an_answer_that_is_not_wanted_fails(act: Acting, service: Service) -> None:
    assert act("http.request", url=f"{service.url}/down") == Ended(1, note="it answers 503")
    assert act("http.request", url=f"{service.url}/down", status=[503]) == Ended(
        0, note="it answers 503", facts={"status": 503}
    )


def test_a_lost_answer_to_a_post_is_not_taken_for_a_failure(act: Acting, service: Service) -> None:
    outcome = act("http.request", url=f"{service.url}/hangs-up", method="POST")
    assert isinstance(outcome, OutcomeUnknown)


def test_a_post_of_a_controller_that_died_is_never_sent_again(
    act: Acting, service: Service
) -> None:
    outcome = act("http.request", order={"again": True}, url=service.url, method="POST")
    assert (isinstance(outcome, OutcomeUnknown), service.told) == (True, [])


def test_a_server_that_refuses_the_connection_got_nothing(act: Acting) -> None:
    assert isinstance(act("http.request", url="http://127.0.0.1:9/", method="POST"), NeverStarted)


def question(text: str, **expect: Any) -> Question:
    return Question(ProbeKind.RUN, {"text": text}, Expect(**expect), Duration(5), None)


def test_a_fact_is_recorded_under_its_name_and_judges_nothing(act: Acting) -> None:
    asked = question("echo 412", lt="5m")
    outcome = act("fact", order={"questions": (asked,)}, name="lag")
    assert outcome == Ended(0, note="412", facts={"lag": "412", "holds": False})


def test_what_could_not_be_told_is_no_fact(act: Acting) -> None:
    outcome = act("fact", order={"questions": (question("no-such-command"),)})
    assert isinstance(outcome, Ended)
    assert outcome.exit == 1


def test_people_are_told_by_a_webhook_named_in_the_step(act: Acting, service: Service) -> None:
    outcome = act("notify", url=f"{service.url}/hook", message="git is read-only", to=["users"])
    told = json.loads(service.told[0][2])
    assert (outcome, told["to"]) == (Ended(0, note="told users"), ["users"])
    assert "git is read-only" in told["text"]


def test_nobody_to_tell_is_a_failure_with_the_way_out(act: Acting) -> None:
    outcome = act("notify", message="hello")
    assert isinstance(outcome, NeverStarted)
    assert "drrun.yaml" in outcome.why

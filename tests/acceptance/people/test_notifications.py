"""People who do not sit at the terminal are told: by webhook, e-mail, command, status text."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import until

RUNBOOK = """
drrun: 1
name: told
roles: {commander: {people: [drew]}}
services: {git: {title: git}}
steps:
  up: {run: "true", verify: {run: "true"}, raises: {git: read-only}}
  ask: {manual: go on?, owner: commander, needs: [up]}
  bad: {run: "exit 3", needs: [ask], verify: {run: "true"}}
"""


class Webhook:
    """A real HTTP server that keeps what was posted; fails as often as it is told."""

    def __init__(self) -> None:
        self.posted: list[dict[str, str]] = []
        self.failures = 0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.failures > 0:
                    hook.failures -= 1
                    self.send_error(503)
                    return
                hook.posted.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def kinds(self) -> list[str]:
        return [each["kind"] for each in self.posted]


class Mails(socketserver.StreamRequestHandler):
    """Just enough of an SMTP server to take a message."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        data = False
        while line := self.rfile.readline():
            if data:
                if line == b".\r\n":
                    data = False
                    self.wfile.write(b"250 taken\r\n")
                else:
                    self.server.lines.append(line.decode())  # type: ignore[attr-defined] # ours
            elif line.upper().startswith(b"DATA"):
                data = True
                self.wfile.write(b"354 go on\r\n")
            elif line.upper().startswith(b"QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    found = Webhook()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("runbooks/told.yml", RUNBOOK)
    program.write("inventory/hosts.yml", "hosts: {}\n")
    return program


def run(program: Program, ways: object) -> Done:
    """A run that asks, is answered, and fails."""
    program.write("drrun.yaml", json.dumps({"notify": ways}))
    process = program.start("run", "runbooks/told.yml", "--yes", "--linger", "1h")
    assert process.stdout is not None
    assert process.stdout.readline()
    assert until(lambda: "go on?" in program.here("status", "latest").out)
    program.here("confirm", "latest", "ask")
    return Done.of(process)


def test_a_webhook_is_told_what_matters(program: Program, webhook: Webhook) -> None:
    run(program, [{"webhook": webhook.url}])
    assert webhook.kinds() == ["service", "waiting", "failed", "ended"]
    assert "ask asks commander (drew): go on?" in webhook.posted[1]["text"]


def test_a_webhook_that_fails_for_a_moment_is_tried_again(
    program: Program, webhook: Webhook
) -> None:
    webhook.failures = 2
    run(program, [{"webhook": webhook.url, "on": ["failed"]}])
    assert webhook.kinds() == ["failed"]


def test_a_channel_that_is_down_neither_delays_nor_fails_the_run(program: Program) -> None:
    done = run(program, [{"webhook": "http://127.0.0.1:9/nobody"}])
    assert done.exit == 1
    assert program.json("status", "latest")["why"] == "bad: exit 3"


def test_an_e_mail_arrives(program: Program) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mails) as server:
        server.lines = []  # type: ignore[attr-defined] # what arrived
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        run(program, [{"email": "ops@example.org", "smtp": address, "on": "ended"}])
        server.shutdown()
        text = "".join(server.lines)  # type: ignore[attr-defined] # as above
    assert "Subject: [drrun] ended: the run ended: failed" in text


def test_a_command_gets_the_text_and_the_facts(program: Program) -> None:
    told = program.folder / "told"
    run(program, [{"command": f'echo "$DRRUN_KIND $(cat)" >>{told}', "on": ["waiting"]}])
    assert told.read_text().startswith("waiting ask asks commander")


def test_the_public_text_names_services_and_nothing_else(program: Program) -> None:
    run(program, [{"status_text": "status.txt"}])
    text = (program.folder / "status.txt").read_text()
    assert "git: read-only" in text
    assert not any(word in text for word in ("drew", "commander", "bad", "ask"))


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        ([{"carrier": "pigeon"}], "exactly one of webhook"),
        ([{"webhook": "ftp://x"}], "not an http address"),
        ([{"email": "nobody"}], "not an address"),
        ([{"command": "x", "on": ["sunrise"]}], "unknown sunrise"),
        ("x", "must be a list"),
    ],
)
def test_a_wrong_declaration_is_refused_before_the_run(
    program: Program, ways: object, said: str
) -> None:
    program.write("drrun.yaml", json.dumps({"notify": ways}))
    done = program("run", "runbooks/told.yml", "--yes", "--no-input")
    assert (done.exit, said in done.err) == (2, True), done.err
    (program.folder / "drrun.yaml").unlink()
    assert program.json("history")["runs"] == []

"""Servers that tell half of it: what is not known is said not to be known, and nothing hangs."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko  # noqa: TID253 - the liar speaks SSH
import pytest

from drrun.core.model.inventory import Host, Route
from drrun.core.model.outcomes import Ended, NeverStarted, OutcomeUnknown
from drrun.ssh.options import SshOptions
from tests.contract.ssh.conftest import Reach
from tests.contract.ssh.places import begin, run
from tests.sshd import make_key

#: paramiko's OPEN_SUCCEEDED and AUTH_SUCCESSFUL.
_SUCCEEDED = 0

Lie = Callable[[paramiko.Channel, str], None]


@dataclass
class Liar(paramiko.ServerInterface):
    """Lets everybody in, and answers an exec request by a lie."""

    lie: Lie
    accepts: bool = True
    answered: threading.Event = field(default_factory=threading.Event)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return _SUCCEEDED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return _SUCCEEDED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if self.accepts:
            found = re.search(rb"'([0-9a-f]{16})' '(\d+)' '(\d+)'", command)
            nonce = found[1].decode() if found else ""
            proof = int(found[2]) * int(found[3]) if found else 0
            threading.Thread(target=self._tell, args=(channel, nonce, proof), daemon=True).start()
        return self.accepts

    def _tell(self, channel: paramiko.Channel, nonce: str, proof: int) -> None:
        with suppress(OSError, EOFError):
            channel.sendall(f"{nonce} {proof}\n".encode())
            while channel.recv(65536):
                pass
            self.lie(channel, nonce)


Lying = Callable[..., Host]


@pytest.fixture
def lying(tmp_path: Path) -> Iterator[Lying]:
    """`lying(lie)`: a host that lies so."""
    servers: list[socket.socket] = []
    key = make_key(tmp_path / "liar")

    def start(lie: Lie, *, accepts: bool = True) -> Host:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    transport = paramiko.Transport(server.accept()[0])
                    transport.add_server_key(paramiko.Ed25519Key(filename=str(key)))
                    with suppress(paramiko.SSHException, EOFError):
                        transport.start_server(server=Liar(lie, accepts))

        threading.Thread(target=accept, daemon=True).start()
        public = " ".join(key.with_suffix(".pub").read_text("utf-8").split()[:2])
        route = Route("127.0.0.1", port=server.getsockname()[1])
        return Host("liar", user="x", identity=str(key), host_key=public, routes=(route,))

    yield start
    for server in servers:
        server.close()


def _begins(channel: paramiko.Channel, nonce: str) -> None:
    channel.sendall_stderr(f"{nonce}\n".encode())
    channel.sendall(f"{nonce} 4242 \nhello\n".encode())


def _end_without_status(channel: paramiko.Channel, nonce: str) -> None:
    _begins(channel, nonce)
    channel.shutdown_write()


def _close_without_status(channel: paramiko.Channel, nonce: str) -> None:
    _begins(channel, nonce)
    channel.close()


def _status_without_end(channel: paramiko.Channel, nonce: str) -> None:
    _begins(channel, nonce)
    channel.send_exit_status(3)


def _silence(channel: paramiko.Channel, nonce: str) -> None:
    pass


def _false_beginning(channel: paramiko.Channel, nonce: str) -> None:
    channel.sendall(b"0123456789abcdef 4242 \nlies\n")
    channel.send_exit_status(0)
    channel.close()


@pytest.mark.faults(59)
@pytest.mark.parametrize("lie", [_end_without_status, _close_without_status])
def test_an_end_without_a_status_is_not_known_and_no_failure(
    lying: Lying, reach: Reach, lie: Lie
) -> None:
    """F59: other tools hang for ever, or take it for exit -1."""
    done = run(reach(lying(lie), options=SshOptions(start_within=5)), "true")
    assert (type(done.outcome), done.out) == (OutcomeUnknown, "hello\n")


@pytest.mark.faults(59)
def test_a_status_without_an_end_is_the_end(lying: Lying, reach: Reach) -> None:
    """F59."""
    outcome = run(reach(lying(_status_without_end)), "true").outcome
    assert isinstance(outcome, Ended)
    assert outcome.exit == 3


def test_silence_behind_the_script_is_not_known_and_no_failure(lying: Lying, reach: Reach) -> None:
    """F59: it may begin later."""
    done = run(reach(lying(_silence), options=SshOptions(start_within=1)), "true")
    assert isinstance(done.outcome, OutcomeUnknown)


@pytest.mark.faults(59)
def test_a_refused_request_never_started(lying: Lying, reach: Reach) -> None:
    """F59."""
    done = run(reach(lying(_silence, accepts=False)), "true")
    assert isinstance(done.outcome, NeverStarted)


@pytest.mark.faults(40, 73)
def test_output_that_imitates_our_mark_is_not_believed(lying: Lying, reach: Reach) -> None:
    """F73."""
    done = run(reach(lying(_false_beginning)), "true")
    assert (type(done.outcome), done.out) == (NeverStarted, "")


def test_a_status_with_the_name_of_a_signal_is_a_signal(lying: Lying, reach: Reach) -> None:
    """F64: RFC 4254 section 6.10, which paramiko drops."""

    def killed(channel: paramiko.Channel, nonce: str) -> None:
        _begins(channel, nonce)
        message = paramiko.Message()
        message.add_byte(paramiko.common.cMSG_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("exit-signal")
        message.add_boolean(False)
        message.add_string("SEGV")
        message.add_boolean(True)
        message.add_string("dumped")
        message.add_string("")
        channel.get_transport()._send_user_message(message)  # type: ignore[attr-defined]
        channel.close()

    assert run(reach(lying(killed)), "true").outcome == Ended(None, "SEGV")


@pytest.mark.faults(61)
def test_a_time_limit_that_cannot_be_proved_says_so(lying: Lying, reach: Reach) -> None:
    """F61."""

    def goes_on(channel: paramiko.Channel, nonce: str) -> None:
        _begins(channel, nonce)
        threading.Event().wait(3)
        channel.close()

    done = begin(reach(lying(goes_on)), "true", timeout=0.5).end()
    assert getattr(done.outcome, "gone", None) is False

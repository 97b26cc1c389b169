"""Servers that limit, drip, stay mute or vanish: nothing hangs, and nothing fails wrongly."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from drrun.core.model.inventory import Route
from drrun.core.model.outcomes import Ended, NeverStarted, OutcomeUnknown, TimedOut
from drrun.ports.places import Script
from drrun.ssh.options import SshOptions
from drrun.ssh.remote import SshRemote
from drrun.ssh.wire import launch
from tests.contract.ssh.conftest import Reach
from tests.contract.ssh.places import begin, lives, run
from tests.sshd import Sshd, SshdFactory, until

Speaker = Callable[[socket.socket], None]
#: Notices a silent peer soon.
_WAKEFUL = SshOptions(pulse_every=0.5, pulse_within=1.5)


@pytest.fixture
def speaking() -> Iterator[Callable[[Speaker], int]]:
    """`speaking(how)`: a server that treats every caller so; its port."""
    servers: list[socket.socket] = []

    def serve(speak: Speaker) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    caller, _ = server.accept()
                    threading.Thread(target=treat, args=(caller,), daemon=True).start()

        def treat(caller: socket.socket) -> None:
            with suppress(OSError), closing(caller):
                speak(caller)

        threading.Thread(target=accept, daemon=True).start()
        return int(server.getsockname()[1])

    yield serve
    for server in servers:
        server.close()


def _drip_bytes(caller: socket.socket) -> None:
    pause = threading.Event()
    while not pause.wait(0.2):
        caller.sendall(b"x")


def _drip_lines(caller: socket.socket) -> None:
    pause = threading.Event()
    while not pause.wait(0.2):
        caller.sendall(b"still busy, please wait\r\n")


def _endless(caller: socket.socket) -> None:
    while True:
        caller.sendall(b"blah blah blah\r\n" * 1000)


def _mute_behind_greeting(caller: socket.socket) -> None:
    caller.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    while caller.recv(4096):
        pass


def _no_ssh(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.faults(35)
@pytest.mark.parametrize(
    "speak", [_drip_bytes, _drip_lines, _endless, _mute_behind_greeting, _no_ssh]
)
def test_a_server_that_wastes_our_time_ends_by_the_deadline(
    sshd: Sshd, reach: Reach, speaking: Callable[[Speaker], int], speak: Speaker
) -> None:
    """F35: single time limits are got around by dripping."""
    host = sshd.host("db1", routes=(Route("127.0.0.1", port=speaking(speak)),))
    done = run(reach(host, options=SshOptions(hop_within=2, greetings=2)), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert not done.outcome.final


@pytest.mark.faults(36)
def test_more_commands_than_the_server_allows_sessions_all_succeed(
    sshd_factory: SshdFactory, reach: Reach
) -> None:
    """F36: MaxSessions."""
    place = reach(sshd_factory.start("MaxSessions 2").host("db1"))
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: run(place, f"sleep 0.3; exit {n}"), range(8)))
    assert [each.outcome for each in done] == [Ended(n) for n in range(8)]


def test_the_inventorys_own_limit_is_kept(sshd: Sshd, reach: Reach, tmp_path: Path) -> None:
    place = reach(sshd.host("db1", max_sessions=1))
    text = f"mkdir {tmp_path}/alone && sleep 0.2 && rmdir {tmp_path}/alone"
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: run(place, text), range(4)))
    assert [each.outcome for each in done] == [Ended(0)] * 4


@pytest.mark.faults(36)
def test_many_hosts_connect_to_a_server_that_drops_callers(
    sshd_factory: SshdFactory, reach: Reach
) -> None:
    """F36: MaxStartups."""
    server = sshd_factory.start("MaxStartups 3:50:6")
    first = reach(server.host("db0"))
    hosts = [SshRemote(first.connections, server.host(f"db{n}")) for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda place: run(place, "true"), hosts))
    assert [each.outcome for each in done] == [Ended(0)] * 20


def test_a_time_limit_is_enforced_where_only_one_session_is_allowed(
    sshd_factory: SshdFactory, reach: Reach
) -> None:
    place = reach(sshd_factory.start("MaxSessions 1").host("db1"))
    done = run(place, "echo $$; sleep 99", timeout=1.0)
    assert isinstance(done.outcome, TimedOut)
    assert done.outcome.gone
    assert not lives(done.out.strip())


def test_one_connection_serves_all_who_come_at_once(sshd: Sshd, reach: Reach) -> None:
    place = reach(sshd.host("db1"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: run(place, "true"), range(8)))
    assert sshd.connections() == 1


def test_a_server_killed_in_the_middle_is_contact_lost_and_never_a_failure(
    sshd: Sshd, far: SshRemote, tmp_path: Path
) -> None:
    """Fault F54, rule R5; the command itself goes on."""
    going = begin(far, f"echo began; sleep 2; touch {tmp_path}/effect")
    sshd.kill_sessions()
    assert isinstance(going.end().outcome, OutcomeUnknown)
    assert until((tmp_path / "effect").exists)


def test_a_peer_that_falls_silent_is_noticed(sshd: Sshd, reach: Reach) -> None:
    """F52: without this the call hangs for ever (paramiko's keepalive never listens)."""
    going = begin(reach(sshd.host("db1"), options=_WAKEFUL), "echo began; sleep 99")
    sshd.freeze()
    done = going.end(30)
    sshd.thaw()
    assert isinstance(done.outcome, OutcomeUnknown)
    assert "sent nothing for" in done.why


@pytest.mark.faults(52)
def test_a_short_silence_heals_by_itself(sshd: Sshd, reach: Reach, tmp_path: Path) -> None:
    """F52: 10 s of partition are no failure."""
    place = reach(sshd.host("db1"), options=SshOptions(pulse_every=0.2, pulse_within=20))
    going = begin(place, f"echo began; until [ -e {tmp_path}/go ]; do sleep 0.1; done; exit 6")
    sshd.freeze()
    threading.Event().wait(1.5)
    sshd.thaw()
    (tmp_path / "go").touch()
    assert going.end().outcome == Ended(6)


def test_the_next_command_gets_a_new_connection(sshd: Sshd, far: SshRemote) -> None:
    run(far, "true")
    sshd.restart()
    assert run(far, "echo again").out == "again\n"


def test_a_dead_connection_found_before_sending_starts_nothing_and_is_replaced(
    sshd: Sshd, reach: Reach
) -> None:
    options = SshOptions(channel_within=1.5, pulse_every=60)
    place = reach(sshd.host("db1"), options=options)
    run(place, "true")
    sshd.freeze()
    assert run(place, "echo again").out == "again\n"


@pytest.mark.faults(46)
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_script_that_is_cut_on_its_way_executes_nothing(
    sshd: Sshd, far: SshRemote, tmp_path: Path, kept: float
) -> None:
    """Fault F46, rule R8: `sh -s` executed the lines that had come."""
    text = f"touch {tmp_path}/effect\n" * 50
    ready = launch(Script(text))
    part = ready.payload[: int(len(ready.payload) * kept)]
    link = far.connections.reach(far.host, threading.Event())
    with link.transport.open_session() as channel:
        channel.exec_command(ready.line)
        channel.sendall(part)
        channel.shutdown_write()
        status = channel.recv_exit_status()
    assert (status, (tmp_path / "effect").exists()) == (125, False)


@pytest.mark.faults(46)
def test_a_connection_that_dies_under_a_script_on_its_way_executes_nothing(
    sshd: Sshd, far: SshRemote, tmp_path: Path
) -> None:
    """F46."""
    ready = launch(Script(f"touch {tmp_path}/effect\n" * 50))
    link = far.connections.reach(far.host, threading.Event())
    channel = link.transport.open_session()
    channel.exec_command(ready.line)
    channel.sendall(ready.payload[:-1])
    link.lose("the test cut it")
    until(lambda: sshd.connections() == 0)
    # The shell on the other side ends without the last byte; give it the chance to do harm.
    probe = run(SshRemote(far.connections, far.host), "sleep 0.5")
    assert (probe.outcome, (tmp_path / "effect").exists()) == (Ended(0), False)


@pytest.mark.faults(74)
def test_secrets_are_in_no_argument_list_of_the_host(
    sshd: Sshd, far: SshRemote, tmp_path: Path
) -> None:
    """F74: every process of the host is looked at while the command runs."""
    secret = "s3cr3t-canary"
    text = f"# {secret}\necho began; read -r line; cat /proc/[0-9]*/cmdline || true"
    done = run(
        far, text, env={"TOKEN": secret}, chdir="/", stdin=f"{secret}\n".encode(), become="root"
    )
    assert (done.outcome, "began" in done.out, secret in done.out) == (Ended(0), True, False)


def test_the_line_for_the_login_shell_is_short(sshd: Sshd) -> None:
    """Fact L14: longer commands are refused, or reset the connection."""
    assert len(launch(Script("x" * 2**20)).line) < 1000

"""Many hosts at once, slow and dead ones: each is reached as soon as it can be, by one way."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field

import paramiko  # noqa: TID253 - the server that does not let anybody in speaks SSH
import pytest

from drrun.core.model.inventory import Host, Route
from drrun.core.model.outcomes import NeverStarted
from drrun.ssh.connections import Connections
from drrun.ssh.faults import Unreachable
from drrun.ssh.link import Link
from drrun.ssh.options import SshOptions
from tests.sshd import Sshd, SshdFactory, make_key, until

Connecting = Callable[..., Connections]
#: Long enough that a test which waits for it is ended by its own limit.
_NEVER = 600.0
_PATIENT = SshOptions(connect_within=_NEVER, hop_within=_NEVER, head_start=0.05)


@pytest.fixture
def connecting() -> Iterator[Connecting]:
    """`connecting(options, host, …)`: connections to these hosts."""
    with ExitStack() as made:

        def connect(options: SshOptions | None, *hosts: Host) -> Connections:
            connections = Connections({host.name: host for host in hosts}, options)
            made.callback(connections.close)
            return connections

        yield connect


@dataclass
class Answers:
    """What `then` was called with."""

    got: dict[str, Link | Unreachable] = field(default_factory=dict)
    _came: threading.Condition = field(default_factory=threading.Condition)

    def of(self, name: str) -> Callable[[Link | Unreachable], None]:
        def then(answer: Link | Unreachable) -> None:
            with self._came:
                assert name not in self.got
                self.got[name] = answer
                self._came.notify_all()

        return then

    def wait(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.got) >= count, 60), self.got


@dataclass
class Mute:
    """Lets everybody connect and never says a word."""

    port: int
    #: The most that were connected at once.
    most: int = 0
    open: list[socket.socket] = field(default_factory=list)

    def serve(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caller = server.accept()[0]
                self.open = [each for each in self.open if not _left(each)] + [caller]
                self.most = max(self.most, len(self.open))

    def routes(self) -> tuple[Route, ...]:
        return (Route("127.0.0.1", "mute", self.port),)


def _left(caller: socket.socket) -> bool:
    """Whether who called hung up: what it sent is read to its end."""
    caller.setblocking(False)
    try:
        while caller.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    caller.close()
    return True


@pytest.fixture
def mute() -> Iterator[Mute]:
    """A server that never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        found = Mute(server.getsockname()[1])
        accepting = threading.Thread(target=found.serve, args=(server,))
        accepting.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)
    accepting.join()
    for caller in found.open:
        caller.close()


@pytest.fixture
def hole() -> Iterator[Route]:
    """A route that swallows packets: a full queue answers no request to connect."""
    with socket.socket() as server, ExitStack() as held:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            caller = held.enter_context(closing(socket.socket()))
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        yield Route("127.0.0.1", "hole", server.getsockname()[1])


@dataclass
class Gate:
    """Passes on to a server once it is opened."""

    name: str
    port: int
    there: tuple[str, int]
    opened: threading.Event = field(default_factory=threading.Event)
    called: threading.Event = field(default_factory=threading.Event)
    #: One for each caller; ends when the connection does.
    callers: list[threading.Thread] = field(default_factory=list)

    #: The names of gates that were called, in order.
    calls: list[str] = field(default_factory=list)

    def route(self) -> Route:
        return Route("127.0.0.1", self.name, self.port)

    def serve(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caller = server.accept()[0]
                self.callers.append(threading.Thread(target=self._pass, args=(caller,)))
                self.callers[-1].start()
                self.calls.append(self.name)
                self.called.set()

    def _pass(self, caller: socket.socket) -> None:
        self.opened.wait(60)
        with caller, suppress(OSError), socket.create_connection(self.there) as onward:
            back = threading.Thread(target=_pass_on, args=(onward, caller))
            back.start()
            _pass_on(caller, onward)
            back.join()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


@contextmanager
def _gate(sshd: Sshd, name: str, calls: list[str]) -> Iterator[Gate]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = (sshd.address, sshd.port)
        found = Gate(name, server.getsockname()[1], there, calls=calls)
        accepting = threading.Thread(target=found.serve, args=(server,))
        accepting.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)
    accepting.join()
    found.opened.set()
    for caller in found.callers:
        caller.join()


@pytest.fixture
def gate(sshd: Sshd) -> Iterator[Gate]:
    """A closed gate before the server."""
    with _gate(sshd, "gate", []) as found:
        yield found


@pytest.fixture
def open_gate(sshd: Sshd, gate: Gate) -> Iterator[Gate]:
    """An open gate beside it; both note who is called first."""
    with _gate(sshd, "open", gate.calls) as found:
        found.opened.set()
        yield found


def _good(sshd: Sshd) -> Route:
    return Route(sshd.address, "good", sshd.port)


def test_a_server_that_is_slow_holds_up_no_other(
    sshd: Sshd, mute: Mute, connecting: Connecting
) -> None:
    slow = [Host(f"slow{n}", user="x", routes=mute.routes()) for n in range(200)]
    connections, answers = connecting(_PATIENT, *slow), Answers()
    for host in slow:
        connections.open(host, answers.of(host.name))
    assert until(lambda: len(mute.open) == 4)
    connections.open(sshd.host("db1"), answers.of("db1"))
    answers.wait(1)
    assert list(answers.got) == ["db1"]


@pytest.mark.faults(36)
def test_no_server_has_more_than_four_of_our_callers_at_once(
    mute: Mute, connecting: Connecting
) -> None:
    """F36: sshd begins to turn callers away at ten (MaxStartups)."""
    hosts = [Host(f"db{n}", user="x", routes=mute.routes()) for n in range(20)]
    connections, answers = connecting(SshOptions(connect_within=0.2), *hosts), Answers()
    for host in hosts:
        connections.open(host, answers.of(host.name))
    answers.wait(20)
    assert mute.most == 4


def test_dead_hosts_hold_up_no_living_one(sshd: Sshd, hole: Route, connecting: Connecting) -> None:
    """Who waits for the network has no place that others need."""
    options = SshOptions(connect_within=_NEVER, logins_at_once=1)
    dead = Host("dead", user="x", routes=(hole,))
    connections, answers = connecting(options, dead), Answers()
    connections.open(dead, answers.of("dead"))
    connections.open(sshd.host("db1"), answers.of("db1"))
    answers.wait(1)
    assert list(answers.got) == ["db1"]


@pytest.mark.faults(27)
def test_a_route_that_swallows_packets_is_overtaken_by_the_next(
    sshd: Sshd, hole: Route, connecting: Connecting
) -> None:
    """F27: the log-in by the second route is there long before the first is given up."""
    host = sshd.host("db1", routes=(hole, _good(sshd)))
    link = connecting(_PATIENT, host).reach(host, threading.Event())
    assert link.way.route == "good"


@pytest.mark.faults(27)
def test_a_route_that_swallows_packets_is_given_up_where_there_is_no_other(
    hole: Route, connecting: Connecting
) -> None:
    """F27."""
    host = Host("db1", user="x", routes=(hole,))
    connections = connecting(SshOptions(connect_within=0.5), host)
    with pytest.raises(Unreachable, match=r"no answer within 0\.5 s") as caught:
        connections.reach(host, threading.Event())
    assert isinstance(caught.value.outcome, NeverStarted)


def test_the_route_that_overtook_is_taken_first_the_next_time(
    sshd: Sshd, gate: Gate, open_gate: Gate, connecting: Connecting
) -> None:
    host = sshd.host("db1", routes=(gate.route(), open_gate.route()))
    connections = connecting(_PATIENT, host)
    connections.reach(host, threading.Event()).lose("the test cut it")
    assert gate.calls == ["gate", "open"]
    assert connections.reach(host, threading.Event()).way.route == "open"
    assert gate.calls[2] == "open"


def test_a_route_that_was_overtaken_is_left(
    sshd: Sshd, gate: Gate, connecting: Connecting
) -> None:
    host = sshd.host("db1", routes=(gate.route(), _good(sshd)))
    link = connecting(_PATIENT, host).reach(host, threading.Event())
    gate.opened.set()
    gate.callers[0].join(60)
    assert not gate.callers[0].is_alive()
    assert (link.alive, link.way.route) == (True, "good")
    assert until(lambda: sshd.connections() == 1)


def test_a_route_that_a_person_chose_is_not_overtaken(
    sshd: Sshd, gate: Gate, connecting: Connecting
) -> None:
    host = sshd.host("db1", routes=(gate.route(), _good(sshd)), chosen_route="gate")
    connections, answers = connecting(_PATIENT, host), Answers()
    connections.open(host, answers.of("db1"))
    assert gate.called.wait(30)
    threading.Event().wait(_PATIENT.head_start * 10)
    assert not answers.got
    gate.opened.set()
    answers.wait(1)
    link = answers.got["db1"]
    assert isinstance(link, Link)
    assert link.way.route == "gate"


@pytest.mark.faults(31)
def test_a_refusal_by_the_second_route_does_not_end_the_first(
    sshd: Sshd, sshd_factory: SshdFactory, gate: Gate, connecting: Connecting
) -> None:
    """F31: a wrong key ends what comes after it, as if routes were tried one after another."""
    other = sshd_factory.start()
    routes = (gate.route(), Route(other.address, "other", other.port))
    host = sshd.host("db1", routes=routes)
    connections, answers = connecting(_PATIENT, host), Answers()
    connections.open(host, answers.of("db1"))
    assert until(lambda: "Connection closed" in other.log)
    gate.opened.set()
    answers.wait(1)
    link = answers.got["db1"]
    assert isinstance(link, Link), link
    assert link.way.route == "gate"


def test_all_who_wait_for_a_host_share_one_connection(
    sshd: Sshd, gate: Gate, connecting: Connecting
) -> None:
    host = sshd.host("db1", routes=(gate.route(),))
    connections, answers = connecting(_PATIENT, host), Answers()
    for n in range(50):
        connections.open(host, answers.of(str(n)))
    gate.opened.set()
    answers.wait(50)
    assert len(set(map(id, answers.got.values()))) == 1
    assert sshd.connections() == 1


def test_one_who_stops_waiting_takes_nothing_from_the_others(
    sshd: Sshd, gate: Gate, connecting: Connecting
) -> None:
    host = sshd.host("db1", routes=(gate.route(),))
    connections, answers, cancel = connecting(_PATIENT, host), Answers(), threading.Event()
    give_up = connections.open(host, answers.of("first"))
    connections.open(host, answers.of("second"))
    assert gate.called.wait(30)
    give_up()
    cancel.set()
    with pytest.raises(Unreachable, match="stopped"):
        connections.reach(host, cancel)
    gate.opened.set()
    answers.wait(1)
    assert list(answers.got) == ["second"]
    assert isinstance(answers.got["second"], Link)


def test_a_host_that_nobody_waits_for_any_more_is_left(mute: Mute, connecting: Connecting) -> None:
    host = Host("db1", user="x", routes=mute.routes())
    connections, answers = connecting(_PATIENT, host), Answers()
    give_up = connections.open(host, answers.of("db1"))
    assert until(lambda: len(mute.open) == 1)
    give_up()
    assert until(lambda: _left(mute.open[0]))
    assert not answers.got


def test_leaving_answers_all_who_wait(mute: Mute, connecting: Connecting) -> None:
    host = Host("db1", user="x", routes=mute.routes())
    connections, answers = connecting(_PATIENT, host), Answers()
    connections.open(host, answers.of("waiting"))
    assert until(lambda: len(mute.open) == 1)
    connections.close()
    connections.open(host, answers.of("late"))
    answers.wait(2)
    assert {str(answer) for answer in answers.got.values()} == {"drrun is leaving its hosts"}


def test_an_open_connection_is_given_at_once(sshd: Sshd, connecting: Connecting) -> None:
    host = sshd.host("db1")
    connections, answers = connecting(None, host), Answers()
    link = connections.reach(host, threading.Event())
    connections.open(host, answers.of("db1"))
    assert answers.got == {"db1": link}


def test_an_open_connection_takes_one_thread(
    sshd_factory: SshdFactory, connecting: Connecting
) -> None:
    """paramiko's own; watching over all of them takes one more."""
    server = sshd_factory.start("MaxStartups 100")
    before = threading.active_count()
    hosts = [server.host(f"db{n}") for n in range(20)]
    connections, answers = connecting(None, *hosts), Answers()
    for host in hosts:
        connections.open(host, answers.of(host.name))
    answers.wait(20)
    assert until(lambda: threading.active_count() - before <= 21)


@pytest.mark.faults(52)
def test_a_connection_on_which_nothing_happens_lives_on(
    sshd: Sshd, connecting: Connecting
) -> None:
    """F52: what is asked is answered, many times over."""
    host = sshd.host("db1")
    options = SshOptions(pulse_every=0.1, pulse_within=0.4)
    link = connecting(options, host).reach(host, threading.Event())
    threading.Event().wait(3)
    assert (link.alive, link.why) == (True, "")


def test_two_hosts_that_are_reached_through_each_other_are_named(
    sshd: Sshd, connecting: Connecting
) -> None:
    """Whichever is asked for first: both wait for the other, and neither for ever."""
    a = sshd.host("a", routes=(Route("127.0.0.1", port=sshd.port, via=("b",)),))
    b = sshd.host("b", routes=(Route("127.0.0.1", port=sshd.port, via=("a",)),))
    connections, answers = connecting(_PATIENT, a, b), Answers()
    connections.open(a, answers.of("a"))
    connections.open(b, answers.of("b"))
    answers.wait(2)
    assert all("go in a circle" in str(answer) for answer in answers.got.values())


def test_a_deadline_says_that_the_server_does_not_greet(
    mute: Mute, connecting: Connecting
) -> None:
    host = Host("db1", user="x", routes=mute.routes())
    connections = connecting(SshOptions(hop_within=0.5), host)
    with pytest.raises(Unreachable, match=r"within 0\.5 s: the server sends no SSH greeting"):
        connections.reach(host, threading.Event())


def test_a_deadline_says_that_keys_were_exchanged(connecting: Connecting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            caller = server.accept()[0]
            caller.sendall(b"SSH-2.0-slow\r\n")
            with suppress(OSError), caller:
                while caller.recv(65536):
                    pass

        threading.Thread(target=greet, daemon=True).start()
        route = Route("127.0.0.1", port=server.getsockname()[1])
        host = Host("db1", user="x", routes=(route,))
        with pytest.raises(Unreachable, match="the key exchange did not end"):
            connecting(SshOptions(hop_within=1), host).reach(host, threading.Event())


def test_a_deadline_says_who_was_not_let_in(
    sshd_factory: SshdFactory, connecting: Connecting
) -> None:
    over = threading.Event()

    class Undecided(paramiko.ServerInterface):
        def get_allowed_auths(self, username: str) -> str:
            return "publickey"

        def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
            over.wait(60)
            return 0

    key = make_key(sshd_factory.folder / "undecided")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            speaking = paramiko.Transport(server.accept()[0])
            speaking.add_server_key(paramiko.Ed25519Key(filename=str(key)))
            with suppress(paramiko.SSHException, EOFError):
                speaking.start_server(server=Undecided())

        threading.Thread(target=serve, daemon=True).start()
        route = Route("127.0.0.1", port=server.getsockname()[1])
        public = " ".join(key.with_suffix(".pub").read_text("utf-8").split()[:2])
        host = Host(
            "db1",
            user="me",
            identity=str(sshd_factory.identity),
            host_key=public,
            routes=(route,),
        )
        with pytest.raises(Unreachable, match="me was not let in"):
            connecting(SshOptions(hop_within=2), host).reach(host, threading.Event())
    over.set()

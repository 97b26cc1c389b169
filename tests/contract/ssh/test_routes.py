"""The ways to a host: tried in order, through other hosts, remembered."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.inventory import Host, Route
from drrun.core.model.outcomes import Ended, NeverStarted
from drrun.ssh.connections import SHUNNED_FOR, Connections, ordered
from drrun.ssh.options import SshOptions
from drrun.ssh.remote import SshRemote
from tests.contract.ssh.conftest import Reach
from tests.contract.ssh.places import run
from tests.relay import relay
from tests.sshd import Sshd, SshdFactory, free_port

#: Reserved for documentation (RFC 5737): packets to it go nowhere, or are refused on the way.
_NOWHERE = "192.0.2.1"
_QUICK = SshOptions(connect_within=1.5, hop_within=4)


@pytest.fixture
def dead_port() -> Iterator[socket.socket]:
    """Somebody who listens and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server


@pytest.fixture
def mute(dead_port: socket.socket) -> int:
    """A port where somebody listens and never says a word."""
    return int(dead_port.getsockname()[1])


def test_a_host_is_reached_through_another(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach
) -> None:
    bastion = sshd_factory.start()
    way = Route("127.0.0.1", "oob", sshd.port, via=("bastion",))
    done = run(reach(sshd.host("db1", routes=(way,)), bastion.host("bastion")), "echo there")
    assert (done.outcome, done.out) == (Ended(0), "there\n")
    assert done.told[0].route == "oob via bastion"


def test_a_host_is_reached_through_two_others(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach
) -> None:
    one, two = sshd_factory.start(), sshd_factory.start()
    way = Route("127.0.0.1", port=sshd.port, via=("one", "two"))
    place = reach(sshd.host("db1", routes=(way,)), one.host("one"), two.host("two"))
    assert run(place, "true").outcome == Ended(0)
    assert one.connections() + two.connections() + sshd.connections() == 3


def test_the_connection_to_a_host_on_the_way_is_shared(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach
) -> None:
    bastion = sshd_factory.start()
    way = Route("127.0.0.1", port=sshd.port, via=("bastion",))
    first = reach(sshd.host("db1", routes=(way,)), bastion.host("bastion"))
    second = type(first)(first.connections, sshd.host("db2", routes=(way,)))
    assert (run(first, "true").outcome, run(second, "true").outcome) == (Ended(0), Ended(0))
    assert bastion.connections() == 1


@pytest.mark.parametrize("kind", ["mute", "closed", "nowhere"])
def test_the_second_route_is_taken_where_the_first_leads_nowhere(
    sshd: Sshd, reach: Reach, mute: int, kind: str
) -> None:
    """F27, F28."""
    dead = {
        "mute": Route("127.0.0.1", "dead", mute),
        "closed": Route("127.0.0.1", "dead", free_port()),
        "nowhere": Route(_NOWHERE, "dead", 22),
    }[kind]
    good = Route("127.0.0.1", "good", sshd.port)
    done = run(reach(sshd.host("db1", routes=(dead, good)), options=_QUICK), "true")
    assert (done.outcome, done.told[0].route) == (Ended(0), "good")


def test_the_route_that_worked_is_taken_first_the_next_time(sshd: Sshd, reach: Reach) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as dead:
        routes = (
            Route("127.0.0.1", "dead", dead.getsockname()[1]),
            Route("127.0.0.1", "good", sshd.port),
        )
        place = reach(sshd.host("db1", routes=routes), options=_QUICK)
        run(place, "true")
        dead.accept()[0].close()
        sshd.restart()
        done = run(place, "true")
        dead.setblocking(False)
        with pytest.raises(BlockingIOError):
            dead.accept()
    assert (done.outcome, done.told[0].route) == (Ended(0), "good")


@pytest.mark.faults(28)
def test_a_route_that_led_nowhere_is_not_tried_before_others_for_a_minute(
    sshd: Sshd, dead_port: socket.socket
) -> None:
    dead = Route("127.0.0.1", "dead", dead_port.getsockname()[1])
    good = Route("127.0.0.1", "good", sshd.port)
    with relay(sshd.port, 0) as through:
        best = Route("127.0.0.1", "best", through)
        host = sshd.host("db1", routes=(dead, best, good))
        connections = Connections({"db1": host}, replace(_QUICK, head_start=0.3))
        place = SshRemote(connections, host)
        assert run(place, "true").told[0].route == "best"
    # The way that worked is gone. The one that is known to lead nowhere is not tried for that.
    dead_port.accept()[0].close()
    sshd.restart()
    assert run(place, "true").told[0].route == "good"
    dead_port.setblocking(False)
    with pytest.raises(BlockingIOError):
        dead_port.accept()
    connections.close()


@given(
    failed=st.dictionaries(st.sampled_from("abcd"), st.floats(0, 200)),
    last=st.sampled_from([None, *"abcd"]),
    now=st.floats(200, 300),
)
def test_routes_keep_their_order_but_for_what_is_known_of_them(
    failed: dict[str, float], last: str | None, now: float
) -> None:
    routes = {name: Route(name) for name in "abcd"}
    known = {routes[name]: at for name, at in failed.items()}
    order = [
        each.address
        for each in ordered(tuple(routes.values()), routes[last] if last else None, known, now)
    ]
    shunned = [name for name in "abcd" if now - failed.get(name, -SHUNNED_FOR) < SHUNNED_FOR]
    fresh = [name for name in "abcd" if name not in shunned]
    wanted = [sorted(names, key=lambda name: (name != last, name)) for names in (fresh, shunned)]
    assert order == [*wanted[0], *wanted[1]]


def test_where_no_route_leads_there_each_is_named(reach: Reach, sshd: Sshd, mute: int) -> None:
    """F26."""
    routes = (Route("127.0.0.1", "front", mute), Route("127.0.0.1", "back", free_port()))
    done = run(reach(sshd.host("db1", routes=routes), options=_QUICK), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert not done.outcome.final
    assert "front" in done.why
    assert "back" in done.why
    assert "connection refused" in done.why


@pytest.mark.faults(38)
def test_a_dead_host_on_the_way_is_named_with_the_host_behind_it(sshd: Sshd, reach: Reach) -> None:
    """F38."""
    way = Route("127.0.0.1", port=sshd.port, via=("bastion",))
    bastion = Host("bastion", routes=(Route("127.0.0.1", port=free_port()),))
    done = run(reach(sshd.host("db1", routes=(way,)), bastion), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert "db1" in done.why
    assert "bastion" in done.why


@pytest.mark.faults(38)
def test_a_dead_host_on_the_way_is_avoided_by_the_next_route(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach
) -> None:
    """F38: even one whose login is refused."""
    closed = sshd_factory.start("AllowUsers somebody-else")
    routes = (
        Route("127.0.0.1", "first", sshd.port, via=("closed",)),
        Route("127.0.0.1", "second", sshd.port),
    )
    done = run(reach(sshd.host("db1", routes=routes), closed.host("closed")), "true")
    assert (done.outcome, done.told[0].route) == (Ended(0), "second")


@pytest.mark.faults(27)
def test_a_black_hole_behind_a_host_on_the_way_ends_by_the_deadline(
    sshd: Sshd, reach: Reach, mute: int
) -> None:
    """F27: Fabric's own time limits do not hold for the inner hop."""
    way = Route("127.0.0.1", port=mute, via=("bastion",))
    place = reach(Host("db1", routes=(way,)), sshd.host("bastion"), options=_QUICK)
    assert isinstance(run(place, "true").outcome, NeverStarted)


def test_routes_that_go_in_a_circle_are_named(reach: Reach) -> None:
    a = Host("a", routes=(Route("127.0.0.1", via=("b",)),))
    b = Host("b", routes=(Route("127.0.0.1", via=("a",)),))
    done = run(reach(a, b), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert done.outcome.final
    assert "a > b > a" in done.why


@pytest.mark.parametrize("name", ["-oProxyCommand=id", "a b", "x;id", "$(id)", "`id`", "a\nb"])
def test_a_name_with_metacharacters_reaches_no_command(reach: Reach, name: str) -> None:
    """CVE-2023-51385."""
    done = run(reach(Host(name)), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert done.outcome.final


@pytest.mark.faults(146)
def test_aliases_jumps_and_includes_of_the_users_configuration_hold(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    """Fact L18: paramiko's reader loses all three."""
    bastion = sshd_factory.start()
    known = tmp_path / "known"
    known.write_text(f"{sshd.known_hosts_line}\n{bastion.known_hosts_line}\n", "utf-8")
    (tmp_path / "more").write_text(
        f"Host db1.alias\n HostName 127.0.0.1\n Port {sshd.port}\n ProxyJump gate\n", "utf-8"
    )
    (tmp_path / "config").write_text(
        f"Include {tmp_path}/more\n"
        f"Host gate\n HostName 127.0.0.1\n Port {bastion.port}\n"
        f"Host *\n User {sshd.user}\n IdentityFile {sshd.identity}\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {known}\n",
        "utf-8",
    )
    done = run(reach(Host("db1.alias"), options=SshOptions(config=tmp_path / "config")), "true")
    assert (done.outcome, done.told[0].route) == (Ended(0), "default via gate")
    assert bastion.connections() == 1


def test_the_inventory_wins_over_the_configuration(
    sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n User nobody\n Port 1\n IdentityFile /no/such\n", "utf-8")
    assert run(
        reach(sshd.host("db1"), options=SshOptions(config=config)), "true"
    ).outcome == Ended(0)


def test_a_wrong_configuration_is_named(sshd: Sshd, reach: Reach, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("NoSuchKeyword yes\n", "utf-8")
    done = run(reach(sshd.host("db1"), options=SshOptions(config=config)), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert "nosuchkeyword" in done.why.lower()


def test_a_proxy_command_is_refused_with_the_way_out(
    sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n ProxyCommand touch /tmp/no\n", "utf-8")
    done = run(reach(sshd.host("db1"), options=SshOptions(config=config)), "true")
    assert "via" in done.why


@pytest.mark.faults(106)
def test_without_the_openssh_client_the_inventory_is_enough(sshd: Sshd, reach: Reach) -> None:
    options = SshOptions(client="no-such-ssh")
    assert run(reach(sshd.host("db1"), options=options), "true").outcome == Ended(0)


@pytest.mark.faults(28)
def test_a_name_that_nobody_knows_is_told_with_the_way_out(reach: Reach, sshd: Sshd) -> None:
    """F28."""
    done = run(reach(sshd.host("db1", routes=(Route("no-such-host.invalid"),))), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert "address" in done.why


def test_a_host_that_the_inventory_describes_in_full_is_not_asked_for(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    bastion = sshd_factory.start()
    (tmp_path / "config").write_text("Host *\n User nobody\n", "utf-8")
    client = tmp_path / "ssh"
    client.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\nexec ssh "$@"\n', "utf-8")
    client.chmod(0o755)
    way = Route("127.0.0.1", "in", sshd.port, via=("bastion",))
    options = SshOptions(config=tmp_path / "config", client=str(client))
    place = reach(sshd.host("db1", routes=(way,)), bastion.host("bastion"), options=options)
    assert run(place, "true").outcome == Ended(0)
    asked = [line.split()[-1] for line in (tmp_path / "calls").read_text("utf-8").splitlines()]
    assert "bastion" in asked
    assert "db1" not in asked


def test_a_jump_for_the_addresses_of_a_net_holds_for_its_hosts(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    """A host has a name of its own here; the pattern speaks of the address that is dialled."""
    bastion = sshd_factory.start()
    (tmp_path / "config").write_text("Host 127.0.0.*\n ProxyJump bastion\n", "utf-8")
    options = SshOptions(config=tmp_path / "config")
    gate = bastion.host("bastion", routes=(Route("localhost", port=bastion.port),))
    done = run(reach(sshd.host("db1"), gate, options=options), "true")
    assert (done.outcome, done.told[0].route) == (Ended(0), "127.0.0.1 via bastion")
    assert bastion.connections() == 1

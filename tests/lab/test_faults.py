"""Every fault does what its name says, and nothing else; judged by packets and files."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import SMALL, Lab, LabHost, NotHere
from tests.lab.namespaces import born, until

#: What hosts can execute: an environment of ours may lie where they have a folder of their own.
_PYTHON = str(Path(sys.executable).resolve())
#: Says every datagram that arrives, until one says `end`.
_LISTENER = """
import socket
family = socket.AF_INET6
heard = socket.socket(family, socket.SOCK_DGRAM)
heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
heard.bind(("::", 9))
print("ready", flush=True)
while (said := heard.recv(99).decode()) != "end":
    print(said, flush=True)
"""
#: Connects, tells, waits for a line, and says how the connection is when something is sent.
_TALKER = """
import socket, sys
line = socket.create_connection((sys.argv[1], 22), 10)
line.recv(99)
print("talking", flush=True)
sys.stdin.readline()
try:
    line.sendall(b"SSH-2.0-test\\r\\n")
    while line.recv(9999):
        line.sendall(b"x" * 9999)
    print("closed")
except OSError as why:
    print(type(why).__name__)
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(SMALL) as it:
        yield it


def listen(host: LabHost) -> "subprocess.Popen[str]":
    """Begin to write down what arrives."""
    process = host.popen([_PYTHON, "-c", _LISTENER])
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def send(host: LabHost, text: str, to: str) -> None:
    # Datagrams: nothing that the other side does not answer is kept back.
    host.run(["bash", "-c", f"echo -n {text} >/dev/udp/{to}/9"], timeout=20)


def reaches(sender: LabHost, address: str, seconds: float = 2) -> bool:
    """Whether sshd there greets."""
    greet = f"exec 3<>/dev/tcp/{address}/22; read -r -u 3 line; [[ $line = SSH-* ]]"
    return sender.run(["timeout", str(seconds), "bash", "-c", greet], timeout=30).ok


@pytest.mark.parametrize("version", [1, 2], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("way", [("db1.phl", "db1.ams"), ("db1.ams", "db1.phl")], ids=str)
def test_no_packet_enters_or_leaves_a_null_routed_site(
    lab: Lab, way: tuple[str, str], version: int
) -> None:
    sender, receiver = map(lab.host, way)
    address = receiver.plan.links[0][version]
    heard = listen(receiver)
    send(sender, "before", address)
    lab.faults.null_route("phl")
    send(sender, "lost", address)
    lab.faults.restore("phl")
    send(sender, "end", address)
    assert heard.communicate(timeout=20)[0] == "before\n"


def test_a_connection_into_a_null_routed_site_hears_nothing_not_even_a_refusal(lab: Lab) -> None:
    lab.faults.null_route("phl")
    connect = "exec 3<>/dev/tcp/192.0.2.11/22"
    assert lab.operator.run(["timeout", "3", "bash", "-c", connect]).exit == 124
    assert lab.host("db1.ams").run(["timeout", "3", "bash", "-c", connect]).exit == 124


def test_inside_a_null_routed_site_and_out_of_band_all_goes_on(lab: Lab) -> None:
    lab.faults.null_route("phl")
    assert reaches(lab.host("db1.phl"), "192.0.2.12")
    assert reaches(lab.host("db1.ams"), "198.51.100.11")


def test_a_cut_host_is_lost_to_its_neighbours_too_and_comes_back(lab: Lab) -> None:
    cut, neighbour = lab.host("git1.phl"), lab.host("db1.phl")
    lab.faults.cut("git1.phl")
    assert not reaches(neighbour, cut.address)
    assert not reaches(cut, neighbour.address)
    assert not reaches(neighbour, "198.51.100.12")
    assert reaches(neighbour, "198.18.2.11")
    lab.faults.restore("git1.phl")
    assert until(lambda: reaches(neighbour, cut.address), 20)


def test_a_cut_outlives_a_reboot_of_the_host(lab: Lab) -> None:
    lab.faults.cut("git1.phl")
    lab.faults.reboot("git1.phl")
    assert not reaches(lab.host("db1.phl"), "192.0.2.12")


def test_with_lost_replies_requests_still_arrive(lab: Lab) -> None:
    host, other = lab.host("db1.phl"), lab.host("db1.ams")
    lab.faults.drop_silently("db1.phl", direction="replies")
    heard = listen(host)
    send(other, "request", host.address)
    send(other, "end", host.address)
    assert heard.communicate(timeout=20)[0] == "request\n"
    assert not reaches(other, host.address)
    lab.faults.restore("db1.phl")
    assert reaches(other, host.address)


def test_dropping_silently_loses_both_directions(lab: Lab) -> None:
    host, other = lab.host("db1.phl"), lab.host("git1.phl")
    heard = listen(host), listen(other)
    lab.faults.drop_silently("db1.phl")
    send(host, "lost", other.address)
    send(other, "lost", host.address)
    lab.faults.restore("db1.phl")
    send(host, "end", other.address)
    send(other, "end", host.address)
    assert [each.communicate(timeout=20)[0] for each in heard] == ["", ""]


def test_a_reset_ends_old_connections_and_refuses_new_ones(lab: Lab) -> None:
    talker = lab.host("db1.ams").popen([_PYTHON, "-c", _TALKER, "192.0.2.11"])
    assert talker.stdout
    assert talker.stdout.readline() == "talking\n"
    lab.faults.reset("db1.phl")
    assert talker.communicate("go\n", timeout=30)[0] == "ConnectionResetError\n"
    connect = lab.operator.run(["bash", "-c", "exec 3<>/dev/tcp/192.0.2.11/22"], timeout=30)
    assert "refused" in connect.err
    lab.faults.restore("db1.phl")
    assert reaches(lab.host("db1.ams"), "192.0.2.11")


def test_a_reboot_kills_everything_keeps_the_disk_and_has_a_new_boot_id(lab: Lab) -> None:
    host = lab.host("db1.phl")
    host.write("/root/kept", "kept")
    host.write("/run/lost", "lost")
    host.write("/tmp/lost", "lost")
    host.popen(["sleep", "98765"])
    machine, boot = host.read("/etc/machine-id"), host.boot_id
    lab.faults.reboot("db1.phl")
    assert host.boot_id != boot
    assert host.read("/etc/machine-id") == machine
    assert host.read("/root/kept") == "kept"
    assert not host.run("ls /run/lost || ls /tmp/lost").ok
    assert "98765" not in host.must("ps -eo args")
    assert reaches(lab.host("db1.ams"), host.address)


def test_a_host_can_reboot_itself(lab: Lab) -> None:
    host = lab.host("db1.phl")
    before = host.boot_id, host.pid
    lab.host("db1.ams").run("ssh db1.phl reboot", timeout=30)
    assert until(lambda: not born(before[1]), 20)
    host.wait_up()
    assert host.boot_id != before[0]


def test_a_host_that_is_off_stays_off_until_it_is_switched_on(lab: Lab) -> None:
    host = lab.host("db1.phl")
    lab.faults.power_off("db1.phl")
    assert not host.is_up
    assert not reaches(lab.host("git1.phl"), host.address)
    lab.faults.power_on("db1.phl")
    # Its neighbours may first have to give up their search for it.
    assert until(lambda: reaches(lab.host("git1.phl"), host.address), 20)


def test_a_full_disk_takes_no_more_and_a_freed_one_does(lab: Lab) -> None:
    write = "dd if=/dev/zero of=/var/big bs=1M count=8 2>&1"
    lab.faults.fill_disk("db1.phl", leave=1 << 20)
    full = lab.host("db1.phl").run(write)
    assert "No space left on device" in full.out
    assert lab.host("git1.phl").run(write).ok
    lab.faults.free_disk("db1.phl")
    assert lab.host("db1.phl").run(write).ok


def test_a_skewed_clock_is_seen_over_ssh_and_by_services_and_nowhere_else(lab: Lab) -> None:
    host, other = lab.host("db1.phl"), lab.host("db1.ams")
    host.service("clock", "sh -c 'date +%s >/root/clock; exec sleep 999'")
    lab.faults.skew_clock("db1.phl", -86400)
    host.must("service clock restart")
    assert until(lambda: host.run("test -s /root/clock").ok, 10)
    true = int(other.must("date +%s"))
    seen = [
        int(host.read("/root/clock")),
        int(host.must("date +%s")),
        int(other.must("ssh db1.phl date +%s")),
    ]
    assert [round((true - each) / 3600) for each in seen] == [24, 24, 24]
    lab.faults.skew_clock("db1.phl", 0)
    assert abs(int(other.must("ssh db1.phl date +%s")) - true) < 3600


def test_a_frozen_host_answers_nobody_and_goes_on_when_thawed(lab: Lab) -> None:
    lab.faults.freeze("db1.phl")
    states = {
        Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        for pid in lab.host("db1.phl").processes()
    }
    assert states == {"T"}
    assert not reaches(lab.host("db1.ams"), "192.0.2.11")
    lab.faults.thaw("db1.phl")
    assert until(lambda: reaches(lab.host("db1.ams"), "192.0.2.11"), 20)


def test_a_slow_site_is_shaped_in_both_directions_or_it_says_that_it_cannot(lab: Lab) -> None:
    if not lab.faults.possible()["tbf"]:
        with pytest.raises(NotHere, match="tbf"):
            lab.faults.slow("phl", "1mbit")
        return
    lab.faults.slow("phl", "1mbit")
    shapes = lab.faults.shapes("phl")
    assert len(shapes) == 2
    assert all("tbf" in shape and "rate 1Mbit" in shape for shape in shapes)
    assert (
        lab.host("db1.ams").must("ssh db1.phl 'head -c 50000 /dev/zero' | wc -c").strip()
        == "50000"
    )
    lab.faults.restore("phl")
    assert not any("tbf" in shape for shape in lab.faults.shapes("phl"))


def test_delay_works_where_the_kernel_has_netem_and_says_so_where_not(lab: Lab) -> None:
    if lab.faults.possible()["netem"]:
        lab.faults.delay("phl", 10)
        assert all("netem" in shape for shape in lab.faults.shapes("phl"))
    else:
        with pytest.raises(NotHere, match="this kernel has no netem"):
            lab.faults.delay("phl", 10)

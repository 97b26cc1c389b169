"""A lab is what it says: hosts of their own, in sites that reach each other."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import SITES, SMALL, HostPlan, Lab, LabBroken, Network, Topology
from tests.lab.namespaces import until

ROOT = Path(__file__).parents[2]


_NAT = """
table ip nat {
  chain to { type nat hook prerouting priority dstnat;
    ip daddr 203.0.113.80 tcp dport 2222 dnat to 198.18.2.14:22
  }
  chain from { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(SMALL) as it:
        yield it


def test_the_sites_of_the_examples_have_the_addresses_of_their_inventory() -> None:
    hosts: dict[str, Any] = {}
    for name in ("sites.yml", "switchover.yml"):
        hosts |= yaml.safe_load((ROOT / "inventory" / name).read_text())["hosts"]
    ours = {host.name: {each for link in host.links for each in link[1:]} for host in SITES.hosts}
    theirs = {name: {route["address"] for route in host["routes"]} for name, host in hosts.items()}
    assert {name: found - ours.get(name, set()) for name, found in theirs.items()} == {
        name: set() for name in theirs
    }


def test_all_sites_come_up_and_every_site_reaches_every_other() -> None:
    with Lab(SITES) as lab:
        for sender in ("db1.phl", "db1.fre", "db1.ams", "gw.ovh", "ns2", "desk", "client"):
            goals = " ".join(host.address for host in lab.hosts)
            done = lab.host(sender).run(
                f'for a in {goals}; do bash -c "exec 3<>/dev/tcp/$a/22" || echo $a; done'
            )
            assert done.out == ""
        v6 = "for a in db1.phl db1.fre gw.ovh client.net; do ssh -6 $a hostname; done"
        assert lab.host("git1.ams").must(v6).split() == [
            "db1.phl",
            "db1.fre",
            "gw.ovh",
            "client.net",
        ]


def test_hosts_log_in_to_each_other_by_name_across_sites(lab: Lab) -> None:
    assert lab.host("db1.phl").must("ssh db1.ams hostname").strip() == "db1.ams"
    assert lab.host("db1.phl").must("ssh root@git1.ams whoami", user="postgres").strip() == "root"


def test_every_host_has_a_disk_processes_and_a_name_of_its_own(lab: Lab) -> None:
    for host in lab.hosts:
        host.write("/etc/mine", host.name)
        host.write("/var/lib/postgresql/mine", host.name, owner="postgres")
    assert [host.read("/etc/mine") for host in lab.hosts] == [host.name for host in lab.hosts]
    assert [host.must("hostname").strip() for host in lab.hosts] == [h.name for h in lab.hosts]
    assert not Path("/etc/mine").exists()
    assert not Path("/var/lib/postgresql/mine").exists()
    assert len({host.read("/etc/machine-id") for host in lab.hosts}) == len(lab.hosts)
    assert len({host.boot_id for host in lab.hosts}) == len(lab.hosts)
    assert "keeper.sh" not in lab.hosts[0].must("ps -eo args")


def test_hosts_do_not_see_the_keys_and_homes_of_the_machine(lab: Lab) -> None:
    host = lab.host("db1.phl")
    seen = host.must("ls -A /home /srv /tmp /var/log/apt 2>/dev/null || true").split()
    assert seen == ["/home:", "ops", "/srv:", "git", "/tmp:"]
    assert host.must("cat /root/.ssh/id_ed25519") == lab.identity.read_text()
    assert host.must("cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2] == host.key.split()
    assert ":*:" in host.must("grep ^root /etc/shadow")


def test_a_command_gets_its_account_its_input_and_its_exit_code_back(lab: Lab) -> None:
    done = lab.host("db1.phl").run("id -un; cat; echo oops >&2; exit 7", user="git", given="hello")
    assert (done.exit, done.out, done.err) == (7, "git\nhello", "oops\n")


def test_a_command_that_takes_too_long_is_killed_in_the_host(lab: Lab) -> None:
    host = lab.host("db1.phl")
    with pytest.raises(TimeoutError):
        host.run("sleep 4321", timeout=0.5)
    assert "sleep 4321" not in host.must("ps -eo args")


def test_the_dead_whom_nobody_waits_for_are_collected(lab: Lab) -> None:
    host = lab.host("db1.phl")
    host.must("(sleep 0.1 & sleep 0.1 & sleep 0.1 &) >/dev/null 2>&1")
    assert until(lambda: "sleep 0.1" not in host.must("ps -eo args"), 10)
    assert until(lambda: "Z" not in host.must("ps -eo stat="), 10)


def test_drrun_reaches_the_hosts_from_the_operators_place(lab: Lab, tmp_path: Path) -> None:
    lab.write_inventory(tmp_path / "inventory.yml", groups={"dbs": ["db1.phl", "db1.ams"]})
    (tmp_path / "book.yml").write_text(
        "drrun: 1\nname: names\nsteps:\n  names: {on: dbs, run: hostname > /root/name}\n"
    )
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "drrun", "run", "book.yml", "--yes", "-i", "inventory.yml"]
    done = lab.operator.run(words, env=state, cwd=tmp_path)
    assert done.exit == 0, done.out + done.err
    assert lab.host("db1.ams").read("/root/name").strip() == "db1.ams"


def test_a_service_starts_again_with_its_host_and_obeys_the_command_of_runbooks(lab: Lab) -> None:
    host = lab.host("git1.phl")
    host.service("clock", "sh -c 'echo began >>/var/lib/clock; exec sleep 1000000'")
    assert host.must("service clock status") == "clock is running\n"
    lab.host("db1.ams").must("ssh git1.phl service clock stop")
    assert host.run("service clock status").exit == 3
    assert "1000000" not in host.must("ps -eo args")
    host.reboot()
    assert until(lambda: host.read("/var/lib/clock") == "began\nbegan\n", 10)


def test_a_service_that_is_not_ready_shows_its_log(lab: Lab) -> None:
    command = "sh -c 'echo no such place; sleep 9'"
    with pytest.raises(LabBroken, match="no such place"):
        lab.host("db1.phl").service("bad", command, ready="false", within=0.5)


def test_two_labs_at_once_have_the_same_addresses_and_nothing_in_common(lab: Lab) -> None:
    with Lab(SMALL) as other:
        lab.host("db1.ams").write("/root/which", "first")
        other.host("db1.ams").write("/root/which", "second")
        seen = [
            each.host("db1.phl").must(f"ssh {each.host('db1.ams').address} cat /root/which")
            for each in (lab, other)
        ]
        assert seen == ["first", "second"]
        other.faults.null_route("ams")
        assert lab.host("db1.phl").run("ssh db1.ams true", timeout=20).ok
    assert lab.host("db1.phl").run("ssh db1.ams true", timeout=20).ok


def test_a_database_runs_in_a_host_and_is_asked_from_another_site(lab: Lab) -> None:
    host, data = lab.host("db1.phl"), "/var/lib/postgresql/data"
    host.must(f"initdb -D {data} --no-sync -A trust", user="postgres")
    host.must(f"echo host all all all trust >>{data}/pg_hba.conf")
    start = f"postgres -D {data} -c listen_addresses=* -c fsync=off"
    ready = "pg_isready -h 192.0.2.11"
    host.service("postgres", start, user="postgres", ready=ready, stop=signal.SIGINT)
    ask = "psql -h db1.phl -U postgres -Atc 'select pg_postmaster_start_time() is not null'"
    assert lab.host("db1.ams").must(ask, user="postgres") == "t\n"
    lab.host("db1.ams").must("ssh db1.phl service postgres stop")
    assert "database system is shut down" in host.read("/var/log/postgres.log")
    assert host.run(ready).exit == 2
    host.reboot()
    assert until(lambda: host.run(ready).ok, 20)


def test_another_account_is_reached_with_sudo_as_drrun_does(lab: Lab) -> None:
    become = "ssh db1.phl sudo -n -u postgres id -un"
    assert lab.host("db1.ams").must(become).strip() == "postgres"


def test_hosts_behind_a_gateway_go_out_with_its_address_only() -> None:
    gateway = SITES.host("gw.ovh")
    inner = ("lan", "10.0.0.1", "")
    behind = Topology(
        networks=(*SITES.networks, Network("lan", "ovh", "10.0.0.0/24", routed=False)),
        hosts=(
            HostPlan("gw.ovh", "ovh", (*gateway.links, inner)),
            HostPlan("build1.ovh", "ovh", (("lan", "10.0.0.2", ""),), gateway="10.0.0.1"),
            SITES.host("web1.ams"),
        ),
        operator=SITES.operator,
        routes=SITES.routes,
    )
    with Lab(behind) as lab:
        come_from = "ssh -n web1.ams 'echo $SSH_CLIENT'"
        assert not lab.host("build1.ovh").run(f"timeout 2 {come_from}").ok
        lab.host("gw.ovh").must("echo 1 >/proc/sys/net/ipv4/ip_forward; nft -f -", given=_NAT)
        assert lab.host("build1.ovh").must(come_from).split()[0] == "203.0.113.41"
        # The prefix that the router sends to the gateway reaches the site behind it.
        front = "exec 3<>/dev/tcp/203.0.113.80/2222; read -r -u 3 line; echo $line"
        done = lab.operator.run(["timeout", "9", "bash", "-c", front])
        assert done.out.startswith("SSH-2.0")

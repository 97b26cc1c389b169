"""A lab comes up quickly, is what it says, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import SITES, SMALL, Lab, LabBroken
from tests.lab.namespaces import born, everybody, inode, until
from tests.lab.sweep import LABS, running
from tests.lab.topology import Topology

ROOT = Path(__file__).parents[2]
KINDS = ("net", "mnt", "pid", "uts", "ipc")


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(SMALL) as it:
        yield it


def namespaces(lab: Lab) -> set[tuple[str, int]]:
    """All namespaces that are the lab's own."""
    pids = [lab.keeper, lab.operator.pid, *(host.pid for host in lab.hosts)]
    ours = {(kind, inode(os.getpid(), kind)) for kind in KINDS}
    return {(kind, inode(pid, kind)) for pid in pids for kind in KINDS} - ours


def inhabitants(spaces: set[tuple[str, int]]) -> dict[int, int]:
    """Processes of the machine that are in one of them -> birth.

    The kernel gives the numbers of namespaces out again, so a look after the end tells nothing.
    """
    return {
        pid: born(pid)
        for pid in everybody()
        if spaces & {(kind, inode(pid, kind)) for kind in KINDS}
    }


def alive(processes: dict[int, int]) -> list[str]:
    """Those of the processes (number -> birth) that go on."""
    return [
        Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        for pid, birth in processes.items()
        if born(pid) == birth
    ]


def machine() -> dict[str, object]:
    """What of the machine a lab could leave something in."""
    links = subprocess.run(["ip", "-o", "link"], check=True, capture_output=True, text=True).stdout
    folders = [Path(name) for name in ("/run", "/etc", "/root", "/tmp", "/var/lib", "/etc/ssh")]
    mounts = Path("/proc/self/mountinfo").read_text()
    return {
        "links": [line for line in links.splitlines() if "drrun" in line or " p0-" in line],
        "mounts": [line for line in mounts.splitlines() if str(LABS) in line],
        "etc": sorted(path.name for folder in folders[1:2] for path in folder.iterdir()),
        "hosts": Path("/etc/hosts").read_text(),
        "names": Path("/etc/passwd").read_text(),
    }


def test_down_leaves_no_process_namespace_mount_link_or_folder() -> None:
    before = machine()
    lab = Lab(SMALL).up()
    lab.operator.popen(["sleep", "300"])
    lab.host("db1.phl").popen(["sleep", "300"])
    folder, everyone = lab.folder, inhabitants(namespaces(lab))
    assert {lab.keeper, lab.operator.pid, lab.host("db1.phl").pid} <= set(everyone)
    lab.down()
    assert alive(everyone) == []
    assert not folder.exists()
    assert machine() == before


def test_a_lab_is_invisible_in_the_mounts_and_links_of_the_machine(lab: Lab) -> None:
    assert machine()["mounts"] == []
    assert machine()["links"] == []


def test_a_lab_that_cannot_come_up_leaves_nothing() -> None:
    wrong = Topology(SMALL.networks, SMALL.hosts, SMALL.operator, {"not-an-address": "db1.phl"})
    lab = Lab(wrong)
    with pytest.raises(LabBroken, match="not-an-address"):
        lab.up()
    assert not lab.id
    assert not [path for path in LABS.iterdir() if path.name not in running()]


def test_down_twice_is_harmless(lab: Lab) -> None:
    lab.down()
    lab.down()


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
    assert seen == ["/home:", "/srv:", "git", "/tmp:"]
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


_OWNER = """
import sys
from tests.lab import SMALL, Lab
lab = Lab(SMALL).up()
child = lab.operator.popen(["sleep", "600"])
print(lab.id, child.pid, flush=True)
sys.stdin.read()
"""


def test_what_a_killed_owner_leaves_is_swept_by_the_next_up() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout
    lab_id, child = owner.stdout.readline().split()
    killed = Lab.attach(lab_id)
    everyone = inhabitants(namespaces(killed))
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    # The kernel ends the lab by itself; the operator's programs wait for a sweep.
    assert until(lambda: lab_id not in running(), 20)
    assert int(child) in everyone
    assert born(int(child))
    with Lab(SMALL):
        assert not (LABS / lab_id).exists()
        assert alive(everyone) == []


def by_hand(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.lab", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_lab_started_by_hand_stays_until_it_is_ended_by_hand(tmp_path: Path) -> None:
    up = by_hand("up", "small", "--inventory", str(tmp_path / "lab.yml"))
    lab_id = up.stdout.split()[1]
    try:
        assert json.loads((tmp_path / "lab.yml").read_text())["hosts"]["db1.phl"]["host_key"]
        assert by_hand("--lab", lab_id, "enter", "db1.ams", "hostname").stdout == "db1.ams\n"
        assert by_hand("--lab", lab_id, "fault", "null-route", "phl").returncode == 0
        lost = [
            line
            for line in by_hand("--lab", lab_id, "status").stdout.splitlines()
            if "lost" in line
        ]
        assert [line.split()[0] for line in lost] == ["db1.phl", "git1.phl"]
        assert "sweep" not in by_hand("sweep").stdout
        assert lab_id in running()
    finally:
        down = by_hand("--lab", lab_id, "down")
    assert down.stdout == f"lab {lab_id} is gone\n"
    assert lab_id not in running()
    assert not (LABS / lab_id).exists()


def test_what_was_typed_wrong_is_answered_with_what_there_is(lab: Lab) -> None:
    wrong = by_hand("--lab", lab.id, "fault", "null-route", "mars")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "no site mars; there are ams, ops, phl, phl-oob\n",
    )


def test_without_root_it_says_so() -> None:
    done = subprocess.run(
        ["unshare", "--user", sys.executable, "-m", "tests.lab", "up"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "a lab needs root, for namespaces and mounts: run this with sudo\n"

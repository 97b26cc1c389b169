"""Nothing of a lab is left: not after its end, nor after that of whoever started it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import SMALL, Lab, LabBroken
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
    wrong = Topology(SMALL.networks, SMALL.hosts, SMALL.operator, {"nowhere": "db1.phl"})
    lab = Lab(wrong)
    with pytest.raises(LabBroken, match="nowhere"):
        lab.up()
    assert not lab.id
    assert not [path for path in LABS.glob("*/router.batch") if "nowhere" in path.read_text()]


def test_down_twice_is_harmless(lab: Lab) -> None:
    lab.down()
    lab.down()


_OWNER = """
import sys
from tests.lab import SMALL, Lab
lab = Lab(SMALL).up()
child = lab.operator.popen(["sleep", "600"])
print(lab.id, child.pid, flush=True)
sys.stdin.read()
"""
#: Hangs between the router and the hosts.
_HALF = """
import threading
from tests.lab import SMALL, Lab
class Half(Lab):
    def _lay_ground(self):
        print(self.id, flush=True)
        threading.Event().wait()
Half(SMALL, kept=True).up()
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
    with Lab(SMALL):
        assert until(lambda: not (LABS / lab_id).exists(), 20)
        assert until(lambda: alive(everyone) == [], 20)


def test_a_lab_that_was_to_stay_dies_with_its_owner_while_it_is_not_complete() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _HALF], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout
    lab_id = owner.stdout.readline().strip()
    assert lab_id in running()
    owner.kill()
    owner.communicate()
    assert until(lambda: lab_id not in running(), 20)


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
        assert lab_id not in by_hand("sweep").stdout
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

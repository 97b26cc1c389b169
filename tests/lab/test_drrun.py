"""drrun in the lab: hosts that reboot, sites that vanish, a second way in. Judged on the hosts."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import SMALL, Lab, LabHost
from tests.programs import Done, Program
from tests.sshd import until

RUNBOOK = """
drrun: 1
name: lab
steps:
  {step}
"""
SLOW = """slow:
    on: db1.phl
    run: |
      echo begun >>/root/effects
      while [ ! -e /root/go ]; do date; sleep 0.2; done
      echo ended >>/root/effects
    verify: {run: grep -q ended /root/effects}
"""


class Place:
    """The operator's desk in a lab."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        mark = lab.operator.command(["true"], cwd=folder)[:-1]
        self.program = Program(folder, prefix=tuple(mark))
        lab.write_inventory(folder / "inventory/lab.yml")

    def write(self, step: str) -> None:
        self.program.write("runbooks/lab.yml", RUNBOOK.replace("{step}", step))

    def start(self) -> "subprocess.Popen[str]":
        return self.program.start("run", "runbooks/lab.yml", "--yes", "--no-input")

    def effects(self, host: LabHost) -> list[str]:
        return host.run(["cat", "/root/effects"]).out.split()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Lab(SMALL) as lab:
        yield Place(lab, tmp_path)


@pytest.mark.faults(58)
def test_a_reboot_that_is_the_step_is_done_with_a_new_boot_id(place: Place) -> None:
    host = place.lab.host("db1.ams")
    before = host.boot_id
    place.write(
        "reboot: {run: 'echo asked >>/root/effects; reboot', on: db1.ams, reboots: true,"
        " timeout: 60s, verify: {run: test -e /root/effects}}"
    )
    done = Done.of(place.start())
    assert (done.exit, place.effects(host)) == (0, ["asked"]), done.err
    assert host.boot_id != before


@pytest.mark.faults(56)
def test_a_host_that_reboots_in_the_middle_of_a_step_is_not_run_again_blindly(
    place: Place,
) -> None:
    host = place.lab.host("db1.phl")
    place.write(SLOW)
    process = place.start()
    assert until(lambda: place.effects(host) == ["begun"])
    place.lab.faults.reboot("db1.phl")
    done = Done.of(process)
    steps = {s["id"]: s["status"] for s in place.program.json("status", "latest")["steps"]}
    assert (done.exit, steps["slow"], place.effects(host)) == (3, "unknown", ["begun"]), done.err


@pytest.mark.faults(38, 52)
def test_a_step_in_a_null_routed_site_is_followed_on_by_the_second_way_in(place: Place) -> None:
    host = place.lab.host("db1.phl")
    place.write(SLOW)
    process = place.start()
    assert until(lambda: place.effects(host) == ["begun"])
    place.lab.faults.null_route("phl")
    host.run(["touch", "/root/go"])
    done = Done.of(process)
    assert (done.exit, place.effects(host)) == (0, ["begun", "ended"]), done.err
    shown = place.program("show", "latest", "slow").out
    assert "seen again" in shown
    assert "phl-oob" in shown


def test_with_a_site_null_routed_no_step_hangs_longer_than_its_timeout(place: Place) -> None:
    place.write(
        "look: {run: 'true', on: db1.phl, timeout: 5s, verify: {run: 'true'}}\n"
        "  beside: {run: echo beside >>/root/effects, on: db1.ams, verify: {run: 'true'}}"
    )
    for site in ("phl", "phl-oob"):
        place.lab.faults.null_route(site)
    began = time.monotonic()
    done = Done.of(place.start())
    assert done.exit == 4, done.err
    # Two routes, ten seconds each at most, and the program's own start.
    assert time.monotonic() - began < 45
    assert place.effects(place.lab.host("db1.ams")) == ["beside"]

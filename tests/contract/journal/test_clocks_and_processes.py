"""Time that never goes back, names that do not collide, and proof that a process is dead."""

import dataclasses
import os
import re
import signal
import subprocess
import threading

import pytest

from drrun.core.model.ids import RunId
from drrun.engine.leasing import Sign
from drrun.journal.processes import sign_of, this_process
from drrun.journal.system_clock import SystemClock, SystemIds
from drrun.ports.clock import Clock, Ids
from drrun.ports.journal import Lease
from drrun.testing.manual_clock import ManualClock


@pytest.mark.faults(94)
@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()], ids=["system", "manual"])
def test_a_clock_never_goes_back(clock: Clock) -> None:
    moments = [clock.now() for _ in range(1000)]
    assert moments == sorted(moments)


def test_the_clock_shows_the_time_of_the_machine() -> None:
    assert abs(SystemClock().skew()) < 1


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(100.0)
    seen = [clock.now(), clock.advance(5), clock.now(), clock.move_to(200.0), clock.now()]
    assert seen == [100.0, 105.0, 105.0, 200.0, 200.0]


def test_a_manual_clock_refuses_to_go_back() -> None:
    clock = ManualClock(100.0)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(99.0)


def test_a_runs_name_tells_when_and_what() -> None:
    ids: Ids = SystemIds()
    name = ids.new_run("Datacentre migration: PHL → AMS", 1_704_963_600.0)
    assert re.fullmatch(r"20240111-090000-datacentre-migration-phl-ams-[0-9a-f]{4}", name)


@pytest.mark.parametrize("name", ["", "→", "x" * 500, "../../etc/passwd"])
def test_a_runs_name_is_always_good_for_a_file(name: str) -> None:
    made = SystemIds().new_run(name, 0.0)
    assert re.fullmatch(r"[a-z0-9-]{20,90}", made)


def lease_of(pid: int, started: str) -> Lease:
    host = this_process().host
    return Lease(RunId("run"), 1, f"drew@{host}", host, pid, 0.0, 0.0, started)


def lease_here() -> Lease:
    seat = this_process()
    return lease_of(seat.pid, seat.started)


def test_this_process_is_alive() -> None:
    assert sign_of(lease_here()) is Sign.ALIVE


def test_the_person_is_named_before_the_machine() -> None:
    seat = this_process("simon")
    assert seat.holder == f"simon@{seat.host}"


def test_a_process_that_is_gone_is_dead() -> None:
    child = subprocess.Popen(["sleep", "60"])
    child.kill()
    child.wait()
    lease = dataclasses.replace(lease_here(), pid=child.pid)
    assert sign_of(lease) is Sign.DEAD


def test_a_process_that_nobody_buried_is_dead() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert sign_of(dataclasses.replace(lease_here(), pid=child.pid)) is Sign.DEAD


@pytest.mark.faults(62)
def test_a_pid_that_was_given_to_another_process_is_dead() -> None:
    """Fault F62."""
    assert sign_of(dataclasses.replace(lease_here(), pid=1)) is Sign.DEAD


def changed(field: int, text: str) -> str:
    parts = this_process().started.split("/")
    parts[field] = text
    return "/".join(parts)


def test_after_a_reboot_of_the_same_machine_the_holder_is_dead() -> None:
    assert sign_of(lease_of(1, changed(1, "another-boot"))) is Sign.DEAD


def test_another_boot_of_a_machine_that_cannot_be_told_apart_proves_nothing() -> None:
    parts = this_process().started.split("/")
    lease = lease_of(1, "/".join(["", "another-boot", *parts[2:]]))
    assert sign_of(lease) is Sign.OUT_OF_SIGHT


def test_a_process_in_another_container_is_out_of_sight() -> None:
    assert sign_of(lease_of(os.getpid(), changed(2, "pid:[1]"))) is Sign.OUT_OF_SIGHT


@pytest.mark.parametrize("started", ["", "x", "a/b/c/d"])
def test_a_process_of_another_machine_is_out_of_sight(started: str) -> None:
    lease = dataclasses.replace(lease_of(1, started), host="elsewhere")
    assert sign_of(lease) is Sign.OUT_OF_SIGHT


def test_threads_share_one_manual_clock() -> None:
    clock = ManualClock(0.0)
    threads = [threading.Thread(target=clock.advance, args=(1,)) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == 50.0

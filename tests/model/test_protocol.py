"""Every order of events that the protocol of attempts can meet, to a stated depth.

Rules:
- The controller is the real `Job`; host, launcher, link and faults are a model (world.py).
- `DRRUN_MODEL_STATES` sets how many states are looked at for each case; without it, so many that
  all cases together take less than a minute.
"""

import dataclasses
import os
from collections.abc import Iterator

import pytest

from drrun.core.model.outcomes import NeverStarted
from drrun.ssh.jobs import Job
from drrun.ssh.launcher_answers import LauncherReady
from tests.model.checker import Found, explore
from tests.model.controller import Controllers
from tests.model.world import Faults, Kind, Model

#: Enough for every mistake that is made on purpose below.
_ENOUGH = 60_000
_MOST = int(os.environ.get("DRRUN_MODEL_STATES", "12000"))

#: What happens, to what kind of attempt.
CASES: dict[str, tuple[Faults, Kind]] = {
    "a cut": (Faults(cuts=1), Kind()),
    "two cuts": (Faults(cuts=2, hurries=0), Kind()),
    "a kill and a cut": (Faults(cuts=1, kills=1, hurries=0), Kind()),
    "a reboot": (Faults(cuts=0, reboots=1), Kind()),
    "a reboot and an end": (Faults(cuts=0, reboots=1, ends=1, hurries=0), Kind()),
    "a reboot and a kill": (Faults(cuts=0, reboots=1, kills=1, hurries=0), Kind()),
    "a reboot, a kill and an end": (Faults(cuts=0, reboots=1, kills=1, ends=1, hurries=0), Kind()),
    "a reboot of a host without boot id": (Faults(cuts=0, reboots=1), Kind(bootless=True)),
    "a reboot with another user": (
        Faults(cuts=0, reboots=1, kills=1, hurries=0),
        Kind(become=True),
    ),
    "a reboot that is the step": (Faults(cuts=1, reboots=1, hurries=0), Kind(reboots=True)),
    "a process killed from outside": (Faults(cuts=0, murders=1), Kind()),
    "a process killed from outside, and a cut": (Faults(cuts=1, murders=1, hurries=0), Kind()),
    "a full disk": (Faults(cuts=1, fills=2, hurries=0), Kind()),
    "a full disk with input": (Faults(cuts=1, fills=2, hurries=0), Kind(ahead=True)),
    "a full disk and a reboot": (Faults(cuts=0, fills=1, reboots=1, kills=1, hurries=0), Kind()),
    "somebody deletes the run's folder": (Faults(cuts=2, wipes=1, hurries=0), Kind()),
    "somebody deletes it, with another user": (
        Faults(cuts=1, wipes=1, hurries=0),
        Kind(become=True),
    ),
    "a process of another user killed from outside": (
        Faults(cuts=0, murders=1, hurries=0),
        Kind(become=True),
    ),
    "an older copy of the state": (Faults(cuts=0, copies=1), Kind()),
    "an older copy of the state, and a cut": (Faults(cuts=1, copies=1, hurries=0), Kind()),
    "a controller asleep": (Faults(cuts=0, sleeps=1, ends=1, hurries=0), Kind()),
    "a time limit": (Faults(cuts=1, ends=1, hurries=0), Kind(timeout=True)),
    "a host that lets nobody in": (Faults(cuts=1, refusals=2, kills=1, hurries=0), Kind()),
}


@pytest.fixture(scope="module", autouse=True)
def _states() -> Iterator[list[int]]:
    yield seen
    print(f"\n{sum(seen)} states in {len(seen)} cases")  # noqa: T201 - asked for with -s


seen: list[int] = []


def _explore(
    faults: Faults,
    kind: Kind,
    job: type[Job] = Job,
    mistakes: tuple[str, ...] = (),
    most: int = _MOST,
) -> Found:
    wrong = kind._replace(mistakes=frozenset(mistakes))
    found = explore(Model(Controllers(job), wrong), faults, most=most)
    seen.append(found.states)
    return found


@pytest.mark.parametrize("case", CASES)
def test_an_attempt_is_executed_at_most_once_and_never_started_is_true(case: str) -> None:
    found = _explore(*CASES[case])
    assert not found.fault, str(found)


class _TakesAbsentForNever(Job):
    def _absent(self) -> None:
        self._finish(NeverStarted("the host knows nothing of it"))


class _TakesSilenceForNever(Job):
    def lost(self, why: str) -> None:
        self._finish(NeverStarted(why))


class _IgnoresTheBoot(Job):
    def opened(self, ready: LauncherReady) -> None:
        super().opened(dataclasses.replace(ready, boot="1"))


class _AsksAnewAfterATakeOver(Job):
    def begin(self) -> None:
        self._boot = ""
        super().begin()


class _BelievesEveryFolder(Job):
    def opened(self, ready: LauncherReady) -> None:
        super().opened(dataclasses.replace(ready, lost=False))


class _BelievesEveryWithdrawal(Job):
    def _withdrawn(self, word: str) -> None:
        if word == "lost":
            self._look()
        else:
            self._finish(self._nothing())


class _NeverLooksAgain(Job):
    def _look_now(self) -> None:
        pass


@pytest.mark.parametrize(
    ("job", "case"),
    [
        (_TakesAbsentForNever, "a cut"),
        (_TakesSilenceForNever, "a cut"),
        (_IgnoresTheBoot, "a reboot"),
        (_AsksAnewAfterATakeOver, "a reboot and a kill"),
        (_BelievesEveryFolder, "somebody deletes the run's folder"),
        (_BelievesEveryWithdrawal, "somebody deletes the run's folder"),
        (_NeverLooksAgain, "a process killed from outside"),
    ],
)
def test_the_model_finds_a_controller_that_guesses(job: type[Job], case: str) -> None:
    assert _explore(*CASES[case], job=job, most=_ENOUGH).fault


@pytest.mark.parametrize(
    "mistake", ["start without exclusive create", "withdraw without exclusive create"]
)
def test_the_model_finds_a_launcher_that_decides_without_exclusive_create(mistake: str) -> None:
    faults = Faults(cuts=1, kills=1, ends=1, hurries=0)
    assert _explore(faults, Kind(), mistakes=(mistake,), most=_ENOUGH).fault


@pytest.mark.parametrize("mistake", ["no memory", "no claim"])
def test_the_model_finds_a_host_that_is_misled_by_an_older_copy(mistake: str) -> None:
    found = _explore(*CASES["an older copy of the state"], mistakes=(mistake,), most=_ENOUGH)
    assert "lacks what it was told" in found.fault


def test_the_fencing_token_is_a_second_fence() -> None:
    """Nothing that is promised rests on it."""
    found = _explore(*CASES["a controller asleep"], mistakes=("no fence",))
    assert not found.fault, str(found)

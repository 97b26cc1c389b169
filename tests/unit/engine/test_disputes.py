"""A host remembers a journal: the controller goes on only where its own has that very entry."""

from collections.abc import Callable

import pytest

from drrun.core import events as ev
from drrun.core.integrity.chain import Head
from drrun.core.model.errors import LeaseLost, RecordDisputed
from drrun.core.model.status import RunStatus
from drrun.core.state.reached import FIRST_LINE
from drrun.engine.session import Session
from drrun.ports.hands import Memory, ReachedHost
from tests.unit.core.worlds import manual, plan_of, step
from tests.unit.engine.rigs import Rig

OTHER = FIRST_LINE + "deadbeef"


def session_of(rig: Rig) -> Session:
    """A second controller of a run that waits."""
    first = rig.start()
    first.drive()
    return rig.resume(first.run, ev.RunResumed(by="drew"))


def entry(rig: Rig, session: Session, seq: int) -> Head:
    return Head(seq, rig.entries(session.run)[seq - 1].hash)


def met(session: Session, memory: Memory | None) -> list[str]:
    """What becomes of a host that remembers this, while the run is driven."""
    asked: list[str] = []
    session.edges.crew.meet(ReachedHost("db1", "1", memory=memory), lambda: asked.append("asked"))
    session.drive()
    return asked


@pytest.fixture
def rig() -> Rig:
    return Rig(plan_of(manual("a")))


MEMORIES: dict[str, Callable[[Rig, Session], Memory | None]] = {
    "nothing": lambda _rig, _session: None,
    "the entry before": lambda rig, session: Memory(1, OTHER, entry(rig, session, 1)),
    "the last entry": lambda _rig, session: Memory(
        2, session.controller.name, session.edges.ledger.end
    ),
}
DISPUTES: dict[str, Callable[[Rig, Session], Memory]] = {
    "a later entry": lambda _rig, _session: Memory(1, OTHER, Head(999, "0" * 64)),
    "another entry": lambda _rig, _session: Memory(1, OTHER, Head(2, "0" * 64)),
    "a copy with our token": lambda rig, session: Memory(2, OTHER, entry(rig, session, 1)),
    "a newer controller that is not in our journal": lambda _rig, _session: Memory(
        7, OTHER, Head(2, "0" * 64)
    ),
}


@pytest.mark.parametrize("known", MEMORIES)
def test_a_host_that_knows_no_more_than_the_journal_is_asked(rig: Rig, known: str) -> None:
    session = session_of(rig)
    assert met(session, MEMORIES[known](rig, session)) == ["asked"]


@pytest.mark.parametrize("known", DISPUTES)
def test_a_host_that_knows_another_journal_is_asked_nothing_and_the_driving_ends(
    rig: Rig, known: str
) -> None:
    session = session_of(rig)
    memory = DISPUTES[known](rig, session)
    with pytest.raises(RecordDisputed, match="db1 was told") as disputed:
        met(session, memory)
    last = rig.entries(session.run)[-1]
    assert (last.kind, last.body["why"]) == ("ControllerLeft", disputed.value.how)
    # Whoever is to decide needs not wait.
    assert rig.journal.holder(session.run) is None
    (record,) = rig.journal.runs()
    assert record.status == RunStatus.INTERRUPTED


def test_whoever_was_replaced_in_this_very_journal_is_told_so(rig: Rig) -> None:
    session = session_of(rig)
    rig.resume(session.run)
    with pytest.raises(LeaseLost):
        met(session, Memory(3, OTHER, Head(99, "0" * 64)))


def test_what_hosts_know_of_an_earlier_line_is_overruled_and_recorded(rig: Rig) -> None:
    first = rig.start()
    first.drive()
    accepted = ev.RecordAccepted(by="sam", why="lost", line="11111111")
    session = rig.resume(first.run, accepted, ev.RunResumed(by="drew"))
    assert met(session, DISPUTES["a later entry"](rig, session)) == ["asked"]
    (overruled,) = (e.body for e in rig.entries(first.run) if e.kind == "HostOverruled")
    assert (overruled["host"], overruled["seq"]) == ("db1", 999)
    # A copy of the new line is found as before.
    later = rig.resume(first.run, ev.RunResumed(by="drew"))
    with pytest.raises(RecordDisputed):
        met(later, Memory(9, "11111111deadbeef", Head(999, "0" * 64)))


def test_a_run_that_has_ended_waits_for_those_who_are_still_to_be_met() -> None:
    session, asked = Rig(plan_of(step("a"))).start(), list[int]()

    def visited() -> bool:
        asked.append(1)
        return len(asked) == 3

    assert session.controller.drive(visited).status is RunStatus.SUCCEEDED
    assert len(asked) == 3

"""Several processes on one state folder: killed, stale, in a race, or in each other's way."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drrun.core.model.errors import StateUnusable
from drrun.journal.database import Database
from tests.contract.journal.benches import (
    RUN,
    Other,
    SqliteBench,
    draft,
    sqlite_bench,
    taken_by_force,
)


def test_everything_a_killed_controller_was_promised_is_there(disk: SqliteBench) -> None:
    """Fault F45: twenty controllers, each killed at a random moment of its writing."""
    chance = random.Random(45)
    durable: dict[int, str] = {}
    for _ in range(20):
        writer = disk.other("append", RUN)
        writer.hear()
        heard = [writer.hear() for _ in range(chance.randrange(12))]
        writer.shoot()
        durable.update({said["seq"]: said["hash"] for said in [*heard, *writer.hear_all()]})
    entries = {entry.seq: entry.hash for entry in disk.mine.journal.read(RUN)}
    missing = {seq: hash_ for seq, hash_ in durable.items() if entries.get(seq) != hash_}
    assert durable
    assert not missing
    assert disk.mine.journal.verify(RUN) == entries[len(entries)]


def test_both_entries_of_a_transaction_are_there_or_none(disk: SqliteBench) -> None:
    for _ in range(10):
        writer = disk.other("append", RUN)
        writer.hear()
        writer.hear()
        writer.kill()
    assert len(list(disk.mine.journal.read(RUN))) % 2 == 0


@pytest.mark.faults(92)
def test_a_stale_process_is_refused_by_the_insert_itself(disk: SqliteBench) -> None:
    stale = disk.other("hold", RUN)
    stale.hear()
    lease = taken_by_force(disk, disk.mine.leases)
    disk.mine.journal.append(lease, [draft()])
    stale.tell()
    assert stale.hear() == {"wrote": False, "error": "LeaseLost"}
    assert len(list(disk.mine.journal.read(RUN))) == 1


@pytest.mark.faults(92)
def test_rivals_never_write_under_an_older_epoch(disk: SqliteBench) -> None:
    """Fault F92: three processes take the run from each other, 180 times."""
    rivals = [disk.other("rival", RUN) for _ in range(3)]
    wrote = sum(rival.hear()["wrote"] for rival in rivals)
    epochs = [entry.epoch for entry in disk.mine.journal.read(RUN)]
    assert len(epochs) == wrote
    assert epochs == sorted(epochs)
    disk.mine.journal.verify(RUN)


def test_others_can_look_and_ask_while_a_controller_writes(disk: SqliteBench) -> None:
    writer = disk.other("append", RUN)
    writer.hear()
    for _ in range(50):
        durable = writer.hear()["seq"]
        disk.mine.journal.verify(RUN)
        disk.mine.inbox.post(RUN, 1.0, "simon", "note", {})
        assert disk.mine.journal.runs()[0].entries >= durable
    assert len(disk.mine.inbox.pending(RUN)) == 50


def test_threads_of_one_process_share_a_journal(disk: SqliteBench) -> None:
    lease = disk.mine.leases.take(RUN)

    def ask(number: int) -> int:
        disk.mine.inbox.post(RUN, 1.0, f"person {number}", "note", {})
        return len(list(disk.mine.journal.read(RUN)))

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, number) for number in range(40)]
        for number in range(40):
            disk.mine.journal.append(lease, [draft(number=number)])
        seen = [each.result() for each in asked]
    assert max(seen) <= 40
    assert len(disk.mine.inbox.pending(RUN)) == 40
    assert len(list(disk.mine.journal.read(RUN))) == 40
    disk.mine.journal.verify(RUN)


@pytest.mark.faults(89)
def test_a_lock_that_is_held_for_long_is_named_with_its_holder(tmp_path: Path) -> None:
    """Fault F89."""
    with sqlite_bench(tmp_path / "state") as disk:
        locker: Other = disk.other("lock")
        locker.hear()
        with (
            Database(tmp_path / "state", busy_timeout=0.1) as impatient,
            pytest.raises(StateUnusable) as refusal,
            impatient.transaction(),
        ):
            pass
    assert "is locked by process " in str(refusal.value)
    assert "waited 0.1 s. Nothing was written" in str(refusal.value)

"""What every journal promises, wherever it is kept."""

import dataclasses
import math

import pytest

from drrun.core.integrity.chain import Head
from drrun.core.model.errors import LeaseLost, Refused
from drrun.core.model.ids import RunId
from drrun.ports.journal import Draft, JournalCheck
from tests.contract.journal.benches import (
    RUN,
    START,
    Bench,
    document,
    draft,
    record,
    taken_by_force,
)


def test_entries_come_back_in_the_order_they_were_written(bench: Bench) -> None:
    lease = bench.mine.leases.take(RUN)
    written = [
        entry
        for number in range(5)
        for entry in bench.mine.journal.append(lease, [draft(number=number), draft("Second")])
    ]
    assert list(bench.mine.journal.read(RUN)) == written


def test_entries_are_numbered_from_one_without_a_gap(bench: Bench) -> None:
    first = bench.mine.leases.take(RUN)
    bench.mine.journal.append(first, [draft(), draft()])
    bench.mine.leases.release(first)
    bench.mine.journal.append(bench.mine.leases.take(RUN), [draft()])
    assert [entry.seq for entry in bench.mine.journal.read(RUN)] == [1, 2, 3]


def test_reading_after_an_entry_leaves_out_what_came_before(bench: Bench) -> None:
    bench.mine.journal.append(bench.mine.leases.take(RUN), [draft()] * 1200)
    after = [entry.seq for entry in bench.mine.journal.read(RUN, after=3)]
    assert after == list(range(4, 1201))


def test_an_entry_says_who_wrote_it_under_which_epoch(bench: Bench) -> None:
    lease = bench.mine.leases.take(RUN)
    (entry,) = bench.mine.journal.append(lease, [Draft(START, "drew", "Noted", 3, {"a": [1.0]})])
    assert dataclasses.asdict(entry) == {
        "run": RUN,
        "seq": 1,
        "at": START,
        "actor": "drew",
        "epoch": 1,
        "kind": "Noted",
        "version": 3,
        "body": {"a": [1.0]},
        "hash": bench.mine.journal.verify(RUN),
    }


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ünïcode ☃",
        "\x00 nul",
        "\udc80 no text",
        0.1 + 0.2,
        -0.0,
        10**30,
        None,
        {"b": {"a": 1}},
    ],
    ids=repr,
)
def test_every_json_value_comes_back_as_it_was(bench: Bench, value: object) -> None:
    bench.mine.journal.append(bench.mine.leases.take(RUN), [draft(value=value)])
    (entry,) = bench.elsewhere().journal.read(RUN)
    assert entry.body == {"value": value}
    assert bench.mine.journal.verify(RUN) == entry.hash


def test_a_tuple_comes_back_as_a_list_everywhere(bench: Bench) -> None:
    (entry,) = bench.mine.journal.append(bench.mine.leases.take(RUN), [draft(names=("a", "b"))])
    assert entry.body == {"names": ["a", "b"]}


def test_a_name_that_is_no_text_is_kept_readable(bench: Bench) -> None:
    lease = bench.mine.leases.take(RUN)
    bench.mine.journal.append(lease, [Draft(START, "dr\udcffew", "Noted", 1, {})])
    (entry,) = bench.mine.journal.read(RUN)
    assert entry.actor == "dr\\udcffew"


def test_a_number_that_is_none_is_refused_and_nothing_written(bench: Bench) -> None:
    lease = bench.mine.leases.take(RUN)
    with pytest.raises(ValueError, match="Out of range"):
        bench.mine.journal.append(lease, [draft(), draft(value=math.nan)])
    assert list(bench.mine.journal.read(RUN)) == []


def test_no_drafts_write_nothing(bench: Bench) -> None:
    assert bench.mine.journal.append(bench.mine.leases.take(RUN), []) == []


def test_a_replaced_controller_cannot_write_any_more(bench: Bench) -> None:
    stale = bench.mine.leases.take(RUN)
    bench.mine.journal.append(stale, [draft()])
    taken_by_force(bench, bench.elsewhere().leases)
    with pytest.raises(LeaseLost):
        bench.mine.journal.append(stale, [draft(), draft()])
    assert len(list(bench.mine.journal.read(RUN))) == 1


def test_a_replaced_controller_is_told_so_also_after_the_new_one_wrote(bench: Bench) -> None:
    stale = bench.mine.leases.take(RUN)
    bench.mine.journal.append(stale, [draft()])
    other = bench.elsewhere()
    other.journal.append(taken_by_force(bench, other.leases), [draft()])
    with pytest.raises(LeaseLost):
        bench.mine.journal.append(stale, [draft()])


def test_after_giving_the_lease_back_nothing_can_be_written(bench: Bench) -> None:
    lease = bench.mine.leases.take(RUN)
    bench.mine.leases.release(lease)
    with pytest.raises(LeaseLost):
        bench.mine.journal.append(lease, [draft()])


def test_a_run_is_pinned_to_its_documents(bench: Bench) -> None:
    assert bench.elsewhere().journal.documents(RUN) == (document(),)


def test_the_same_run_cannot_be_made_twice(bench: Bench) -> None:
    with pytest.raises(Refused, match="already"):
        bench.mine.journal.create(record(), [document("other: 1")])
    assert bench.mine.journal.documents(RUN) == (document(),)


def test_a_runbook_in_a_folder_whose_name_is_no_text_can_be_kept(bench: Bench) -> None:
    odd = RunId("20240113-090000-odd-0000")
    made = dataclasses.replace(record(odd), started_by="dr\udcffew")
    bench.mine.journal.create(made, [dataclasses.replace(document(), path="/srv/\udcff.yaml")])
    assert bench.mine.journal.documents(odd)[0].path == "/srv/\\udcff.yaml"
    assert bench.mine.journal.verify(odd)


def test_history_shows_the_newest_run_first(bench: Bench) -> None:
    newer = RunId("20240112-090000-migration-0000")
    bench.mine.journal.create(record(newer, START + 86400), [])
    assert [each.id for each in bench.mine.journal.runs()] == [newer, RUN]


def test_history_counts_entries_and_remembers_the_end(bench: Bench) -> None:
    bench.mine.journal.append(bench.mine.leases.take(RUN), [draft()] * 3)
    bench.mine.journal.update(RUN, "succeeded", START + 60)
    expected = dataclasses.replace(record(), status="succeeded", ended_at=START + 60, entries=3)
    assert bench.elsewhere().journal.runs() == [expected]


def test_the_head_hash_changes_with_every_entry(bench: Bench) -> None:
    lease = bench.mine.leases.take(RUN)
    heads = [bench.mine.journal.verify(RUN)]
    for _ in range(3):
        bench.mine.journal.append(lease, [draft()])
        heads.append(bench.mine.journal.verify(RUN))
    assert len(set(heads)) == 4


def test_what_is_asked_of_a_run_that_is_not_there_is_refused(bench: Bench) -> None:
    nobody = RunId("nobody")
    assert list(bench.mine.journal.read(nobody)) == []
    assert bench.mine.journal.documents(nobody) == ()
    assert bench.mine.leases.holder(nobody) is None
    for call in (
        lambda: bench.mine.journal.verify(nobody),
        lambda: bench.mine.journal.update(nobody, "failed", None),
        lambda: bench.mine.leases.take(nobody),
        lambda: bench.mine.inbox.post(nobody, START, "drew", "pause", {}),
    ):
        with pytest.raises(Refused, match="there is no run nobody"):
            call()


def test_every_journal_gives_the_same_hashes(bench: Bench) -> None:
    bench.mine.journal.append(bench.mine.leases.take(RUN), [draft(a=1, b="ü"), draft(c=[0.1])])
    assert bench.mine.journal.verify(RUN) == (
        "11009e536f375534bf985c28b3855f18ab34cccec0c8235f254a1cb8da088e48"
    )


def test_what_was_written_is_sound_from_any_entry_on(bench: Bench) -> None:
    journal = bench.mine.journal
    entries = journal.append(bench.mine.leases.take(RUN), [draft(number=n) for n in range(5)])
    head = Head(5, entries[-1].hash)
    assert journal.check(RUN) == JournalCheck(head)
    assert journal.check(RUN, Head(3, entries[2].hash)) == JournalCheck(head)
    assert journal.check(RUN, Head(3, "0" * 64)).flaws
    assert list(journal.left(RUN, 2)) == entries[2:]
    assert journal.lost() == ()

"""A look at a chain names everything that was altered, moved, added, taken out or cut."""

from collections.abc import Callable, ItemsView, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.integrity.chain import Head, genesis
from drrun.core.integrity.flaws import REACH, ChainReading, TornEntry, inspect
from drrun.core.model.ids import RunId
from drrun.engine.sealing import seal
from drrun.ports.journal import Draft, Entry

RUN = RunId("run")
BORN = genesis({"run": RUN}, [("runbook", "a.yaml", "00")])

Chain = list[Entry]


def chain(count: int = 9, epoch: int = 1) -> Chain:
    drafts = [Draft(float(n), "controller", "Noted", 1, {"n": n}) for n in range(count)]
    return seal(RUN, epoch, BORN, drafts)


SOUND = chain()
HEAD = Head(SOUND[-1].seq, SOUND[-1].hash)


def numbered(entries: Sequence[Entry]) -> Chain:
    """The same with the numbers of their places, as somebody writes them who hides a change."""
    return [replace(entry, seq=place) for place, entry in enumerate(entries, 1)]


def told(found: ChainReading) -> list[str]:
    return [str(flaw) for flaw in found.flaws]


def test_a_sound_chain_has_no_flaw() -> None:
    assert inspect(SOUND, BORN, HEAD) == ChainReading((), HEAD)


def test_an_empty_chain_ends_with_its_genesis() -> None:
    assert inspect([], BORN, BORN) == ChainReading((), BORN)


def test_a_look_goes_on_from_an_entry_that_is_known_to_be_sound() -> None:
    begin = Head(4, SOUND[3].hash)
    assert inspect(SOUND[4:], begin, HEAD) == ChainReading((), HEAD)
    altered = replace(SOUND[5], actor="eve")
    found = inspect([SOUND[4], altered, *SOUND[6:]], begin, HEAD)
    assert (told(found), found.sound.seq) == (["entry 6 was altered"], 5)


CHANGES: list[dict[str, object]] = [
    {"run": RunId("other")},
    {"at": 2.5},
    {"actor": "drew"},
    {"kind": "Other"},
    {"version": 2},
    {"body": {"n": 3}},
    {"epoch": 2},
    {"hash": "0" * 64},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("place", [1, 3, 9])
def test_whatever_is_altered_is_named(change: dict[str, object], place: int) -> None:
    entries = chain()
    entries[place - 1] = replace(entries[place - 1], **change)  # type: ignore[arg-type] # one of many
    found = inspect(entries, BORN, HEAD)
    assert (told(found), found.sound.seq) == ([f"entry {place} was altered"], place - 1)


def test_what_is_no_entry_any_more_was_altered() -> None:
    found = inspect([*SOUND[:2], TornEntry(3, SOUND[2].hash), *SOUND[3:]], BORN, HEAD)
    assert told(found) == ["entry 3 was altered"]


def test_of_several_in_a_row_all_are_named() -> None:
    forged = [replace(each, actor="eve") for each in SOUND[2:5]]
    found = inspect([*SOUND[:2], *forged, *SOUND[5:]], BORN, HEAD)
    assert told(found) == ["entries 3 to 5 were altered: one of them, or more"]


def test_where_entries_are_missing_it_is_said_what_cannot_be_told() -> None:
    found = inspect([*SOUND[:2], *SOUND[4:]], BORN, HEAD)
    doubt = "nobody can tell whether entry 5 is what was written"
    assert told(found) == [f"entries 3 to 4 are missing, so {doubt}"]


def test_an_entry_that_was_put_in_is_told_from_one_that_was_altered() -> None:
    found = inspect(numbered([*SOUND[:3], SOUND[6], *SOUND[3:]]), BORN)
    assert told(found) == ["entry 4 was added", "entries 5 to 10 were moved"]


def test_two_entries_that_changed_places_were_moved() -> None:
    swapped = numbered([*SOUND[:3], SOUND[4], SOUND[3], *SOUND[5:]])
    assert told(inspect(swapped, BORN, HEAD)) == ["entries 4 to 5 were moved"]


def test_a_cut_tail_is_found_by_the_head() -> None:
    found = inspect(SOUND[:6], BORN, HEAD)
    assert told(found) == ["entries 7 to 9 are missing: the end was cut"]


def test_what_was_added_behind_the_head_is_found_and_is_not_sound() -> None:
    head = Head(6, SOUND[5].hash)
    found = inspect(SOUND, BORN, head)
    assert told(found) == ["entries 7 to 9 were added behind the recorded end"]
    assert found.sound == head


def test_another_end_than_the_recorded_one_is_found() -> None:
    found = inspect(SOUND, BORN, Head(9, "0" * 64))
    assert told(found) == ["entry 9 is not the one that the recorded end names"]


def test_an_epoch_never_goes_back() -> None:
    entries = chain(2, epoch=2)
    last = Head(2, entries[-1].hash)
    (stale,) = seal(RUN, 1, last, [Draft(3.0, "controller", "Noted", 1, {})])
    found = inspect([*entries, stale], BORN)
    assert told(found) == ["entry 3 was written by a controller that had been replaced"]


def test_everything_that_is_wrong_is_named_not_only_the_first() -> None:
    altered = replace(SOUND[1], actor="eve")
    swapped = [replace(SOUND[5], seq=5), replace(SOUND[4], seq=6)]
    found = inspect([SOUND[0], altered, SOUND[2], *swapped, SOUND[6]], BORN, HEAD)
    doubt = "nobody can tell whether entry 5 is what was written"
    assert told(found)[0] == "entry 2 was altered"
    assert f"entry 4 is missing, so {doubt}" in told(found)
    assert told(found)[-1] == "entries 8 to 9 are missing: the end was cut"


def _altered(entries: Chain, place: int, other: int) -> Chain:
    return [
        replace(each, body={"n": other, "by": "eve"}) if at == place else each
        for at, each in enumerate(entries)
    ]


def _deleted(entries: Chain, place: int, _: int) -> Chain:
    return [*entries[:place], *entries[place + 1 :]]


def _cut(entries: Chain, place: int, _: int) -> Chain:
    return entries[:place]


def _added(entries: Chain, place: int, other: int) -> Chain:
    return numbered([*entries[:place], entries[other % len(entries)], *entries[place:]])


def _moved(entries: Chain, place: int, other: int) -> Chain:
    left = [*entries[:place], *entries[place + 1 :]]
    at = other % len(entries)
    return numbered([*left[:at], entries[place], *left[at:]])


Act = Callable[[Chain, int, int], Chain]
acts = st.sampled_from([_altered, _deleted, _cut, _added, _moved])


@given(st.lists(st.tuples(acts, st.integers(0, 40), st.integers(0, 40)), max_size=4))
@pytest.mark.faults(103, 117)
def test_whatever_is_done_to_a_chain_is_found_and_what_is_sound_was_written(
    done: list[tuple[Act, int, int]],
) -> None:
    original = chain(30)
    head = Head(30, original[-1].hash)
    entries = original
    for act, place, other in done:
        if entries:
            entries = act(entries, place % len(entries), other)
    found = inspect(entries, BORN, head)
    same = sum(1 for _ in _while_same(entries, original))
    assert bool(found.flaws) == (entries != original)
    assert found.sound.seq == same


def _while_same(entries: Chain, original: Chain) -> Sequence[Entry]:
    found = []
    for one, other in zip(entries, original, strict=False):
        if one != other:
            break
        found.append(one)
    return found


class Counting(dict[str, object]):
    """A body that counts how often it is hashed."""

    times = 0

    def items(self) -> ItemsView[str, object]:  # type: ignore[override] # that type has no name
        Counting.times += 1
        return super().items()


def hashed(entries: Chain) -> int:
    """How many hashes it takes to look at these entries."""
    Counting.times = 0
    inspect([replace(each, body=Counting(each.body)) for each in entries], BORN)
    return Counting.times


def test_the_cost_is_bounded_where_nothing_fits() -> None:
    original = chain(200)
    assert hashed(original) == 200
    assert hashed(numbered(original[::-1])) <= 200 * (5 + REACH)
    assert hashed([replace(each, actor="eve", hash="") for each in original]) <= 200 * 5

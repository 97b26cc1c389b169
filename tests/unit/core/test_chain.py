"""The chain finds what was altered, taken out, put in or cut."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.chain import Flaw, Head, canonical, first_flaw, genesis, link
from drrun.core.ids import RunId
from drrun.engine.ports import Draft, Entry
from drrun.engine.sealing import seal

RUN = RunId("run")
BORN = genesis({"run": RUN}, [("runbook", "a.yaml", "00")])

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(), values, max_size=4)


def chain(count: int = 5, epoch: int = 1) -> list[Entry]:
    drafts = [Draft(float(n), "controller", "Noted", 1, {"n": n}) for n in range(count)]
    return seal(RUN, epoch, BORN, drafts)


def head(entries: list[Entry]) -> Head:
    return Head(entries[-1].seq, entries[-1].hash)


def test_the_one_spelling_has_sorted_keys_no_spaces_and_only_ascii() -> None:
    assert canonical({"b": [1, 2.0], "a": "ü"}) == '{"a":"\\u00fc","b":[1,2.0]}'


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_none_has_no_spelling(value: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical({"a": value})


@given(bodies)
def test_a_value_that_was_read_back_has_the_same_spelling(body: dict[str, object]) -> None:
    assert canonical(json.loads(canonical(body))) == canonical(body)


def test_a_sound_chain_has_no_flaw() -> None:
    entries = chain()
    assert first_flaw(entries, BORN, head(entries)) is None


def test_an_empty_chain_ends_with_its_genesis() -> None:
    assert first_flaw([], BORN, BORN) is None


def test_the_genesis_depends_on_facts_and_documents() -> None:
    born = [
        genesis({"run": "a"}, []),
        genesis({"run": "b"}, []),
        genesis({"run": "a"}, [("runbook", "x", "00")]),
        genesis({"run": "a"}, [("runbook", "x", "01")]),
    ]
    assert len(set(born)) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"run": RunId("other")},
        {"at": 2.5},
        {"actor": "drew"},
        {"kind": "Other"},
        {"version": 2},
        {"body": {"n": 3}},
        {"epoch": 2},
        {"hash": "0" * 64},
    ],
    ids=str,
)
def test_whatever_is_altered_is_found(change: dict[str, object]) -> None:
    entries = chain()
    altered = dataclasses.replace(entries[2], **change)  # type: ignore[arg-type] # one of many
    found = first_flaw([*entries[:2], altered, *entries[3:]], BORN, head(entries))
    assert found == Flaw(3, "was altered")


def test_a_missing_entry_is_named() -> None:
    entries = chain()
    found = first_flaw([*entries[:2], *entries[3:]], BORN, head(entries))
    assert str(found) == "entry 3 is missing"


def test_an_entry_that_was_put_in_is_found() -> None:
    entries = chain()
    assert first_flaw([*entries[:3], entries[2], *entries[3:]], BORN) == Flaw(4, "is missing")


def test_a_cut_tail_is_found_by_the_head() -> None:
    entries = chain()
    found = first_flaw(entries[:3], BORN, head(entries))
    assert str(found) == "entry 4 is missing: the end was cut, up to entry 5"


def test_what_was_added_behind_the_head_is_found() -> None:
    entries = chain()
    found = first_flaw(entries, BORN, head(entries[:3]))
    assert str(found) == "entry 4 was added behind the recorded end"


def test_another_end_than_the_recorded_one_is_found() -> None:
    found = first_flaw(chain(), BORN, Head(5, "0" * 64))
    assert str(found) == "entry 5 is not the one that the recorded end names"


def test_an_epoch_never_goes_back() -> None:
    entries = chain(2, epoch=2)
    (stale,) = seal(RUN, 1, head(entries), [Draft(3.0, "controller", "Noted", 1, {})])
    found = first_flaw([*entries, stale], BORN)
    assert str(found) == "entry 3 was written by a controller that had been replaced"


def test_a_link_depends_on_the_one_before() -> None:
    (entry,) = chain(1)
    assert link("a", entry) != link("b", entry)

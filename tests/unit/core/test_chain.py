"""The chain finds what was altered, taken out, put in or cut."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.integrity.chain import Head, canonical, genesis, link
from drrun.core.model.ids import RunId
from drrun.engine.sealing import seal
from drrun.ports.journal import Draft, Entry

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


def test_the_genesis_depends_on_facts_and_documents() -> None:
    born = [
        genesis({"run": "a"}, []),
        genesis({"run": "b"}, []),
        genesis({"run": "a"}, [("runbook", "x", "00")]),
        genesis({"run": "a"}, [("runbook", "x", "01")]),
    ]
    assert len(set(born)) == 4


def test_a_link_depends_on_the_one_before() -> None:
    (entry,) = chain(1)
    assert link("a", entry) != link("b", entry)

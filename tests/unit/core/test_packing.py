"""What is packed comes back as it was, and nothing else can be made of a packed text."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.model.packing import NotPacked, pack, unpack
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Mode
from drrun.core.model.status import Status
from drrun.core.model.values import Duration, Share, Size
from drrun.core.state.run_state import RunState, fold
from tests.unit.core.test_engine_properties import graphs, world_of

words = st.text(max_size=5)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | words
    | st.sampled_from([*Status, *Mode])
    | st.floats(0, 1e6).map(Duration)
    | st.integers(0, 2**50).map(Size)
    | st.builds(Share, st.integers(0, 9), st.booleans())
    | st.builds(TargetKey, words.map(StepId), words.map(TargetName)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(words, inner, max_size=4)
        | st.sets(words, max_size=4)
        | st.frozensets(words, max_size=4)
        | st.dictionaries(words, st.integers(1, 9), max_size=4).map(Counter)
    ),
    max_leaves=20,
)


def typed(value: Any) -> Any:
    """A value with the types of everything in it, so that 1, 1.0 and true differ."""
    if isinstance(value, dict):
        return type(value), [(typed(name), typed(each)) for name, each in value.items()]
    if isinstance(value, set | frozenset):
        return type(value), sorted(map(repr, value))
    if isinstance(value, list | tuple):
        return type(value), [typed(each) for each in value]
    return type(value), repr(value)


@given(values)
def test_what_is_packed_comes_back_with_all_its_types(value: Any) -> None:
    assert typed(unpack(pack(value))) == typed(value)


@pytest.mark.slow
@given(plan=graphs(), seed=st.integers(0, 10**6), cut=st.integers(0, 60))
def test_a_state_goes_on_as_if_it_had_never_been_packed(plan: Plan, seed: int, cut: int) -> None:
    world = world_of(plan, seed, max_parallel=3)
    world.drive()
    state: RunState = unpack(pack(fold(plan, world.journal[:cut])))
    for at, event in world.journal[cut:]:
        state.apply(event, at)
    for each in (state, world.state):
        each.stirred.clear()  # what somebody is to look at is not known, but remembered
    assert vars(state) == vars(world.state)
    assert repr(state.plan) == repr(plan)


def test_one_object_that_many_refer_to_is_one_object_again() -> None:
    share = Share(3)
    first, second = unpack(pack([share, share]))
    assert first is second


def test_lists_that_are_two_stay_two() -> None:
    first, second = unpack(pack([[], []]))
    first.append(1)
    assert second == []


@pytest.mark.parametrize("value", [print, object(), Exception("x"), json.JSONDecoder(), b"raw"])
def test_what_is_no_value_of_the_core_is_refused(value: object) -> None:
    with pytest.raises(NotPacked, match="not a value of the core"):
        pack([value])


@pytest.mark.parametrize(
    "name",
    [
        "subprocess:Popen",
        "os:system",
        "drrun.core.model.packing:json",
        "drrun.core.model.packing:unpack",
        "drrun.ssh.dial:Dialler",
        "drrun.core.nowhere:Thing",
        "drrun.core.model.errors:InputError",
    ],
)
def test_no_other_name_is_looked_up(name: str) -> None:
    text = json.dumps({"things": [[name, 1, {}]], "value": {"things": [0, [0]]}})
    with pytest.raises(NotPacked):
        unpack(text)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"things":[]}', '{"things":3,"value":[1]}'])
def test_a_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(NotPacked):
        unpack(text)

"""Inputs are typed and checked, all at once, before anything starts."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.errors import InputError
from drrun.core.model.values import Duration, Size
from drrun.files.runbook.inputs import bind_inputs, parse_assignments, read_inputs_file
from tests.unit.files.examples import runbook_of

RUNBOOK = runbook_of("""
inputs:
  to: {choices: [ams, fre], default: ams}
  count: {type: int, default: 1}
  ratio: {type: float, default: 0.5}
  really: {type: bool, default: false}
  lag: {type: duration, default: 5m}
  room: {type: size, default: 20GiB}
  hosts: {type: list, default: [a, b]}
  level: {type: choice, choices: [low, high], default: low}
steps: {a: {run: x}}
""")


def test_defaults_have_their_type() -> None:
    assert bind_inputs(RUNBOOK, {}) == {
        "to": "ams", "count": 1, "ratio": 0.5, "really": False, "lag": Duration(300),
        "room": Size(20 * 2**30), "hosts": ["a", "b"], "level": "low",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("to", "fre", "fre"),
        ("count", "3", 3),
        ("count", 3, 3),
        ("ratio", "1e-3", 0.001),
        ("really", "true", True),
        ("lag", "1h30m", Duration(5400)),
        ("room", "1GB", Size(10**9)),
        ("hosts", "a, b,c", ["a", "b", "c"]),
        ("hosts", ["x"], ["x"]),
        ("level", "high", "high"),
    ],
)
def test_values_are_read_by_their_type(name: str, given: Any, value: Any) -> None:
    assert bind_inputs(RUNBOOK, {name: given})[name] == value


def test_a_duration_prints_as_it_was_written() -> None:
    assert str(bind_inputs(RUNBOOK, {"lag": "5m"})["lag"]) == "5m"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("tto", "x", "unknown input 'tto'; did you mean 'to'?"),
        ("to", "phl", "must be one of ams, fre, not 'phl'"),
        ("to", ["x"], "must be text, not a list"),
        ("to", "a\0", "NUL"),
        ("count", "x", "must be a whole number, not 'x'"),
        ("count", "1.5", "must be a whole number"),
        ("count", True, "must be a whole number"),
        ("count", "9" * 5000, "must be a whole number"),
        ("ratio", "nan", "must be a number"),
        ("ratio", "inf", "must be a number"),
        ("really", "yes", "must be true or false, not 'yes'"),
        ("really", [], "must be true or false, not a list"),
        ("lag", "5", "'5' is not a duration"),
        ("lag", 5, "must be a duration like 5m"),
        ("room", "big", "'big' is not a size"),
        ("hosts", {"a": 1}, "must be a list, not a mapping"),
    ],
)
def test_a_wrong_value_is_refused(name: str, given: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        bind_inputs(RUNBOOK, {name: given})
    assert message in str(caught.value)


def test_all_mistakes_are_named_at_once() -> None:
    runbook = runbook_of("inputs: {a: {description: the site}, b: {type: int}}\n"
                         "steps: {a: {run: x}}\n")  # fmt: skip
    with pytest.raises(InputError) as caught:
        bind_inputs(runbook, {"b": "x", "c": "y"})
    assert len(caught.value.findings) == 3
    assert "input 'a' (the site) is missing: give it with -e a=VALUE" in str(caught.value)


def test_assignments_are_split_at_the_first_equals_sign() -> None:
    assert parse_assignments(["a=b=c", "d="]) == {"a": "b=c", "d": ""}


@pytest.mark.parametrize("words", [["a"], ["=x"], ["a=1", "a=2"]])
def test_a_word_that_is_no_assignment_is_refused(words: list[str]) -> None:
    with pytest.raises(InputError):
        parse_assignments(words)


def test_a_file_of_inputs_keeps_its_types() -> None:
    assert read_inputs_file("a: 1\nb: [x]\nc: 0755\n", "f") == {"a": 1, "b": ["x"], "c": "0755"}


@pytest.mark.parametrize("text", ["", "- a", "a: [", "a: 1\na: 2"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_inputs_file(text, "f")


@pytest.mark.parametrize("ascii_only", [True, False])
@given(
    value=st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp")), max_size=8
    )
)
def test_a_file_that_json_wrote_is_read_as_it_was_meant(value: str, ascii_only: bool) -> None:
    written = json.dumps(
        {"a": value, "b": ["\U0001f680", "\\ud83d\\ude80"]}, ensure_ascii=ascii_only
    )
    found = read_inputs_file(written.encode(), "f")
    assert found == {"a": value, "b": ["\U0001f680", "\\ud83d\\ude80"]}


def test_half_a_character_is_refused_also_in_json() -> None:
    with pytest.raises(InputError):
        read_inputs_file(r'{"a": "\ud83d", "b": "\ud83d\ude80"}', "f")


def test_what_is_text_in_yaml_stays_text() -> None:
    assert read_inputs_file(r"a: '\ud83d\ude80'", "f") == {"a": r"\ud83d\ude80"}

"""Conditions do not lie: refused before the run, or equal to what a reader expects."""

from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drrun.core.model.errors import InputError
from drrun.core.model.runbook import Capture
from drrun.core.model.values import Duration, Size
from drrun.core.rules.capturing import capture_all
from drrun.files.runbook.piped_probes import passes_on
from drrun.files.templates.templating import Templates
from drrun.files.validation import validate

RUNBOOK = """
drrun: 1
name: conditions
inputs:
  limit: {{type: duration, default: 5m}}
  most: {{type: size, default: 1GiB}}
  dry: {{type: bool, default: false}}
  version: {{type: string, default: '3'}}
  site: {{type: choice, choices: [ams, fre], default: ams}}
steps:
  p:
    run: look
    capture: {{v: {{regex: '(.+)'{type}}}}}
    verify: {{run: look}}
  which: {{decision: Which?, options: {{first: {{}}, second: {{}}}}}}
  asks: {{manual: How many?, input: {{count: int, name: text}}}}
  wide: {{run: look, on: '*', capture: {{v: {{regex: '(.+)'}}}}, verify: {{run: look}}}}
  then: {{run: act, needs: [p, which, asks, wide], when: {when}, verify: {{run: look}}}}
"""
INPUTS = {
    "limit": Duration(300), "most": Size(2**30), "dry": False, "version": "3", "site": "ams"
}  # fmt: skip


def wrong(when: str, type_: str = "") -> list[str]:
    """What validation says of a condition; `steps.p.v` is of that type."""
    written = RUNBOOK.format(when=repr(when) if "'" not in when else f'"{when}"',
                             type=f", as: {type_}" if type_ else "")  # fmt: skip
    return [each.message for each in validate(written, "r.yml").findings
            if each.code == "comparison"]  # fmt: skip


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("steps.p.v == '3'", "write 3 without quotes, or capture it with 'as: text'"),
        ("steps.p.v != '007'", "write 007 without quotes"),
        ("steps.p.v in ['3', 'x']", "write 3 without quotes"),
        ("steps.p.v > '9'", "say it in its capture, with 'as'"),
        ("steps.p.v < inputs.version", "say it in its capture"),
        ("inputs.limit > 'soon'", "is a duration, and 'soon' is none"),
        ("inputs.limit > inputs.most", "the other is a size"),
        ("inputs.dry == 'false'", "without quotes"),
        ("inputs.dry > 0", "nothing is more or less"),
        ("inputs.site == 'asm'", "is never 'asm'; did you mean 'ams'?"),
        ("'asm' == inputs.site", "is never 'asm'"),
        ("inputs.version > 3", "is a number, and the other is a text"),
        ("steps.which.option == 'frist'", "did you mean 'first'?"),
        ("steps.p.state in ['passd']", "did you mean 'passed'?"),
        ("steps.asks.count == '3'", "write 3 without quotes"),
        ("steps.asks.count == inputs.site", "and never one of ams, fre"),
        ("run.mode == 'lvie'", "did you mean 'live'?"),
        ("1 < steps.p.v < 'x'", "say it in its capture"),
    ],
)
def test_what_can_never_hold_or_has_no_order_is_refused(when: str, said: str) -> None:
    found = wrong(when)
    assert any(said in each for each in found), found


@pytest.mark.parametrize(
    ("when", "type_"),
    [
        ("steps.p.v == 3", ""),
        ("steps.p.v > 9", ""),
        ("steps.p.v == 'up'", ""),
        ("steps.p.v == inputs.version", ""),
        ("steps.p.v == '3'", "text"),
        ("steps.p.v >= '2024-01-11'", "text"),
        ("steps.p.v < '10m'", "duration"),
        ("steps.p.v < inputs.limit * 2", "duration"),
        ("steps.p.v > '20GiB'", "size"),
        ("inputs.limit >= 300", ""),
        ("steps.p.v | int > 3", "text"),
        ("vars.anything == '3'", ""),
        ("steps.which.option == 'first' and not inputs.dry", ""),
    ],
)
def test_what_says_what_it_means_is_allowed(when: str, type_: str) -> None:
    assert wrong(when, type_) == []


def evaluate(when: str, value: object) -> bool | str:
    """What a condition comes to in a run; the reason, where it fails the step."""
    names = {"inputs": INPUTS, "steps": {"p": {"v": value}}}
    try:
        return Templates().condition(when, names)
    except InputError as error:
        return str(error)


TYPES = ("", "int", "float", "duration", "size", "text")
OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
#: As written in a condition, and the number or text that a reader takes it for.
WRITTEN: dict[str, float | str] = {
    "3": 3.0, "10": 10.0, "-0.5": -0.5, "'3'": "3", "'010'": "010", "'up'": "up",
    "'5m'": "5m", "'1GiB'": "1GiB", "inputs.limit": 300.0, "inputs.version": "3",
}  # fmt: skip
UNITS = {"5m": 300.0, "1GiB": float(2**30), "90s": 90.0, "2KiB": 2048.0}
PRINTED = st.one_of(
    st.sampled_from(("3", "010", "10", "9", "-1", "2.50", "up", "5m", "1GiB", "90s", "2KiB", "")),
    st.integers(-(10**6), 10**6).map(str),
    st.from_regex(r"0{0,3}[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True),
    st.text("abz019.- ", min_size=1, max_size=5).map(str.strip).filter(bool),
)


def as_read(text: str) -> float | None:
    """The number that a reader takes a text for."""
    if text in UNITS:
        return UNITS[text]
    try:
        return float(text)
    except ValueError:
        return None


def expected(printed: str, type_: str, operator: str, other: float | str) -> bool | None:
    """The reference; None: there is no answer, and the step has to fail."""
    one: float | str = printed
    if type_ != "text":
        number = as_read(printed)
        # Without a type a number with leading zeros is a name, until it meets a number.
        name = type_ == "" and isinstance(other, str)
        one = printed if number is None or (name and not _plain(printed)) else number
    if isinstance(one, str) != isinstance(other, str):
        read = as_read(one) if isinstance(one, str) else as_read(str(other))
        if read is None:
            return {"==": False, "!=": True}.get(operator)
        one, other = (read, other) if isinstance(one, str) else (one, read)
    return bool(eval(f"one {operator} other", {"one": one, "other": other}))


def _plain(text: str) -> bool:
    """Whether writing the number down again gives the same text, or nearly."""
    whole = text.removeprefix("-").partition(".")[0]
    return text.replace("-", "").replace(".", "").isdigit() and (
        whole == "0" or not whole.startswith("0")
    )


@settings(max_examples=600)
@given(printed=PRINTED, type_=st.sampled_from(TYPES), operator=st.sampled_from(OPERATORS),
       other=st.sampled_from(sorted(WRITTEN)))  # fmt: skip
@example(printed="3", type_="", operator="==", other="'3'")
@example(printed="010", type_="", operator=">", other="3")
@example(printed="up", type_="", operator=">", other="3")
def test_a_condition_is_refused_before_the_run_or_equal_to_the_reference(
    printed: str, type_: str, operator: str, other: str
) -> None:
    when = f"steps.p.v {operator} {other}"
    if wrong(when, type_):
        return
    values, fault = capture_all([Capture("v", regex="(.*)", type=type_)], {"stdout": printed})
    if fault:
        assert type_ not in ("", "text")
        return
    wanted = expected(printed, type_, operator, WRITTEN[other])
    came = evaluate(when, values["v"])
    if wanted is None:
        assert "is not a number" in str(came)
    else:
        assert came is wanted, (when, values)


def test_every_type_and_operator_has_a_condition_that_is_allowed() -> None:
    for type_, operator in product(TYPES, OPERATORS):
        other = "'up'" if type_ == "text" else "10"
        assert wrong(f"steps.p.v {operator} {other}", type_) == []


def test_a_value_of_each_target_is_no_single_value() -> None:
    names = {"steps": {"wide": {"v": {"web1": 3, "web2": 3}}}}
    with pytest.raises(InputError, match="a value for each target"):
        Templates().condition("steps.wide.v == 3", names)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("curl -s http://x | tr -d ' '", "tr"),
        ("true; curl x | sed s/a/b/ | head -1", "head"),
        ("curl {{ inputs.a | lower }} | cat", "cat"),
        ("curl x | grep -q up", ""),
        ("curl x | jq -e .up", ""),
        ("curl x | jq .up", "jq"),
        ("curl x || cat log", ""),
        ("curl x | tr a b | test -s /dev/stdin", ""),
        ("test $(curl x | wc -l) = 3", ""),
        ('test "$(curl x | wc -l)" = 3', ""),
        ("grep -q '|' file", ""),
        ("curl x | awk '{ exit $1 != 3 }'", ""),
        ("curl x | tr a b\ntest -e /ok", ""),
    ],
)
def test_a_probe_that_a_pipe_makes_hold_is_found(text: str, last: str) -> None:
    assert passes_on(text) == last


def test_a_piped_probe_is_a_warning_with_the_way_out_unless_it_expects_something() -> None:
    text = "drrun: 1\nname: r\nsteps: {a: {run: act, verify: {run: 'curl x | tr a b'%s}}}"
    [found] = [each for each in validate(text % "", "r.yml").findings
               if each.code == "piped-probe"]  # fmt: skip
    assert "end with 'grep -q'" in found.message
    assert [
        each.code for each in validate(text % ", expect: {equals: up}", "r.yml").findings
    ] == []

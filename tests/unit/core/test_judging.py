"""What a probe saw, judged by what its author expects: three answers, never two."""

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drrun.core.model.probes import Expect, Verdict
from drrun.core.rules.judging import Observed, judge, shown

HOLDS, NOT, DOUBT = Verdict.HOLDS, Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL


@pytest.mark.parametrize(
    ("expect", "seen", "verdict", "why"),
    [
        (Expect(exit=(0,)), Observed(exit=0), HOLDS, ""),
        (Expect(exit=(0, 2)), Observed(exit=1), NOT, "expected exit 0 or 2, saw 1"),
        (Expect(exit=(0,)), Observed(exit=None), NOT, "expected exit 0, saw None"),
        (Expect(status=(200, 204)), Observed(status=204), HOLDS, ""),
        (Expect(status=(200,)), Observed(status=503), NOT, "expected status 200, saw 503"),
        (Expect(equals="t"), Observed("t\n"), HOLDS, ""),
        (Expect(equals="t"), Observed("f"), NOT, "expected equals 't', saw 'f'"),
        (Expect(matches="^lag=0$"), Observed("a\nlag=0\nb"), HOLDS, ""),
        (Expect(matches="^lag=0$"), Observed("lag=07"), NOT, "expected matches '^lag=0$', saw"),
        (Expect(contains="ok"), Observed("all ok"), HOLDS, ""),
        (Expect(contains="ok"), Observed("bad"), NOT, "expected contains 'ok', saw 'bad'"),
        (Expect(absent="error"), Observed("fine"), HOLDS, ""),
        (Expect(absent="error"), Observed("error 3"), NOT, "expected absent 'error'"),
        (Expect(absent=True), Observed(present=False), HOLDS, ""),
        (Expect(absent=True), Observed("/tmp/x"), NOT, "expected nothing, saw /tmp/x"),
        (Expect(absent=True), Observed(), NOT, "expected nothing, saw it"),
        (Expect(equals=""), Observed(present=False), NOT, "expected something, there is nothing"),
        (Expect(), Observed(present=False), HOLDS, ""),
        (Expect(lt="5m"), Observed("299s"), HOLDS, ""),
        (Expect(lt="5m"), Observed("300"), NOT, "expected lt 5m, saw 300"),
        (Expect(le="5m"), Observed("300"), HOLDS, ""),
        (Expect(gt="1GiB"), Observed("2GiB"), HOLDS, ""),
        (Expect(ge="10%"), Observed("9.9%"), NOT, "expected ge 10%, saw 9.9%"),
        (Expect(gt="1", lt="3"), Observed("4"), NOT, "expected lt 3, saw 4"),
        (Expect(lt="5m"), Observed("soon"), DOUBT, "which is not a quantity"),
        (Expect(lt="soon"), Observed("5"), DOUBT, "the limit lt 'soon' is not a quantity"),
        (Expect(json="a.b", equals="x"), Observed('{"a": {"b": "x"}}'), HOLDS, ""),
        (Expect(json="n", gt="3"), Observed('{"n": 4}'), HOLDS, ""),
        (Expect(json="a.c"), Observed('{"a": {}}'), NOT, "expected a.c in the answer"),
        (Expect(json="a"), Observed("<html>"), DOUBT, "expected JSON, saw <html>"),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_what_is_expected(
    expect: Expect, seen: Observed, verdict: Verdict, why: str
) -> None:
    found, told = judge(expect, seen)
    assert (found, why in told, bool(told)) == (verdict, True, verdict is not HOLDS)


@given(
    st.sampled_from(["lt", "le", "gt", "ge"]),
    st.floats(-1e9, 1e9).map(repr),
    st.floats(-1e9, 1e9).map(repr),
)
def test_a_number_is_on_one_side_of_a_limit_or_on_the_other(
    name: str, limit: str, value: str
) -> None:
    other = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}[name]
    limits = [replace(Expect(), **{each: limit}) for each in (name, other)]  # type: ignore[arg-type] # one of four
    both = {judge(expect, Observed(value))[0] for expect in limits}
    assert both == {HOLDS, NOT}


@given(st.text(), st.text())
def test_what_contains_a_text_does_not_lack_it(text: str, part: str) -> None:
    assume(part and not text.endswith(("\r", "\n")) and not part.endswith(("\r", "\n")))
    contains = judge(Expect(contains=part), Observed(text))[0]
    absent = judge(Expect(absent=part), Observed(text))[0]
    assert {contains, absent} == {HOLDS, NOT}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_a_value_inside_json_equals_itself(value: object) -> None:
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    assert judge(Expect(json="v", equals=written), Observed(json.dumps({"v": value})))[0] is HOLDS


@given(st.text())
def test_a_value_is_shown_on_one_line_and_cannot_move_the_cursor(text: str) -> None:
    line = shown(text)
    assert line.isprintable()
    assert len(line) <= 200


def test_a_long_value_is_shown_up_to_where_it_was_cut() -> None:
    assert shown("x" * 300) == "x" * 199 + "…"


def test_line_breaks_and_tabs_stay_readable() -> None:
    assert shown("a\nb\tc\x1b[0m") == "a⏎b c\\x1b[0m"

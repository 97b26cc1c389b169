"""The one door to the journal: whatever an event says, no secret passes."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

import drrun
from drrun.core import events as ev
from drrun.core.integrity.masking import Mask
from drrun.core.integrity.spellings import SPELLINGS
from drrun.core.model.execution import Execution
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.probes import Expect, ProbeKind
from drrun.core.model.values import Duration
from drrun.core.rules.judging import Observed, judge
from drrun.engine.naming import LateSecrets
from drrun.engine.redaction import NAMES, masked
from drrun.ports.places import AttemptOrder, Question, Script

SECRET = "cor'rect \"horse\\ ü/+"


def member(hint: Any, text: str) -> Any:
    """A value for a member of an event, with `text` wherever a text may stand."""
    name = str(hint)
    if hint is str or hint is Any or "str |" in name:
        return text
    if "Mapping" in name:
        return {text: text, "list": [text]} if "Any" in name else {text: text}
    if "tuple" in name:
        return (text, text)
    return {bool: True, int: 3, float: 1.5}.get(hint, None if type(None) in get_args(hint) else 2)


@pytest.mark.parametrize("kind", ev.KINDS)
def test_no_event_keeps_a_secret_in_any_member_that_somebody_said(kind: str) -> None:
    made, mask = ev.KINDS[kind], Mask([SECRET])
    hints = get_type_hints(made)
    for name, spelling in SPELLINGS.items():
        spelled = next(iter(spelling(SECRET)))
        text = spelled.decode("utf-8", "replace") if isinstance(spelled, bytes) else spelled
        said = {
            each.name: member(hints[each.name], "plain" if each.name in NAMES else f"a {text} b")
            for each in fields(made)
        }
        event = masked(ev.event_of(kind, said), mask)
        assert text not in texts_of(ev.body_of(event)), name
        assert type(event) is made
        assert all(getattr(event, each) == said[each] for each in NAMES & said.keys())


def texts_of(body: Mapping[str, Any]) -> str:
    """All texts of a body, as they are."""

    def texts(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, Mapping):
            return [each for pair in value.items() for part in pair for each in texts(part)]
        if isinstance(value, list | tuple):
            return [each for part in value for each in texts(part)]
        return []

    return "\0".join(texts(body))


@given(st.sampled_from(["restore", "main-db1", "holds", "verify"]))
def test_a_secret_that_reads_like_a_name_does_not_change_what_an_event_is_about(
    word: str,
) -> None:
    event = ev.ProbeSeen(
        step=word,
        target=word,
        attempt=1,
        purpose=word,
        index=0,
        name=word,
        question=word,
        where=word,
        expected=word,
        verdict=word,
        value=word,
    )
    kept = masked(event, Mask([word]))
    assert isinstance(kept, ev.ProbeSeen)
    assert (kept.step, kept.target, kept.purpose, kept.verdict) == (word,) * 4
    assert kept.value == "***"


def test_an_event_without_a_secret_is_the_very_same() -> None:
    event = ev.Noted(by="drew", text="all is well")
    assert masked(event, Mask([SECRET])) is event


#: Members that hold what a secret may have been rendered into.
_RENDERED = {"arguments", "env", "stdin", "ask", "expect", "former"}
_CARRIERS = ("drrun.ports", "drrun.cases.start", "drrun.core.model.execution")


def test_nothing_that_is_ready_to_be_sent_shows_what_it_carries() -> None:
    execution = Execution(env={"PW": SECRET}, stdin=SECRET)
    question = Question(
        ProbeKind.HTTP, {"url": SECRET}, Expect(equals=SECRET), Duration(1), None, execution
    )
    order = AttemptOrder(
        run=RunId("r"), step=StepId("s"), target=TargetName("t"), attempt=1, epoch=1, host=None,
        action="run", arguments={"text": SECRET}, execution=execution, names={"a": SECRET},
        questions=(question,), checks={0: question}, mask=Mask([SECRET]),
    )  # fmt: skip
    for shown in (repr(order), repr(question), repr(Script(SECRET, execution, b"x"))):
        assert "horse" not in shown


def test_every_class_that_carries_what_was_rendered_hides_it_from_its_repr() -> None:
    found = []
    for module in walk_packages(drrun.__path__, "drrun."):
        if module.name.startswith((*_CARRIERS, "drrun.hands", "drrun.ssh")):
            for each in vars(import_module(module.name)).values():
                if is_dataclass(each) and getattr(each, "__module__", "") == module.name:
                    found += [(module.name, field) for field in fields(each)]
    carried = [(module, field) for module, field in found if field.name in _RENDERED]
    assert len(carried) >= 6
    assert [(module, field.name) for module, field in carried if field.repr] == []


class Sources:
    """Finds any secret."""

    def resolve(self, name: str) -> str:
        return f"value of {name}"


def test_a_mask_is_made_once_for_what_is_known() -> None:
    secrets = LateSecrets({"one": None, "two": None}, Sources(), [("one", "a former value")])
    secrets.resolve_all()
    mask = secrets.mask
    assert secrets["one"]
    assert secrets.mask is mask
    assert mask.text("value of one, value of two, a former value") == "***, ***, ***"


def test_a_value_that_is_cut_for_people_is_masked_before_it_is_cut() -> None:
    seen = Observed("x" * 190 + SECRET)
    _, why = judge(Expect(equals="never"), seen, Mask([SECRET]))
    assert "cor'" not in why
    assert "***" in why

from typing import Any

import pytest

from drrun.core.model.ids import StepId, TargetName
from drrun.ports.journal import RequestAnswer
from drrun.report.run_view import WaitingGate
from drrun.term.answer_prompt import AnswerPrompt
from drrun.term.dialogue import Dialogue, GivenAnswer
from drrun.term.feed import AnswerResult, Feed
from drrun.term.keys import LineEditor


def ask(step: str = "fence", kind: str = "manual", **keys: Any) -> WaitingGate:
    return WaitingGate(
        StepId(step), TargetName("local"), kind, "do it", 0.0, "commander", (), **keys
    )


def said(asked: WaitingGate, *lines: str) -> GivenAnswer | None:
    dialogue = Dialogue(asked)
    reply = None
    for line in lines:
        reply = dialogue.take(line)
    return reply


def kind_of(reply: GivenAnswer | None) -> str:
    return reply.kind if reply else ""


# --- what a line means --------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["c", "confirm", "Y", " yes "])
def test_a_manual_step_is_confirmed(line: str) -> None:
    assert kind_of(said(ask(), line)) == "confirm"


def test_a_rejection_asks_for_the_reason() -> None:
    reply = said(ask(), "r", "it burns")
    assert (kind_of(reply), reply and reply.body["reason"]) == ("reject", "it burns")


def test_an_empty_line_answers_nothing() -> None:
    assert said(ask(), "") is None


def test_what_is_not_understood_is_asked_again() -> None:
    dialogue = Dialogue(ask())
    assert dialogue.take("perhaps") is None
    assert dialogue.trouble == "'perhaps' is no answer to this"


@pytest.mark.parametrize("line", ["y", "yes", "c", "confirm", "fenc", "FENCE"])
def test_a_point_of_no_return_wants_the_name_of_the_step(line: str) -> None:
    assert said(ask(kind="irreversible"), line) is None


def test_a_point_of_no_return_is_passed_by_the_name_of_the_step() -> None:
    assert kind_of(said(ask(kind="irreversible"), "fence")) == "confirm"


def test_typed_answers_are_asked_one_by_one() -> None:
    reply = said(ask(input={"serial": "int", "ok": "bool"}), "c", "77", "yes")
    assert reply is not None
    assert reply.body["input"] == {"serial": "77", "ok": "yes"}


def test_a_wrong_typed_answer_is_asked_again() -> None:
    dialogue = Dialogue(ask(input={"serial": "int"}))
    dialogue.take("c")
    assert dialogue.take("seven") is None
    assert dialogue.prompt == "serial (int): "


def test_evidence_is_wanted_where_the_author_wants_it() -> None:
    reply = said(ask(evidence=True), "c", "", "saw it dark")
    assert reply is not None
    assert reply.body["evidence"] == "saw it dark"


@pytest.mark.parametrize(("line", "kind"), [("d", "confirm"), ("a", "retry")])
def test_an_unknown_outcome_is_settled_or_tried_again(line: str, kind: str) -> None:
    assert kind_of(said(ask(kind="unknown"), line)) == kind


# --- the desk -----------------------------------------------------------------------------------


def answered(feed: Feed) -> AnswerResult:
    found = feed.take(5)[0]
    assert isinstance(found, AnswerResult)
    return found


def test_the_oldest_question_is_asked_first() -> None:
    desk = AnswerPrompt(Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one"), ask("two")])
    assert desk.prompt.startswith("one")


def test_an_empty_line_moves_on_to_the_next_question() -> None:
    desk = AnswerPrompt(Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one"), ask("two")])
    desk.take(b"\n")
    assert desk.prompt.startswith("two")


def test_a_question_that_was_answered_elsewhere_disappears() -> None:
    desk = AnswerPrompt(Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one")])
    desk.see([])
    assert not desk.prompt


def test_an_answer_is_posted_and_a_refusal_is_told() -> None:
    feed, posted = Feed(), []

    def post(reply: GivenAnswer) -> RequestAnswer:
        posted.append(reply.kind)
        return RequestAnswer(accepted=False, message="simon was quicker")

    desk = AnswerPrompt(feed, post)
    desk.see([ask("one")])
    desk.take(b"c\n")
    desk.answered(answered(feed).answer)
    assert (posted, desk.notice) == (["confirm"], "refused: simon was quicker")


# --- the line that is typed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"yes\n", "yes"),
        (b"yex\x7fs\r", "yes"),
        (b"no\x15yes\n", "yes"),
        (b"a \x1b[A\x1b[31mb\n", "a b"),
        (b"\x1b[200~pasted\x1b[201~\n", "pasted"),
        ("für\n".encode(), "für"),
        (b"one two\x17\n", "one"),
    ],
)
def test_a_line_can_be_edited(keys: bytes, line: str) -> None:
    assert LineEditor().feed(keys) == [line]


def test_a_character_may_come_in_pieces() -> None:
    editor = LineEditor()
    editor.feed("ü".encode()[:1])
    assert editor.feed("ü".encode()[1:] + b"\n") == ["ü"]

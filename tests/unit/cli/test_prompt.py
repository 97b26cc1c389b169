from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.ids import StepId, TargetName
from drrun.ports.journal import RequestAnswer
from drrun.report.run_view import WaitingGate
from drrun.term.answer_prompt import AnswerPrompt
from drrun.term.dialogue import Dialogue, GivenAnswer
from drrun.term.failure_dialogue import FailedStep, FailureDialogue
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
    assert dialogue.trouble == "'perhaps' is not an answer here"


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


_HOW = {"failover": "promote db2", "wait": "", "new": ""}


@pytest.mark.parametrize("word", ["f", "n", "no", "failed", "w", "fail", "F", "y"])
def test_the_start_of_an_option_neither_decides_nor_refuses(word: str) -> None:
    dialogue = Dialogue(ask("how", "decision", options=_HOW))
    asked = dialogue.prompt
    assert dialogue.take(word) is None
    assert (dialogue.trouble, dialogue.prompt) == (f"{word!r} is not an answer here", asked)


def test_an_empty_reason_takes_a_refusal_back() -> None:
    dialogue = Dialogue(ask("how", "decision", options=_HOW))
    asked = dialogue.prompt
    dialogue.take("r")
    assert dialogue.take("  ") is None
    assert (dialogue.trouble, dialogue.prompt) == ("nothing is rejected", asked)
    assert kind_of(dialogue.take("wait")) == "decide"


_ASKS = (
    ask(),
    ask("rack", "manual", input={"serial": "int"}, evidence=True),
    ask("how", "decision", options=_HOW),
    ask("go", "approval"),
    ask("go", "approval", typed="go live"),
    ask("drop", "irreversible"),
    ask("load", "late"),
    ask("load", "ask"),
    ask("load", "unknown"),
)
_REFUSALS = {"late": {"n", "no"}, "ask": {"n", "no"}, "unknown": {"f", "failed"}}
_LINES = st.one_of(
    st.sampled_from(["a", "c", "d", "f", "n", "r", "w", "y", "yes", "no", "done", "failed"]),
    st.sampled_from(["again", "approve", "confirm", "refuse", "reject", "retry"]),
    st.sampled_from(["", " ", "failover", "wait", "go live", "go", "drop", "77", "it burns"]),
    st.text(max_size=5),
)


def spells(asked: WaitingGate, reply: GivenAnswer, lines: list[str]) -> bool:
    """Whether the lines, of which the last one made the answer whole, have its words."""
    last = lines[-1]
    match reply.kind:
        case "reject":
            refusals = _REFUSALS.get(asked.kind, {"r", "refuse", "reject"})
            return lines[-2].lower() in refusals and reply.body["reason"] == last != ""
        case "decide":
            return reply.body["option"] == last and last in asked.options
        case "approve" if asked.typed:
            return last == asked.typed
        case "approve":
            return last.lower() in ("a", "approve", "y", "yes")
        case "retry":
            return asked.kind == "unknown" and last.lower() in ("a", "again")
        case "confirm" if asked.kind == "irreversible":
            return last == asked.step
        case "confirm" if asked.input:
            return bool(reply.body["evidence"]) and reply.body["input"]["serial"] in lines
        case "confirm":
            words = {"manual": "c confirm y yes", "unknown": "d done"}
            return last.lower() in words.get(asked.kind, "y yes").split()
        case _:
            return False


@given(st.sampled_from(_ASKS), st.lists(_LINES, max_size=8))
def test_no_line_answers_anything_but_what_it_spells(asked: WaitingGate, lines: list[str]) -> None:
    dialogue = Dialogue(asked)
    for number, line in enumerate(lines, 1):
        reply = dialogue.take(line)
        if reply is not None:
            assert spells(asked, reply, [each.strip() for each in lines[:number]])
            return


# --- what failed --------------------------------------------------------------------------------

_TYPED = st.sampled_from(["r", "s", "m", "e", "b", "p", "q", "yes", "no", "", "because", "skip"])


def failed_step(**keys: Any) -> FailedStep:
    return FailedStep(StepId("start"), "no space", 1.0, (StepId("fetch"),), **keys)


@given(st.lists(_TYPED, max_size=8))
def test_nothing_is_overridden_without_a_reason_nor_undone_without_a_yes(lines: list[str]) -> None:
    dialogue = FailureDialogue(failed_step())
    for before, line in zip(["", *lines], lines, strict=False):
        asked = dialogue.prompt
        reply = dialogue.take(line)
        if isinstance(reply, GivenAnswer) and reply.kind in ("skip", "mark-done"):
            assert reply.body["reason"] == line != ""
            assert "start" in asked
        if isinstance(reply, GivenAnswer) and reply.kind == "rollback":
            assert (before, line, reply.body) == ("b", "yes", {})
        if reply is not None:
            return


def test_whoever_is_to_say_yes_to_a_rollback_reads_what_stays() -> None:
    names = tuple(StepId(f"a-long-name-of-a-step-{each}") for each in range(18))
    dialogue = FailureDialogue(FailedStep(StepId("start"), "", 1.0, names, names))
    dialogue.take("b")
    assert dialogue.prompt.startswith("undo 18 steps (")
    assert "; 18 stay (" in dialogue.prompt
    assert len(dialogue.prompt) < 80


@pytest.mark.parametrize("word", ["x", "retry it", "R2"])
def test_what_is_no_choice_is_refused_with_the_choices(word: str) -> None:
    dialogue = FailureDialogue(failed_step())
    assert dialogue.take(word) is None
    assert "type one of" in dialogue.trouble


def test_what_waits_for_an_answer_is_asked_before_what_failed() -> None:
    desk = AnswerPrompt("drew", Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one"), failed_step()])
    assert desk.prompt.startswith("one")
    desk.take(b"\n")
    assert desk.prompt.startswith("start: (r)etry")


def test_what_is_known_of_a_failure_changes_while_it_is_asked_about() -> None:
    desk = AnswerPrompt("drew", Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([failed_step()])
    assert "(p)ause" in desk.prompt
    desk.see([failed_step(paused=True)])
    assert "(p) go on" in desk.prompt


def test_a_refusal_goes_with_the_question_that_it_was_about() -> None:
    desk = AnswerPrompt("drew", Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one")])
    desk.answered(RequestAnswer(accepted=False, message="one is for commander"))
    assert desk.notice == "refused: one is for commander"
    desk.see([ask("two")])
    assert not desk.notice


# --- the desk -----------------------------------------------------------------------------------


def answered(feed: Feed) -> AnswerResult:
    found = feed.take(5)[0]
    assert isinstance(found, AnswerResult)
    return found


def test_the_oldest_question_is_asked_first() -> None:
    desk = AnswerPrompt("drew", Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one"), ask("two")])
    assert desk.prompt.startswith("one")


def test_an_empty_line_moves_on_to_the_next_question() -> None:
    desk = AnswerPrompt("drew", Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one"), ask("two")])
    desk.take(b"\n")
    assert desk.prompt.startswith("two")


def test_a_person_is_told_how_many_more_questions_an_empty_line_leads_to() -> None:
    desk = AnswerPrompt("drew", Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one"), failed_step()])
    assert desk.others_wait == 1
    desk.take(b"r\n")
    assert desk.others_wait == 0  # here an empty line goes back


def test_a_question_that_was_answered_elsewhere_disappears() -> None:
    desk = AnswerPrompt("drew", Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("one")])
    desk.see([])
    assert not desk.prompt


def test_an_answer_is_posted_and_a_refusal_is_told() -> None:
    feed, posted = Feed(), []

    def post(reply: GivenAnswer) -> RequestAnswer:
        posted.append(reply.kind)
        return RequestAnswer(accepted=False, message="simon was quicker")

    desk = AnswerPrompt("drew", feed, post)
    desk.see([ask("one")])
    desk.take(b"c\n")
    desk.answered(answered(feed).answer)
    assert (posted, desk.notice) == (["confirm"], "refused: simon was quicker")


def test_an_empty_reason_goes_back_though_another_question_waits() -> None:
    desk = AnswerPrompt("drew", Feed(), lambda _: RequestAnswer(accepted=True, message=""))
    desk.see([ask("how", "decision", options=_HOW), ask("two")])
    asked = desk.prompt
    desk.take(b"r\n\n")
    assert (desk.prompt, desk.notice) == (asked, "nothing is rejected")
    assert not desk.typed


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

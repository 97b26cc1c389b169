"""Where a person at the terminal answers: one question at a time, the oldest first.

Rules:
- Answers go the way of every other terminal, through the run's inbox; what became of them comes
  back through the feed.
- A question that was answered elsewhere disappears here.
- An empty line moves on to the next question; where a reason is wanted, it goes back.
- What failed is asked about after all that wait for an answer.
- Nobody is offered what others have to answer; whom to call, and what they type, is shown.
"""

import threading
from collections.abc import Callable, Sequence
from typing import assert_never

from drrun.core.model.errors import DrrunError
from drrun.ports.journal import RequestAnswer
from drrun.report.run_view import WaitingGate
from drrun.report.text.attention import asks_me
from drrun.term.dialogue import Dialogue, GivenAnswer
from drrun.term.failure_dialogue import (
    Choice,
    FailedStep,
    FailureDialogue,
    PauseDialogue,
    PausedRun,
)
from drrun.term.feed import AnswerResult, EditWanted, Feed, Quit
from drrun.term.keys import LineEditor

#: Posts a reply and waits for what becomes of it.
Post = Callable[[GivenAnswer], RequestAnswer]

#: What a person can say something about, and how that is done.
Question = WaitingGate | FailedStep | PausedRun
Conversation = Dialogue | FailureDialogue | PauseDialogue


def _name(question: Question) -> tuple[str, str, float]:
    """What tells a question from all others."""
    return question.key, question.kind, question.since


def _dialogue(question: Question) -> Conversation:
    match question:
        case FailedStep():
            return FailureDialogue(question)
        case PausedRun():
            return PauseDialogue(question)
        case WaitingGate():
            return Dialogue(question)
        case _:
            assert_never(question)


def _tell_anew(dialogue: Conversation, question: Question) -> None:
    """What is known of a question changes while it is open; what was typed stays."""
    match dialogue, question:
        case (FailureDialogue(), FailedStep()) | (Dialogue(), WaitingGate()):
            dialogue.ask = question
        case _:
            pass


class AnswerPrompt:
    """The person's side of the prompt."""

    def __init__(self, by: str, feed: Feed, post: Post) -> None:
        """Ask nothing yet.

        Args:
            by: Who sits here.
            feed: Where what became of an answer goes.
            post: Posts an answer.
        """
        self._by = by
        self._feed = feed
        self._post = post
        self._editor = LineEditor()
        self._dialogue: Conversation | None = None
        self._asks: list[Question] = []
        self._sending = False
        #: What to tell the person about the last line; "" if nothing.
        self.notice = ""
        self._refused = False
        #: Questions that others have to answer.
        self.others: list[WaitingGate] = []

    @property
    def ask(self) -> Question | None:
        """The question that is open here."""
        return self._dialogue.ask if self._dialogue else None

    @property
    def prompt(self) -> str:
        """The prompt; "" if nothing is asked."""
        if self._dialogue is None:
            return ""
        return "sending…" if self._sending else self._dialogue.prompt

    @property
    def others_wait(self) -> int:
        """How many other questions an empty line leads to; 0 where it leads elsewhere."""
        if self._dialogue is None or self._sending or self._dialogue.wants_reason:
            return 0
        return max(0, len(self._asks) - 1)

    @property
    def typed(self) -> str:
        """What stands behind the prompt."""
        return "" if self._sending else self._editor.text

    def see(self, asks: Sequence[Question]) -> None:
        """Take note of what is being asked now, the most urgent first."""
        gates = [ask for ask in asks if isinstance(ask, WaitingGate)]
        self.others = [ask for ask in gates if not asks_me(ask, self._by)]
        self._asks = [ask for ask in asks if ask not in self.others]
        open_now = {_name(ask): ask for ask in self._asks}
        if self._dialogue is not None:
            same = open_now.get(_name(self._dialogue.ask))
            if same is not None:
                _tell_anew(self._dialogue, same)
                return
            if self._refused:  # what was refused is asked no more
                self.notice, self._refused = "", False
            self._dialogue, self._sending = None, False
        if self._asks:
            self._dialogue = _dialogue(self._asks[0])

    def take(self, keys: bytes) -> None:
        """Take what was typed."""
        for line in self._editor.feed(keys):
            self._take_line(line)

    def answered(self, answer: RequestAnswer) -> None:
        """Take what became of the last reply."""
        self._sending = False
        self.notice = answer.message if answer.accepted else f"refused: {answer.message}"
        self._refused = not answer.accepted
        if self._dialogue is not None and (
            self._refused or not isinstance(self._dialogue, Dialogue)
        ):
            self._dialogue = _dialogue(self._dialogue.ask)

    def _take_line(self, line: str) -> None:
        if self._dialogue is None or self._sending:
            return
        self.notice = ""
        moves_on = not line.strip() and not self._dialogue.wants_reason
        if moves_on and len(self._asks) > 1:
            names, name = [_name(ask) for ask in self._asks], _name(self._dialogue.ask)
            here = names.index(name) if name in names else -1
            self._dialogue = _dialogue(self._asks[(here + 1) % len(self._asks)])
            return
        reply = self._dialogue.take(line)
        self.notice = self._dialogue.trouble
        if reply is Choice.EDIT and isinstance(self.ask, FailedStep):
            self._feed.put(EditWanted(self.ask.step))
        elif isinstance(reply, Choice):
            self._feed.put(Quit())
        elif reply is not None:
            self._send(reply)

    def _send(self, reply: GivenAnswer) -> None:
        self._sending = True

        def send() -> None:
            try:
                answer = self._post(reply)
            except DrrunError as error:
                answer = RequestAnswer(accepted=False, message=str(error))
            self._feed.put(AnswerResult(answer))

        threading.Thread(target=send, daemon=True).start()

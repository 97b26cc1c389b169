"""Where a person at the terminal answers: one question at a time, the oldest first.

Rules:
- Answers go the way of every other terminal, through the run's inbox; what became of them comes
  back through the feed.
- A question that was answered elsewhere disappears here.
- An empty line moves on to the next question.
"""

import threading
from collections.abc import Callable, Sequence

from drrun.core.model.errors import DrrunError
from drrun.ports.journal import RequestAnswer
from drrun.report.run_view import WaitingGate
from drrun.term.dialogue import Dialogue, GivenAnswer
from drrun.term.feed import AnswerResult, Feed
from drrun.term.keys import LineEditor

#: Posts a reply and waits for what becomes of it.
Post = Callable[[GivenAnswer], RequestAnswer]


class AnswerPrompt:
    """The person's side of the prompt."""

    def __init__(self, feed: Feed, post: Post) -> None:
        self._feed = feed
        self._post = post
        self._editor = LineEditor()
        self._dialogue: Dialogue | None = None
        self._asks: list[WaitingGate] = []
        self._sending = False
        #: What to tell the person about the last line; "" if nothing.
        self.notice = ""

    @property
    def ask(self) -> WaitingGate | None:
        """The question that is open here."""
        return self._dialogue.ask if self._dialogue else None

    @property
    def prompt(self) -> str:
        """The prompt; "" if nothing is asked."""
        if self._dialogue is None:
            return ""
        return "sending…" if self._sending else self._dialogue.prompt

    @property
    def typed(self) -> str:
        """What stands behind the prompt."""
        return "" if self._sending else self._editor.text

    def see(self, asks: Sequence[WaitingGate]) -> None:
        """Take note of what is being asked now."""
        self._asks = list(asks)
        open_now = {(ask.key, ask.kind, ask.since) for ask in asks}
        if self._dialogue is not None:
            ask = self._dialogue.ask
            if (ask.key, ask.kind, ask.since) in open_now:
                return
            self._dialogue, self._sending = None, False
        if self._asks:
            self._dialogue = Dialogue(self._asks[0])

    def take(self, keys: bytes) -> None:
        """Take what was typed."""
        for line in self._editor.feed(keys):
            self._take_line(line)

    def answered(self, answer: RequestAnswer) -> None:
        """Take what became of the last reply."""
        self._sending = False
        self.notice = answer.message if answer.accepted else f"refused: {answer.message}"
        if not answer.accepted and self._dialogue is not None:
            self._dialogue = Dialogue(self._dialogue.ask)

    def _take_line(self, line: str) -> None:
        if self._dialogue is None or self._sending:
            return
        self.notice = ""
        if not line.strip() and len(self._asks) > 1:
            keys = [ask.key for ask in self._asks]
            here = keys.index(self._dialogue.ask.key) if self._dialogue.ask.key in keys else -1
            self._dialogue = Dialogue(self._asks[(here + 1) % len(self._asks)])
            return
        reply = self._dialogue.take(line)
        self.notice = self._dialogue.trouble
        if reply is not None:
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

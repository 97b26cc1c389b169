"""A question at the prompt: what is asked, what a typed line means, when the answer is whole.

Rules:
- A point of no return wants the step's name typed, not a letter (as clig.dev asks).
- What cannot be understood is asked again, with the reason; nothing is guessed.
- The prompt consists of our own words only, never of text from elsewhere (rule T6).
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.people.answers import as_type
from drrun.report.run_view import WaitingGate

_YES = frozenset({"c", "confirm", "y", "yes", "done", "d"})
_NO = frozenset({"r", "reject", "n", "no", "f", "failed"})
_PROMPTS = {
    "approval": "(a)pprove, (r)efuse: ",
    "late": "(y)es, let it continue, (n)o, end it: ",
    "unknown": "(d)one, (f)ailed, (a)gain? ",
    "ask": "does it hold? (y)es, (n)o: ",
}
_APPROVE = frozenset({"a", "approve", "y", "yes"})
_AGAIN = frozenset({"a", "again", "retry"})


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer, as `drrun.cases.send_request` takes it."""

    kind: str
    body: Mapping[str, Any]


@dataclass(slots=True)
class Dialogue:
    """One question and what was typed so far."""

    ask: WaitingGate
    #: What was wrong with the last line; "" if nothing.
    trouble: str = ""
    _kind: str = ""
    _given: dict[str, str] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """What stands before the line that is being typed."""
        missing = self._missing()
        if self._kind == "reject":
            return f"why do you reject {self.ask.key}? "
        if self._kind and missing:
            return f"{missing} ({self.ask.input[missing]}): "
        if self._kind:
            return "evidence (a note of what shows that it is done): "
        return self._question()

    def _question(self) -> str:
        key = self.ask.key
        match self.ask.kind:
            case "irreversible":
                return f"type {self.ask.step} to go on, r to refuse: "
            case "approval" if self.ask.typed:
                return f"{key}: type {self.ask.typed!r} to approve, r to refuse: "
            case "decision":
                return f"{key}: {', '.join(self.ask.options)}, or r to refuse: "
            case kind:
                return f"{key}: {_PROMPTS.get(kind, '(c)onfirm, (r)eject: ')}"

    def take(self, line: str) -> GivenAnswer | None:
        """Take one line; the reply, once it is whole."""
        line, self.trouble = line.strip(), ""
        if self._kind == "reject":
            return self._reply("reject", reason=line)
        if self._kind:
            return self._take_answer(line)
        if self.ask.kind in ("approval", "decision"):
            return self._take_word(line)
        return self._take_choice(line.lower() if self.ask.kind != "irreversible" else line)

    def _take_word(self, word: str) -> GivenAnswer | None:
        """An approval or a decision: the very word that is wanted, or a refusal."""
        if self.ask.kind == "decision" and word in self.ask.options:
            return self._reply("decide", option=word)
        approves = word == self.ask.typed if self.ask.typed else word.lower() in _APPROVE
        if self.ask.kind == "approval" and word and approves:
            return self._reply("approve", typed=word)
        if word.lower() in _NO:
            self._kind = "reject"
        elif word:
            self.trouble = f"{word!r} is not an answer here"
        return None

    def _take_choice(self, word: str) -> GivenAnswer | None:
        unknown = self.ask.kind == "unknown"
        if self.ask.kind == "irreversible" and word == self.ask.step:
            return self._confirmed()
        if self.ask.kind != "irreversible" and word in _YES:
            return self._confirmed()
        if word in _NO:
            self._kind = "reject"
        elif unknown and word in _AGAIN:
            return self._reply("retry")
        elif word:
            self.trouble = f"{word!r} is not an answer here"
        return None

    def _confirmed(self) -> GivenAnswer | None:
        self._kind = "confirm"
        if self.ask.input or self.ask.evidence:
            return None
        return self._reply("confirm")

    def _take_answer(self, line: str) -> GivenAnswer | None:
        missing = self._missing()
        if missing is None:
            if not line:
                self.trouble = "this step needs evidence"
                return None
            return self._reply("confirm", input=self._given, evidence=line)
        try:
            as_type(line, self.ask.input[missing])
        except ValueError as error:
            self.trouble = f"{missing}: {error}"
            return None
        self._given[missing] = line
        if self._missing() is None and not self.ask.evidence:
            return self._reply("confirm", input=self._given)
        return None

    def _missing(self) -> str | None:
        return next((name for name in self.ask.input if name not in self._given), None)

    def _reply(self, kind: str, **body: Any) -> GivenAnswer:
        return GivenAnswer(kind, {"step": self.ask.step, "target": self.ask.target, **body})

"""A question at the prompt: what is asked, what a typed line means, when the answer is whole.

Rules:
- A point of no return wants the step's name typed, not a letter (as clig.dev asks).
- What cannot be understood is asked again, with the reason; nothing is guessed.
- A refusal wants a reason; an empty line takes it back.
- The prompt consists of our own words only, never of text from elsewhere (rule T6).
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.people.answers import as_type
from drrun.report.run_view import WaitingGate

_PROMPTS = {
    "approval": "(a)pprove, (r)efuse: ",
    "late": "(y)es, let it continue, (n)o, end it: ",
    "unknown": "(d)one, (f)ailed, (a)gain? ",
    "ask": "does it hold? (y)es, (n)o: ",
}
_REFUSED = {"r": "reject", "refuse": "reject", "reject": "reject"}
_YES = {"y": "confirm", "yes": "confirm"}
_YES_OR_NO = {**_YES, "n": "reject", "no": "reject"}
#: What the words of a question mean. A word that its prompt does not spell means nothing: the
#: first letter of an option must never refuse a decision.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "manual": {"c": "confirm", "confirm": "confirm", **_YES, **_REFUSED},
    "approval": {
        "a": "approve",
        "approve": "approve",
        "y": "approve",
        "yes": "approve",
        **_REFUSED,
    },
    "decision": _REFUSED,
    "irreversible": _REFUSED,
    "late": _YES_OR_NO,
    "ask": _YES_OR_NO,
    "unknown": {
        "d": "confirm",
        "done": "confirm",
        "f": "reject",
        "failed": "reject",
        "a": "retry",
        "again": "retry",
    },
}


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
    def wants_reason(self) -> bool:
        """Whether an empty line goes back to the question, not on to the next one."""
        return self._kind == "reject"

    @property
    def prompt(self) -> str:
        """What stands before the line that is being typed."""
        missing = self._missing()
        if self._kind == "reject":
            return f"why do you reject {self.ask.key}? (empty: back) "
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
            return self._take_reason(line)
        if self._kind:
            return self._take_answer(line)
        match self._meaning(line):
            case "reject":
                self._kind = "reject"
            case "confirm":
                return self._confirmed()
            case "approve":
                return self._reply("approve", typed=line)
            case "decide":
                return self._reply("decide", option=line)
            case "retry":
                return self._reply("retry")
            case _:
                self.trouble = f"{line!r} is not an answer here" if line else ""
        return None

    def _meaning(self, word: str) -> str:
        """What a word answers; "" for nothing."""
        kind = self.ask.kind
        if kind == "decision" and word in self.ask.options:
            return "decide"
        if kind == "irreversible" and word == self.ask.step:
            return "confirm"
        if kind == "approval" and self.ask.typed and word == self.ask.typed:
            return "approve"
        meaning = _WORDS[kind].get(word.lower(), "")
        return "" if meaning == "approve" and self.ask.typed else meaning

    def _take_reason(self, reason: str) -> GivenAnswer | None:
        if reason:
            return self._reply("reject", reason=reason)
        self._kind, self.trouble = "", "nothing is rejected"
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

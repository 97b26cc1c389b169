"""What a key asks for before it becomes a request: a reason, an option, typed answers."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.status import Status
from drrun.core.people.commands import WANT_REASON
from drrun.report.run_view import WaitingGate

#: Keys that act, and the request that each makes.
ACTS: Mapping[str, str] = {
    "c": "confirm",
    "a": "approve",
    "d": "decide",
    "x": "reject",
    "r": "retry",
    "s": "skip",
    "m": "mark-done",
    "C": "claim",
    "w": "note",
}
_WORDS: Mapping[str, str] = {"m": "mark done", "w": "note"}
_ANSWERS = frozenset({"confirm", "approve", "decide", "reject"})
_FAILED = frozenset({Status.FAILED, Status.CANCELLED, Status.REGRESSED})
_SETTLED = frozenset({Status.PASSED, Status.SKIPPED, Status.ROLLED_BACK})
_BUSY = frozenset({Status.RUNNING, Status.VERIFYING})


def _fitting(ask: WaitingGate) -> tuple[str, ...]:
    """Requests that answer a question."""
    match ask.kind:
        case "approval":
            return ("approve", "reject")
        case "decision":
            return ("decide", "reject")
        case "unknown":
            return ("confirm", "reject", "retry")
        case _:
            return ("confirm", "reject")


def keys_now(status: Status, ask: WaitingGate | None) -> list[str]:
    """Keys that would do something to a step now, as they are shown: `r retry`.

    Args:
        status: How the step stands.
        ask: What it asks the person at the screen, if anything.
    """
    kinds = _fitting(ask) if ask is not None else ()
    found = "".join(key for key, kind in ACTS.items() if kind in kinds)
    if status in _FAILED:
        found += "r"
    if status not in _SETTLED | _BUSY:
        found += "sm"
    return [f"{key} {_WORDS.get(key, ACTS[key])}" for key in found]


@dataclass(slots=True)
class Form:
    """One request while it is filled in at the prompt."""

    kind: str
    step: str
    #: Fields that are still to be filled in: name -> prompt.
    missing: dict[str, str]
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """What stands before the line that is being typed; "" once all is there."""
        return next(iter(self.missing.values()), "")

    def take(self, line: str) -> str:
        """Take one line; what is wrong with it, "" if nothing."""
        name = next(iter(self.missing))
        if not line.strip() and name != "reason":
            return "type something; Esc cancels"
        if not line.strip() and self.kind in WANT_REASON:
            return f"{self.kind} overrides the plan: say why; Esc cancels"
        if not line.strip() and self.kind == "reject":
            return "a rejection stops what waits for it: say why; Esc cancels"
        del self.missing[name]
        if name.startswith("input:"):
            self.given.setdefault("input", {})[name.removeprefix("input:")] = line.strip()
        else:
            self.given[name] = line.strip()
        return ""

    @property
    def body(self) -> dict[str, Any]:
        """The request, once nothing is missing."""
        return {"step": self.step, **self.given}


def form(kind: str, step: str, ask: WaitingGate | None) -> Form | str:
    """The form for a key on a step; why there is none, in words.

    Args:
        kind: The request.
        step: The selected step.
        ask: What the step asks now, if anything.
    """
    if kind in _ANSWERS and ask is None:
        return f"{step} does not ask for an answer"
    if kind in _ANSWERS and ask is not None and kind not in _fitting(ask):
        keys = [f"{key} {word}" for key, word in ACTS.items() if word in _fitting(ask)]
        return f"{step} asks for another answer: {', '.join(keys)}"
    missing: dict[str, str] = {}
    match kind:
        case "approve" if ask is not None and ask.typed:
            missing["typed"] = f"type {ask.typed!r} to approve {step}: "
        case "decide" if ask is not None:
            missing["option"] = f"{step}: {', '.join(ask.options)}: "
        case "confirm" if ask is not None:
            for name, of in ask.input.items():
                missing[f"input:{name}"] = f"{name} ({of}): "
            if ask.evidence:
                missing["evidence"] = "what shows that it is done: "
        case "note":
            missing["text"] = f"note about {step}: "
        case _:
            pass
    if kind not in ("note", "claim"):
        missing["reason"] = f"{kind} {step}, why? "
    return Form(kind, step, missing)

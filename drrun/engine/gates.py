"""What a person is asked, in full: text, who may answer, until when, and what was known.

Rules:
- Everything is rendered when the gate opens and recorded with it, so that the record shows what
  the person saw.
- A text that cannot be rendered is shown as written, with the reason; a gate is never skipped.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from drrun.core import events as ev
from drrun.core.model.actions import Action, DecisionAction, ManualAction, RunAction, UsesAction
from drrun.core.model.errors import InputError, NotReady
from drrun.core.model.ids import TargetKey
from drrun.core.model.runbook import Step
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.core.rules import wishes as w
from drrun.core.rules.probe_lists import asked_of
from drrun.core.rules.roles import role_of
from drrun.core.rules.undoing import undo_of
from drrun.core.state.run_state import RunState
from drrun.engine.orders import Orders


def gate(state: RunState, orders: Orders, wish: w.OpenGate, now: float) -> ev.GateOpened:
    """The question that a wish wants asked."""
    step = state.plan.steps[wish.key.step].step
    asked = _Asked(state, orders, wish, step, now)
    return ev.GateOpened(
        step=wish.key.step,
        target=wish.key.target,
        gate=wish.kind,
        text=asked.text(),
        purpose=wish.purpose or "",
        index=wish.index,
        **asked.more(),
    )


def action_of(state: RunState, key: TargetKey) -> Action:
    """What a target does now: the step's action, its undo, or its form after a loss."""
    step, target = state.plan.steps[key.step].step, state.targets[key]
    undo = undo_of(state, key.step)
    return undo.action if target.undoing and undo is not None else step.action


class _Asked:
    """One question while it is put together."""

    def __init__(
        self, state: RunState, orders: Orders, wish: w.OpenGate, step: Step, now: float
    ) -> None:
        self.state = state
        self.orders = orders
        self.wish = wish
        self.step = step
        self.now = now
        self.action = action_of(state, wish.key)

    def text(self) -> str:
        """What is asked, in words."""
        label, key = self.step.label, self.wish.key
        match self.wish.kind:
            case "irreversible":
                return f"{label}: there is no way back from here. Confirm to continue."
            case "unknown":
                return (
                    f"The outcome of {key} is not known: {self.state.targets[key].note}. "
                    "Look, then confirm (it is done), reject (it failed) or retry (do it again)."
                )
            case "late":
                return (
                    f"{label} has taken longer than {self.step.timeout}. Confirm to let it "
                    "continue, reject "
                    "to end it."
                )
            case "approval":
                message = str((self.step.approval or {}).get("message", ""))
                return self._filled_in(message) if message else f"May {label} begin?"
            case _:
                return self._filled_in(self._written())

    def _written(self) -> str:
        if self.wish.purpose is not None:
            return asked_of(self.state, self.wish.key, self.wish.purpose)[self.wish.index].question
        match self.action:
            case ManualAction(text=text):
                return text
            case DecisionAction(question=question):
                return question or self.step.label
            case RunAction() | UsesAction():
                return self.step.label
            case _:
                assert_never(self.action)

    def _filled_in(self, template: str) -> str:
        try:
            return self.orders.text(self.wish.key, template)
        except (InputError, NotReady) as error:
            return f"{template}\n(not filled in: {error})"

    def more(self) -> dict[str, Any]:
        """Who may answer, how, and until when."""
        match self.wish.kind, self.action:
            case "approval", _:
                return self._approval(self.step.approval or {})
            case "decision", DecisionAction() as action:
                return self._decision(action)
            case "manual", ManualAction() as action:
                return {
                    "input": dict(action.input),
                    "evidence": action.evidence,
                    "role": self.step.owner,
                    "contact": action.contact,
                    "remind_every": _seconds(action.remind_after),
                    "escalate_after": _seconds(action.escalate_after),
                }
            case _:
                return {"role": self.step.owner}

    def _approval(self, written: Mapping[str, Any]) -> dict[str, Any]:
        typed = str(written.get("type_to_confirm", ""))
        return {
            "role": role_of(self.step, "approval"),
            "count": int(written.get("count", 1)),
            "typed": self._filled_in(typed) if typed else "",
            "remind_every": _seconds(written.get("remind_after")),
            "escalate_after": _seconds(written.get("escalate_after")),
            "signed": bool(written.get("signed", False)),
        }

    def _decision(self, action: DecisionAction) -> dict[str, Any]:
        until = _seconds(action.decide_by)
        return {
            "role": role_of(self.step, "decision"),
            "options": {
                name: self._filled_in(str(given.get("title") or given.get("description") or ""))
                for name, given in action.options.items()
            },
            "decide_at": self.now + until if until is not None else None,
            "default": action.default or "",
            "remind_every": _seconds(action.remind_after),
            "escalate_after": _seconds(action.escalate_after),
            "known": known(self.state, self.now),
        }


def known(state: RunState, now: float) -> dict[str, Any]:
    """What is known at a moment, to be kept beside a decision."""
    stand: dict[str, list[str]] = {}
    for step in state.plan.order:
        status = state.step(step)
        if status in (Status.FAILED, Status.UNKNOWN, Status.REGRESSED, Status.BLOCKED):
            stand.setdefault(str(status), []).append(step)
    passed = sum(state.step(step) is Status.PASSED for step in state.plan.order)
    values = {
        str(key): dict(target.values) for key, target in state.targets.items() if target.values
    }
    return {
        "elapsed": None if state.started_at is None else round(now - state.started_at, 3),
        "passed": passed,
        "steps": len(state.plan.order),
        "standing": stand,
        "lost": list(state.circumstances.lost),
        "values": values,
    }


def _seconds(written: object) -> float | None:
    """Seconds of a duration as it was validated; None if there is none."""
    if written is None or written == "":
        return None
    return float(written) if isinstance(written, float | int) else Duration.parse(str(written))

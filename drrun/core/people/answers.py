"""Answers to what a run asks: confirm, reject, approve, decide.

Rules:
- The same answer twice is fine and changes nothing; a different one is a conflict.
- An approval is never given by whoever drives the run or started the step (contract
  section 2), and
  each person counts once.
"""

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from drrun.core import events as ev
from drrun.core.model.ids import TargetKey
from drrun.core.model.values import Duration
from drrun.core.people.commands import AnswerCommand, Approve, Confirm, Decide, Reject
from drrun.core.people.request import Asking, Denied, Granted, keys_of
from drrun.core.rules.roles import asked_now, may, named, stuck
from drrun.core.state.event_text import PAST
from drrun.core.state.run_state import RunState
from drrun.core.state.target import Gate

#: What answers which gates; everything may be rejected.
_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "confirm": ("manual", "irreversible", "ask", "unknown", "late"),
    "approve": ("approval",),
    "decide": ("decision",),
    "reject": ("manual", "approval", "decision", "irreversible", "ask", "unknown", "late"),
}
_INSTEAD = {"approval": "drrun approve", "decision": "drrun decide"}
#: What helps where those who may approve are too few.
WAY_OUT = (
    "Let somebody else drive the run (drrun resume RUN --by NAME), or amend the step's approval "
    "(drrun amend RUN FILE --reason WHY)"
)
_TRUE, _FALSE = {"yes", "true", "y", "1"}, {"no", "false", "n", "0"}


def answer(asking: Asking, command: AnswerCommand) -> Granted | Denied:
    """What to make of an answer."""
    keys = keys_of(asking.state, command)
    if isinstance(keys, Denied):
        return keys
    gates = [(key, gate) for key in keys if (gate := asking.state.targets[key].gate) is not None]
    if not gates:
        return _answered_before(asking.state, command, keys)
    events: list[ev.Event] = []
    for key, gate in gates:
        if gate.kind not in _ANSWERS[command.KIND]:
            other = _INSTEAD.get(gate.kind, "drrun confirm")
            return Denied(f"{key} asks for another answer ({gate.kind}): {other}, or drrun reject")
        found = _one(asking, command, key, gate)
        if isinstance(found, Denied):
            return found
        events.extend(found)
    done = f"{PAST[command.KIND]} {', '.join(str(key) for key, _ in gates)}"
    if not events:
        return Granted([], f"{done}, as before")
    still = _still_missing(gates, events)
    return Granted(events, f"{done}{still}{_asked_others(asking, gates)}")


def _asked_others(asking: Asking, gates: list[tuple[TargetKey, Gate]]) -> str:
    """That somebody else was asked: it counts at 3 a.m., and the record says so."""
    state = asking.state
    for _, gate in gates:
        role = gate.asked.role
        if role and not may(state, role, asking.by):
            return f"; {named(state, role)} was asked, so the report names it as a deviation"
    return ""


def _one(
    asking: Asking, command: AnswerCommand, key: TargetKey, gate: Gate
) -> list[ev.Event] | Denied:
    """The facts that follow for one target."""
    role = gate.asked.role
    unsigned = isinstance(command, Approve) and not _signature(command, key)
    if gate.asked.signed and unsigned:
        return Denied(f"only a signed approval of {key} counts: --sign KEYFILE")
    if gate.kind in ("approval", "decision") and not may(asking.state, role, asking.by):
        return Denied(f"{key} is for {named(asking.state, role)} to answer, not for {asking.by}")
    match command:
        case Approve():
            return _approval(asking, command, key, gate)
        case Decide():
            return _decision(asking, command, key, gate)
        case Confirm():
            given = _typed(gate, command)
            if isinstance(given, Denied):
                return given
            return [_answered(asking, command, key, gate, input=given)]
        case Reject():
            if asking.by in gate.approved:
                return Denied(
                    f"{asking.by} has approved {key}, and a person has one answer. To stop it, "
                    "ask somebody else to reject it, or: drrun pause RUN"
                )
            return [_answered(asking, command, key, gate)]
        case _:
            assert_never(command)


def _answered(
    asking: Asking, command: AnswerCommand, key: TargetKey, gate: Gate, **more: Any
) -> ev.GateAnswered:
    return ev.GateAnswered(
        step=key.step,
        target=key.target,
        gate=gate.kind,
        answer=command.KIND,
        by=asking.by,
        reason=command.reason,
        purpose=gate.asked.purpose,
        index=gate.asked.index,
        signature=_signature(command, key),
        **more,
    )


def _signature(command: AnswerCommand, key: TargetKey) -> str:
    """The signature over the answer for one target; whoever asks has checked it."""
    if not isinstance(command, Approve | Decide):
        return ""
    return str(command.signatures.get(key.target, ""))


def _approval(
    asking: Asking, command: Approve, key: TargetKey, gate: Gate
) -> list[ev.Event] | Denied:
    if asking.by in gate.approved:
        return []
    if asking.by in asking.state.starters(key):
        return Denied(_barred(asking, key, gate))
    wanted = gate.asked.typed
    if wanted and command.typed != wanted:
        return Denied(f"to approve {key}, type what you approve: --type {wanted!r}")
    if len(gate.approved) + 1 >= gate.asked.count:
        return [_answered(asking, command, key, gate)]
    return [
        ev.Approved(
            step=key.step,
            target=key.target,
            by=asking.by,
            reason=command.reason,
            signature=_signature(command, key),
        )
    ]


def _barred(asking: Asking, key: TargetKey, gate: Gate) -> str:
    """Why somebody may not approve what they started, and who may."""
    by, state = asking.by, asking.state
    did = f"retried {key}"
    if by == state.circumstances.drives_now:
        did = "drives this run"
    elif by == state.written_by.get(key.step):
        did = f"changed {key.step} in this run"
    if why := stuck(state, key, gate):
        return f"{by} {did}, so {by} cannot approve {key}; {why}. {WAY_OUT}"
    others = asked_now(state, key, gate.asked.role)
    return f"{by} {did}, so {by} cannot approve {key}; somebody else must approve it: {others}"


def _still_missing(gates: list[tuple[TargetKey, Gate]], events: list[ev.Event]) -> str:
    partly = [event for event in events if isinstance(event, ev.Approved)]
    if not partly:
        return ""
    gate = next(gate for key, gate in gates if key.step == partly[0].step)
    left = gate.asked.count - len(gate.approved) - 1
    return f"; {left} more of {gate.asked.role} must" if left > 1 else "; one more person must"


def _decision(
    asking: Asking, command: Decide, key: TargetKey, gate: Gate
) -> list[ev.Event] | Denied:
    option = command.option
    if option not in gate.asked.options:
        return Denied(f"{option!r} is not an option of {key}: {', '.join(gate.asked.options)}")
    return [_answered(asking, command, key, gate, option=option)]


def _answered_before(
    state: RunState, command: AnswerCommand, keys: list[TargetKey]
) -> Granted | Denied:
    for key in keys:
        before = state.answers.get(key)
        if before is None:
            continue
        option = f" for {before.option}" if before.option else ""
        said = f"{key} was {PAST.get(before.answer, before.answer)}{option} by {before.by}"
        option_now = command.option if isinstance(command, Decide) else ""
        if before.answer == command.KIND and before.option == option_now:
            given = command.input if isinstance(command, Confirm) else {}
            if other := _given_otherwise(given, before.input):
                return Denied(f"{said} with {other}; it does not ask any more")
            return Granted([], f"{said} already")
        return Denied(f"{said}; it does not ask any more")
    step = keys[0].step
    return Denied(f"{step} does not ask for an answer: it is {state.step(step)}")


def _given_otherwise(given: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """What was answered before, where it is not what is given now."""
    differs = [name for name in given if str(before.get(name)) != str(given[name]).strip()]
    return " ".join(f"{name}={before.get(name)}" for name in differs)


def _typed(gate: Gate, command: Confirm) -> dict[str, Any] | Denied:
    wanted = gate.asked.input
    given = command.input
    unknown = sorted(set(given) - set(wanted))
    if unknown:
        return Denied(f"nobody asked for {', '.join(unknown)}; needed: {', '.join(wanted)}")
    missing = [name for name in wanted if name not in given]
    if missing:
        return Denied(
            "this step needs answers: "
            + " ".join(f"--input {name}=<{wanted[name]}>" for name in missing)
        )
    if gate.asked.evidence and not (command.evidence or command.reason):
        return Denied("this step needs evidence: --evidence FILE, or --reason with a note")
    typed = {}
    for name, text in given.items():
        try:
            typed[name] = as_type(str(text), wanted[name])
        except ValueError as error:
            return Denied(f"{name}: {error}")
    if command.evidence:
        typed["evidence"] = command.evidence
    return typed


def as_type(text: str, kind: str) -> Any:
    """A typed answer from its text.

    Raises:
        ValueError: The text is not of that type.
    """
    match kind:
        case "int":
            return _number(text, int, "whole number")
        case "float" | "number":
            return _number(text, float, "number")
        case "bool" if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        case "bool":
            raise ValueError(f"{text!r} is neither yes nor no")
        case "duration":
            return float(Duration.parse(text))
        case _:
            return text


def _number(text: str, kind: Callable[[str], float], wanted: str) -> float:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a {wanted}") from None

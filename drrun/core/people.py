"""What people ask of a run, and whether that can be done: requests become facts or a refusal.

Rules:
- Pure: any process may ask beforehand what the controller would answer.
- The same answer twice is fine and changes nothing; a different one is a conflict.
- What overrides the plan wants a reason.
- Every refusal says why, and what can be done instead.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drrun.core import events as ev
from drrun.core.ids import StepId
from drrun.core.state import Key, RunState
from drrun.core.status import Status
from drrun.core.target import Gate
from drrun.core.values import Duration


@dataclass(frozen=True, slots=True)
class Granted:
    """The request can be done; these facts are to be recorded (none: it was done before)."""

    events: Sequence[ev.Event]
    message: str


@dataclass(frozen=True, slots=True)
class Denied:
    """The request cannot be done."""

    why: str


#: Requests that override the plan and so want a reason.
WANT_REASON = frozenset({"skip", "mark-done", "abort"})


def consider(
    state: RunState, kind: str, body: Mapping[str, Any], by: str, now: float
) -> Granted | Denied:
    """What to make of a request.

    Args:
        state: The run as it is known.
        kind: The command, `confirm`, `skip`…
        body: `step`, `target`, `reason`, `input`, `evidence`, `text`, as the command gave them.
        by: Who asks.
        now: Seconds since the epoch.
    """
    reason = str(body.get("reason", ""))
    if kind in WANT_REASON and not reason:
        return Denied(f"{kind} overrides the plan: say why with --reason")
    match kind:
        case "pause" | "unpause" | "abort" | "note":
            return _of_run(state, kind, body, by)
        case "confirm" | "reject":
            return _answer(state, kind, body, by)
        case "retry":
            return _retry(state, body, by, now)
        case "skip":
            return _mark(state, body, by, "skipped")
        case "mark-done":
            return _mark(state, body, by, "passed")
        case _:
            return Denied(f"nobody knows how to {kind}")


def _of_run(state: RunState, kind: str, body: Mapping[str, Any], by: str) -> Granted | Denied:
    reason = str(body.get("reason", ""))
    if kind == "note":
        text, step = str(body.get("text", "")), str(body.get("step", ""))
        if step and step not in state.plan.steps:
            return Denied(f"there is no step {step!r}")
        return Granted([ev.Noted(by=by, text=text, step=step)], "noted")
    if state.ended is not None:
        return Denied(f"the run is {state.ended} already")
    if kind == "pause":
        if state.paused:
            return Granted([], f"paused already: {state.paused}")
        return Granted([ev.RunPaused(why=reason or f"by {by}", by=by)], "paused")
    if kind == "unpause":
        if not state.paused:
            return Granted([], "the run is not paused")
        return Granted([ev.RunUnpaused(by=by)], "going on")
    if state.aborted:
        return Granted([], f"aborted already: {state.aborted}")
    return Granted([ev.RunAborted(why=reason, by=by)], "aborted: nothing new begins")


def _select(state: RunState, body: Mapping[str, Any]) -> list[Key] | Denied:
    step, target = str(body.get("step", "")), str(body.get("target", ""))
    if not target and "@" in step:
        step, _, target = step.partition("@")
    if step not in state.plan.steps:
        return Denied(f"there is no step {step!r}; `drrun status` lists them")
    keys = [key for key in state.keys(StepId(step)) if target in ("", key.target)]
    if not keys:
        names = ", ".join(key.target for key in state.keys(StepId(step)))
        return Denied(f"step {step} has no target {target!r}, only {names}")
    return keys


def _answer(state: RunState, kind: str, body: Mapping[str, Any], by: str) -> Granted | Denied:
    keys = _select(state, body)
    if isinstance(keys, Denied):
        return keys
    asked = [(key, gate) for key in keys if (gate := state.targets[key].gate) is not None]
    if not asked:
        return _answered_before(state, kind, keys)
    events: list[ev.Event] = []
    for key, gate in asked:
        given = _typed(gate, body) if kind == "confirm" else {}
        if isinstance(given, Denied):
            return given
        events.append(
            ev.GateAnswered(
                step=key.step,
                target=key.target,
                gate=gate.kind,
                answer=kind,
                by=by,
                reason=str(body.get("reason", "")),
                input=given,
                purpose=gate.purpose,
                index=gate.index,
            )
        )
    return Granted(events, f"{kind}ed {', '.join(str(key) for key, _ in asked)}")


def _answered_before(state: RunState, kind: str, keys: list[Key]) -> Granted | Denied:
    for key in keys:
        before = state.answers.get(key)
        if before is not None and before.answer == kind:
            return Granted([], f"{key} was {kind}ed already by {before.by}")
        if before is not None:
            return Denied(
                f"{key} was {before.answer}ed by {before.by}; nothing is being asked any more"
            )
    standing = state.step(keys[0].step)
    return Denied(f"{keys[0].step} asks nobody anything: it is {standing}")


_TRUE, _FALSE = {"yes", "true", "y", "1"}, {"no", "false", "n", "0"}


def _typed(gate: Gate, body: Mapping[str, Any]) -> dict[str, Any] | Denied:
    given = dict(body.get("input") or {})
    unknown = sorted(set(given) - set(gate.input))
    if unknown:
        return Denied(f"nobody asked for {', '.join(unknown)}; wanted: {', '.join(gate.input)}")
    missing = [name for name in gate.input if name not in given]
    if missing:
        return Denied(
            "this step wants answers: "
            + " ".join(f"--input {name}=<{gate.input[name]}>" for name in missing)
        )
    if gate.evidence and not (body.get("evidence") or body.get("reason")):
        return Denied("this step wants evidence: --evidence FILE, or --reason with a note")
    typed = {}
    for name, text in given.items():
        try:
            typed[name] = as_type(str(text), gate.input[name])
        except ValueError as error:
            return Denied(f"{name}: {error}")
    if body.get("evidence"):
        typed["evidence"] = body["evidence"]
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
        raise ValueError(f"{text!r} is no {wanted}") from None


def _retry(state: RunState, body: Mapping[str, Any], by: str, now: float) -> Granted | Denied:
    keys = _select(state, body)
    if isinstance(keys, Denied):
        return keys
    why = str(body.get("reason", "")) or f"by {by}"
    events: list[ev.Event] = []
    for key in keys:
        target = state.targets[key]
        if target.status in (Status.FAILED, Status.CANCELLED):
            events.append(ev.TargetReopened(step=key.step, target=key.target, by=by, why=why))
        elif target.gate is not None and target.gate.kind == "unknown":
            events.append(
                ev.RetryPlanned(
                    step=key.step,
                    target=key.target,
                    not_before=now,
                    cause="person",
                    why=why,
                    by=by,
                )
            )
    if not events:
        return Denied(f"step {keys[0].step} is {state.step(keys[0].step)}: nothing to try again")
    return Granted([*events, *_freed(state, keys[0].step, by)], f"trying {keys[0].step} again")


def _mark(state: RunState, body: Mapping[str, Any], by: str, status: str) -> Granted | Denied:
    keys = _select(state, body)
    if isinstance(keys, Denied):
        return keys
    why = str(body.get("reason", ""))
    open_ = [key for key in keys if state.targets[key].status not in _SETTLED]
    busy = [key for key in open_ if state.targets[key].status in _BUSY]
    if busy:
        return Denied(f"{busy[0]} is {state.targets[busy[0]].status}: wait, or abort the run")
    if not open_:
        return Denied(f"step {keys[0].step} is {state.step(keys[0].step)} already")
    events: list[ev.Event] = [
        ev.TargetMarked(step=key.step, target=key.target, status=status, by=by, why=why)
        for key in open_
    ]
    return Granted(
        [*events, *_freed(state, keys[0].step, by)], f"{keys[0].step} is {status} by your word"
    )


_SETTLED = frozenset({Status.PASSED, Status.SKIPPED, Status.ROLLED_BACK})
_BUSY = frozenset({Status.RUNNING, Status.VERIFYING})


def _freed(state: RunState, step: StepId, by: str) -> Iterator[ev.Event]:
    """Blocked steps behind `step` are open again; what still cannot begin is blocked anew."""
    behind, seen = list(state.plan.dependents[step]), set()
    while behind:
        dependent = behind.pop()
        if dependent in seen:
            continue
        seen.add(dependent)
        behind.extend(state.plan.dependents[dependent])
        for key in state.keys(dependent):
            if state.targets[key].status is Status.BLOCKED:
                yield ev.TargetReopened(step=key.step, target=key.target, by=by, why=f"{step}")

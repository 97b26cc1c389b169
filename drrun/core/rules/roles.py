"""Who may answer what.

Rules:
- A role's people and its deputies may answer for it; a role without people means anybody.
- People who were declared lost are not waited for, and do not answer.
- An approval is never given by whoever started the step, and each person counts once: who is left
  may be fewer than it takes. Then nobody can end the wait, and that is told.
"""

from drrun.core.model.actions import DecisionAction
from drrun.core.model.ids import TargetKey
from drrun.core.model.runbook import Step
from drrun.core.state.run_state import RunState
from drrun.core.state.target import Gate


def role_of(step: Step, gate: str) -> str:
    """The role that a gate of a step is for; "" for anybody."""
    if gate == "approval":
        return str((step.approval or {}).get("role", ""))
    if gate == "decision" and isinstance(step.action, DecisionAction):
        return step.action.authority or step.owner
    return step.owner


def members(state: RunState, role: str) -> tuple[str, ...]:
    """Whoever may answer for a role, deputies last; empty: anybody."""
    found = state.plan.runbook.roles.get(role)
    if found is None:
        return ()
    return tuple(
        who
        for who in (*found.people, *found.deputies)
        if who not in state.circumstances.lost_people
    )


def may(state: RunState, role: str, who: str) -> bool:
    """Whether a person may answer for a role."""
    found = state.plan.runbook.roles.get(role)
    if found is None or not (found.people or found.deputies):
        return True
    return who in members(state, role)


def may_answer(state: RunState, key: TargetKey, gate: Gate, who: str) -> bool:
    """Whether a person may answer a gate now."""
    barred = gate.kind == "approval" and (who in state.starters(key) or who in gate.approved)
    return may(state, gate.asked.role, who) and not barred


def still_asked(state: RunState, key: TargetKey, gate: Gate) -> tuple[str, ...]:
    """Those of the role who may answer a gate now."""
    who = members(state, gate.asked.role)
    return tuple(each for each in who if may_answer(state, key, gate, each))


def stuck(state: RunState, key: TargetKey, gate: Gate) -> str:
    """Why an approval cannot be completed by those who may give it; "" while it can."""
    who = members(state, gate.asked.role)
    if gate.kind != "approval" or not who:
        return ""
    left, missing = still_asked(state, key, gate), gate.asked.count - len(gate.approved)
    if len(left) >= missing:
        return ""
    barred = [each for each in who if each in state.starters(key)]
    why = [f"{each} {_part_in(state, key, each)}" for each in barred]
    because = f" ({', '.join(why)})" if why else ""
    return (
        f"nobody can complete this approval: {missing} more of {named(state, gate.asked.role)} "
        f"must approve, and {', '.join(left) or 'nobody'} may{because}"
    )


def _part_in(state: RunState, key: TargetKey, who: str) -> str:
    """What somebody did who may not approve."""
    if who == state.circumstances.drives_now:
        return "drives the run"
    return "changed it" if who == state.written_by.get(key.step) else "retried it"


def asked_now(state: RunState, key: TargetKey, role: str) -> str:
    """Who is asked about a target now, for people: `commander (carol)`."""
    gate = state.targets[key].gate
    return named(state, role) if gate is None else _named(role, still_asked(state, key, gate))


def named(state: RunState, role: str) -> str:
    """A role for people: `commander (drew, simon)`."""
    return _named(role, members(state, role))


def _named(role: str, who: tuple[str, ...]) -> str:
    return f"{role} ({', '.join(who)})" if who else role or "anybody"

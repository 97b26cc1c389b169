"""Who may answer what.

Rules:
- A role's people and its deputies may answer for it; a role without people means anybody.
- People who were declared lost are not waited for, and do not answer.
"""

from drrun.core.model.actions import DecisionAction
from drrun.core.model.runbook import Step
from drrun.core.state.run_state import RunState


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


def named(state: RunState, role: str) -> str:
    """A role for people: `commander (drew, simon)`."""
    who = ", ".join(members(state, role))
    return f"{role} ({who})" if who else role or "anybody"

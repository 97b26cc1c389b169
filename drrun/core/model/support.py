"""What this version can validate but not execute yet. Refused before a run, never ignored.

Rules:
- A key that only matters to a command which does not exist yet is no obstacle: nothing in a run
  would execute it.
"""

from typing import assert_never

from drrun.core.model.errors import Finding
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Mode


def unsupported(plan: Plan) -> list[Finding]:
    """Everything in a plan that cannot be executed yet, with its place."""
    match plan.mode:
        case Mode.LIVE | Mode.REHEARSAL | Mode.DRY_RUN:
            return []
        case Mode.TABLETOP:
            message = f"mode {plan.mode} contacts nothing, so it cannot be run: use simulate"
            return [Finding(plan.runbook.place, message, code="not-supported")]
        case _:
            assert_never(plan.mode)

"""Which runs count as experience: what they took may be learnt from, and what they showed counts.

Rules (contract section 7):
- Only live runs and rehearsals; nothing is learnt from a dry-run or a tabletop.
- Not what stand-ins did: the demonstration, or an inventory that says `stand_ins`.
"""

from typing import assert_never

from drrun.cases.load_plan import plan_of
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Mode
from drrun.engine.records import Records
from drrun.ports.journal import RunRecord


def _proves(mode: Mode) -> bool:
    match mode:
        case Mode.LIVE | Mode.REHEARSAL:
            return True
        case Mode.DRY_RUN | Mode.TABLETOP:
            return False
        case _:
            assert_never(mode)


#: Modes whose runs count as experience.
PROVING = frozenset(str(mode) for mode in Mode if _proves(mode))


def is_experience(records: Records, run: RunRecord, *, whole: bool = False) -> bool:
    """Whether what a run took, and that it succeeded, says something about the real hosts.

    Args:
        records: Where the run is kept.
        run: The run.
        whole: It counts only if it was begun with all steps on all targets.
    """
    if run.mode not in PROVING:
        return False
    plan = plan_of(records.journal.documents(run.id), judged=True).plan
    return not plan.inventory.stand_ins and not (whole and _is_part(plan))


def _is_part(plan: Plan) -> bool:
    return any(planned.by_choice or planned.without for planned in plan.steps.values())

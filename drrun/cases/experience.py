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


def is_experience(records: Records, run: RunRecord) -> bool:
    """Whether what a run took, and that it succeeded, says something about the real hosts."""
    return run.mode in PROVING and not _plan(records, run).inventory.stand_ins


def is_whole(records: Records, run: RunRecord) -> bool:
    """Whether a run was begun with all steps on all targets, and not with a part of them."""
    steps = _plan(records, run).steps.values()
    return not any(planned.by_choice or planned.without for planned in steps)


def _plan(records: Records, run: RunRecord) -> Plan:
    return plan_of(records.journal.documents(run.id), judged=True).plan

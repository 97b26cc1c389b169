"""Which targets of a step may begin: batches, canaries, and when enough have failed. Pure."""

from collections.abc import Iterator

from drrun.core.model.ids import TargetKey
from drrun.core.model.plan import PlannedStep
from drrun.core.model.status import FINAL
from drrun.core.state.run_state import RunState


def queued(state: RunState, planned: PlannedStep) -> Iterator[TargetKey]:
    """Targets that have not begun and that the batches let begin now.

    A batch is through once all of its own targets have ended: one of a later batch that was lost,
    or left out, says nothing of a canary.
    """
    step = planned.step.id
    through = state.through(step)
    limit = next((size for size in planned.batches if through < size), len(planned.targets))
    return state.queued(step, limit)


def too_many_failed(state: RunState, planned: PlannedStep) -> str:
    """Why no more targets may begin, "" if they may.

    A first batch of which nothing passed is a canary that died: whatever `max_failures` says,
    nobody wants the same tried on all others. Whoever has one target done again knows what failed
    before, so that counts no more.
    """
    counts, failed = state.counts(planned.step.id), state.new_failures(planned.step.id)
    if failed > planned.allowed_failures:
        return "too many targets of this step failed"
    ended = sum(count for status, count in counts.items() if status in FINAL)
    if planned.batches and failed and failed == ended >= planned.batches[0]:
        return "no target of its first batch passed"
    return ""

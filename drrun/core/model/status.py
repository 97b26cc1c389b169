"""The words for how things stand: of a target, a step, a run. Contract section 1."""

from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never


class Status(StrEnum):
    """Where a target, or a step as a whole, stands."""

    PENDING = "pending"
    #: On a person, a third party, clock time or a lock.
    WAITING = "waiting"
    RUNNING = "running"
    VERIFYING = "verifying"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    #: The outcome is not known: contact or the controller was lost.
    UNKNOWN = "unknown"
    #: Something that it needs failed.
    BLOCKED = "blocked"
    #: Passed, and a later watch found it broken.
    REGRESSED = "regressed"
    ROLLED_BACK = "rolled-back"
    CANCELLED = "cancelled"


def _is_final(status: Status) -> bool:
    match status:
        case Status.PENDING | Status.WAITING | Status.RUNNING | Status.VERIFYING | Status.UNKNOWN:
            return False
        case (
            Status.PASSED
            | Status.FAILED
            | Status.SKIPPED
            | Status.BLOCKED
            | Status.REGRESSED
            | Status.ROLLED_BACK
            | Status.CANCELLED
        ):
            return True
        case _:
            assert_never(status)


#: Nothing moves a target from here but a person, or `resume`.
FINAL = frozenset(status for status in Status if _is_final(status))
#: Dependents may go on.
GOOD = frozenset({Status.PASSED, Status.SKIPPED})
#: What another step can make needless.
SUPERSEDABLE = frozenset(
    {Status.PENDING, Status.WAITING, Status.FAILED, Status.BLOCKED, Status.CANCELLED}
)


class Phase(StrEnum):
    """What is to happen next with a target that has begun."""

    QUEUED = "queued"
    GUARD = "guard"
    DONE_WHEN = "done_when"
    #: May act; nothing was sent yet.
    ACT = "act"
    #: An attempt was intended and has no outcome yet.
    ACTING = "acting"
    VERIFY = "verify"
    #: A verdict is in: retry or give up.
    JUDGED = "judged"
    #: The outcome is not known: look at what is there.
    RECONCILE = "reconcile"
    #: The outcome is not known and looking did not settle it: ask a person.
    ASK = "ask"
    ENDED = "ended"


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    #: Nothing can move without a person.
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    #: Nothing failed for good, but something is not as the runbook says: a step was skipped or
    #: marked done by a person, or nothing verified it; a service is below its level.
    SUCCEEDED_WITH_EXCEPTIONS = "succeeded with exceptions"
    FAILED = "failed"
    #: No live controller.
    INTERRUPTED = "interrupted"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled-back"
    #: Something was not rolled back, or nothing verified that it is undone.
    ROLLED_BACK_WITH_EXCEPTIONS = "rolled-back with exceptions"


def _has_ended(status: RunStatus) -> bool:
    match status:
        case RunStatus.RUNNING | RunStatus.PAUSED | RunStatus.WAITING | RunStatus.INTERRUPTED:
            return False
        case (
            RunStatus.SUCCEEDED
            | RunStatus.SUCCEEDED_WITH_EXCEPTIONS
            | RunStatus.FAILED
            | RunStatus.ABORTED
            | RunStatus.ROLLED_BACK
            | RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
        ):
            return True
        case _:
            assert_never(status)


#: Runs that stand so have an end in their journal.
ENDED = frozenset(status for status in RunStatus if _has_ended(status))

#: Runs that went to their end without a failed step.
SUCCESS = frozenset({RunStatus.SUCCEEDED, RunStatus.SUCCEEDED_WITH_EXCEPTIONS})


class Cause(StrEnum):
    """What a waiting target waits for."""

    PERSON = "person"
    THIRD_PARTY = "third party"
    CLOCK = "clock"
    LOCK = "lock"
    RETRY = "retry"


def _weight(status: Status) -> int:
    """Of several targets the one with the least weight speaks for the step."""
    match status:
        case Status.RUNNING:
            return 0
        case Status.VERIFYING:
            return 1
        case Status.UNKNOWN:
            return 2
        case Status.WAITING:
            return 3
        case Status.PENDING:
            return 4
        case Status.FAILED:
            return 5
        case Status.REGRESSED:
            return 6
        case Status.BLOCKED:
            return 7
        case Status.CANCELLED:
            return 8
        case Status.ROLLED_BACK:
            return 9
        case Status.PASSED:
            return 10
        case Status.SKIPPED:
            return 11
        case _:
            assert_never(status)


_BY_WEIGHT = sorted(Status, key=_weight)


def step_status(counts: Mapping[Status, int], allowed_failures: int) -> Status:
    """The status of a step from those of its targets.

    Args:
        counts: How many targets stand where; none of the counts is 0.
        allowed_failures: How many of them may fail without failing the step.
    """
    several = len(counts) > 1
    if Status.CANCELLED in counts:
        allowed_failures = 0  # enough failed, however few, that the others were not begun
    for status in _BY_WEIGHT:
        if status not in counts:
            continue
        if status is Status.PENDING and several:
            return Status.RUNNING
        if status is Status.SKIPPED and several:
            return Status.PASSED
        if status is not Status.FAILED or counts[status] > allowed_failures:
            return status
    return Status.PASSED

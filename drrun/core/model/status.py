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
    FAILED = "failed"
    #: No live controller.
    INTERRUPTED = "interrupted"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled-back"


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

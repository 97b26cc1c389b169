"""The words for how things stand: of a target, a step, a run. Contract section 1."""

from collections.abc import Mapping
from enum import StrEnum


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


#: Nothing moves a target from here but a person, or `resume`.
FINAL = frozenset(
    {
        Status.PASSED,
        Status.FAILED,
        Status.SKIPPED,
        Status.BLOCKED,
        Status.REGRESSED,
        Status.ROLLED_BACK,
        Status.CANCELLED,
    }
)
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


def step_status(counts: Mapping[Status, int], allowed_failures: int) -> Status:
    """The status of a step from those of its targets.

    Args:
        counts: How many targets stand where; none of the counts is 0.
        allowed_failures: How many of them may fail without failing the step.
    """
    for status in _MOVING:
        if status in counts:
            return status
    if Status.PENDING in counts:
        return Status.PENDING if len(counts) == 1 else Status.RUNNING
    if counts.get(Status.FAILED, 0) > allowed_failures:
        return Status.FAILED
    for status in _SHOWN_FIRST:
        if status in counts:
            return status
    return Status.SKIPPED if len(counts) == 1 and Status.SKIPPED in counts else Status.PASSED


_MOVING = (Status.RUNNING, Status.VERIFYING, Status.UNKNOWN, Status.WAITING)
_SHOWN_FIRST = (Status.REGRESSED, Status.BLOCKED, Status.CANCELLED, Status.ROLLED_BACK)

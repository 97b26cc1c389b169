"""How many targets of a step stand where, in words: the one place where they are counted."""

from collections.abc import Mapping

from drrun.core.model.status import Status

#: After those that passed: what people have to know first.
_ORDER = (
    Status.FAILED,
    Status.UNKNOWN,
    Status.REGRESSED,
    Status.BLOCKED,
    Status.CANCELLED,
    Status.ROLLED_BACK,
    Status.SKIPPED,
    Status.WAITING,
    Status.RUNNING,
    Status.VERIFYING,
    Status.PENDING,
)


def counted(counts: Mapping[Status, int]) -> str:
    """`21 of 24 passed, 2 failed, 1 skipped`."""
    passed = f"{counts.get(Status.PASSED, 0)} of {sum(counts.values())} passed"
    others = [f"{counts[status]} {status}" for status in _ORDER if counts.get(status)]
    return ", ".join([passed, *others])

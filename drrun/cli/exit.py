"""Exit codes: what a script learns without reading anything. Contract section 4."""

from enum import IntEnum
from typing import Self

from drrun.core.model import errors
from drrun.core.model.status import RunStatus


class Exit(IntEnum):
    """How a command ended; `about` is the line of the manual."""

    about: str

    def __new__(cls, code: int, about: str) -> Self:
        """A code with its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.about = about
        return member

    DONE = 0, "all done and verified"
    FAILED = 1, "a step failed, the run was aborted, or drrun itself has a bug and says so"
    INVALID = 2, "usage or validation error, or a request that was refused"
    LEFT = (
        3,
        "stopped with work left: waiting, paused, interrupted, no room on the disk (resumable)",
    )
    NOT_READY = 4, "preflight shortfall, or hosts that cannot be reached"
    HELD = 5, "another controller holds the run"
    DAMAGED = (
        6,
        "a journal is damaged, a host knows a newer one, or the database lacks runs of its folder",
    )
    EXCEPTIONS = 7, "succeeded with exceptions: `drrun status RUN` names each of them"
    INTERRUPTED = 130, "interrupted by Ctrl-C (resumable)"


_OF_ERRORS: tuple[tuple[type[errors.DrrunError], Exit], ...] = (
    (errors.InputError, Exit.INVALID),
    # Kinds of what follows them, with codes of their own.
    (errors.DiskFull, Exit.LEFT),
    (errors.HasExceptions, Exit.EXCEPTIONS),
    (errors.HasSucceeded, Exit.DONE),
    (errors.StateUnusable, Exit.INVALID),
    (errors.Refused, Exit.INVALID),
    (errors.NotReady, Exit.NOT_READY),
    (errors.RunHeld, Exit.HELD),
    (errors.LeaseLost, Exit.HELD),
    (errors.JournalDamaged, Exit.DAMAGED),
)


def exit_of_error(error: errors.DrrunError) -> Exit:
    """The exit code for an error; for one that has none of its own, drrun is at fault."""
    return next((code for kind, code in _OF_ERRORS if isinstance(error, kind)), Exit.FAILED)


def exit_of_run(
    status: RunStatus, *, unreachable: bool = False, ctrl_c: bool = False, back: bool = False
) -> Exit:
    """The exit code for a run that was left.

    Args:
        status: Where it stands.
        unreachable: Every failure was a host that could not be reached.
        ctrl_c: It was left because of Ctrl-C.
        back: A rollback was what was asked for.
    """
    match status:
        case RunStatus.SUCCEEDED:
            return Exit.DONE
        case RunStatus.SUCCEEDED_WITH_EXCEPTIONS:
            return Exit.EXCEPTIONS
        case RunStatus.ROLLED_BACK if back:
            return Exit.DONE
        case RunStatus.ROLLED_BACK_WITH_EXCEPTIONS if back:
            return Exit.EXCEPTIONS
        case RunStatus.FAILED if unreachable:
            return Exit.NOT_READY
        case (
            RunStatus.FAILED
            | RunStatus.ABORTED
            | RunStatus.ROLLED_BACK
            | RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
        ):
            return Exit.FAILED
        case RunStatus.RUNNING | RunStatus.PAUSED | RunStatus.WAITING | RunStatus.INTERRUPTED:
            return Exit.INTERRUPTED if ctrl_c else Exit.LEFT


def manual() -> str:
    """All codes, one a line."""
    return "\n".join(f"{code.value:>3}  {code.about}" for code in Exit)

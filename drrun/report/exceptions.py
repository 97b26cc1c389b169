"""What keeps a run from having simply succeeded, in sentences. Pure.

Rules:
- One sentence for each exception. Targets that are excepted for the same reason, by the same
  person, share one.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import assert_never

from drrun.core.model.status import Status
from drrun.core.rules.endings import ExceptionKind, RunException
from drrun.report.run_view import RunView
from drrun.report.services import ServiceView

#: Names in one sentence; more are counted.
_NAMED = 6


def exception_lines(
    exceptions: Iterable[RunException], services: Iterable[ServiceView]
) -> Iterator[str]:
    """`dns@web1 was skipped by alice: not needed tonight`; services by their titles."""
    titles = {each.name: each.title for each in services}
    for (kind, why, by), group in groupby(
        exceptions, key=lambda each: (each.kind, each.why, each.by)
    ):
        names = [each.about for each in group]
        if kind is ExceptionKind.SERVICE:
            names = [titles.get(name) or name for name in names]
        yield _sentence(kind, names, why, by)


def beside_steps(view: RunView) -> list[RunException]:
    """Exceptions that the line of a failed step does not tell already."""
    told = {line.id for line in view.lines if line.status is Status.FAILED and line.total == 1}
    return [
        each
        for each in view.exceptions
        if each.kind is not ExceptionKind.FAILED or each.step not in told
    ]


def _sentence(kind: ExceptionKind, names: list[str], why: str, by: str) -> str:
    several = len(names) > 1
    who = ", ".join(names[:_NAMED])
    if len(names) > _NAMED:
        who += f" and {len(names) - _NAMED} more"
    tail = (f" by {by}" if by else "") + (f": {why}" if why else "")
    return f"{who} {_verb(kind, several=several)}{tail}"


def _verb(kind: ExceptionKind, *, several: bool) -> str:
    be = "were" if several else "was"
    match kind:
        case ExceptionKind.SKIPPED:
            return f"{be} skipped"
        case ExceptionKind.MARKED_DONE:
            return f"{be} marked done"
        case ExceptionKind.BYPASSED:
            return "acted with a guard bypassed"
        case ExceptionKind.UNVERIFIED:
            return f"{be} not verified"
        case ExceptionKind.FAILED:
            return "failed"
        case ExceptionKind.NOT_ROLLED_BACK:
            return f"{be} not rolled back"
        case ExceptionKind.UNDONE_UNVERIFIED:
            return f"{be} undone, not verified"
        case ExceptionKind.UNDO_FAILED:
            return "could not be undone"
        case ExceptionKind.MARKED_UNDONE:
            return f"{be} marked undone"
        case ExceptionKind.DOUBTFUL:
            return "would fail now"
        case ExceptionKind.SERVICE:
            return "are below their level" if several else "is below its level"
        case ExceptionKind.INVARIANT:
            return "do not hold" if several else "does not hold"
        case _:
            assert_never(kind)

"""Which files of the controller an action or a probe may use.

Rules:
- One function decides, `local_path`; all that touches a file of the controller asks it.
- A relative name is meant from the runbook's folder and stays inside it, wherever its links lead
  (fault F17). An absolute name is the author's word for what is read; what is fetched is written
  only into the runbook's folder or one that the operator names (`fetch_into`).
- What a host has said chooses at most a name below a folder that the runbook writes before it:
  never another folder, never a file beside the runbook.
"""

from collections.abc import Sequence
from pathlib import Path

from drrun.core.model.errors import InputError
from drrun.ports.places import AttemptOrder, Question


def local_path(
    order: AttemptOrder | Question,
    argument: str,
    *,
    below: str = "",
    only_in: Sequence[Path] | None = None,
) -> Path:
    """Where an argument leads on this machine, without links, if it may lead there.

    Args:
        order: Whose argument it is: an action's, or a probe's.
        argument: Its name.
        below: A path that is added to it, and stays below it.
        only_in: Folders besides the runbook's own that it may lead into; None: an absolute name
            may lead anywhere, if no host had a part in it.

    Raises:
        InputError: It leads where it may not, or is no path.
    """
    written = str(order.arguments[argument])
    home, named = _resolved(order, "."), _resolved(order, written)
    path = _resolved(order, f"{written}/{below}") if below else named
    if below and named not in path.parents:
        raise InputError(f"{below!r} is not a name for a file below {written}")
    heard = order.heard.get(argument)
    absolute = expanded(written).is_absolute()
    if only_in is None and absolute and heard is None:
        return path
    if heard is not None:
        _must_be_below(order, argument, path)
    roots = [home, *(each.expanduser().resolve() for each in only_in or ())]
    if not any(path.is_relative_to(root) for root in roots):
        raise InputError(f"{written} leads out of the runbook's folder{_ways(only_in)}")
    return path


def _must_be_below(order: AttemptOrder | Question, argument: str, path: Path) -> None:
    """Hosts choose names, the runbook chooses the folder."""
    folder = order.heard[argument]
    bound = _resolved(order, folder or ".")
    if _resolved(order, ".").is_relative_to(bound):
        raise InputError(
            f"{argument} has a value in it that a host gave: begin it with a folder of its "
            "own, below the runbook's, such as 'evidence/'"
        )
    if not path.is_relative_to(bound):
        raise InputError(
            f"{order.arguments[argument]} leads out of {folder}, because of a value that a host "
            "gave"
        )


def expanded(written: str) -> Path:
    """A path as it is written, with the home directory that a leading ~ stands for.

    Raises:
        RuntimeError: There is no such user.
    """
    return Path(written).expanduser() if written.startswith("~") else Path(written)


def _resolved(order: AttemptOrder | Question, written: str) -> Path:
    try:
        return (order.folder / expanded(written)).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, no such user, a NUL
        raise InputError(f"{written!r} is not a path") from None


def _ways(only_in: Sequence[Path] | None) -> str:
    if only_in is None:
        return "; give an absolute path"
    others = "".join(f" and of {each}" for each in only_in)
    return f"{others}; more folders can be allowed with fetch_into in drrun.yaml"

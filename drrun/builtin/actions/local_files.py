"""Files on the controller: which paths an action may use, and how it reads and writes there.

Rules:
- One function decides, `local_path`; every action that touches a file of the controller asks it.
- A relative name is meant from the runbook's folder and stays inside it, wherever its links lead
  (fault F17). An absolute name is the author's word for what is read; what is fetched is written
  only into the runbook's folder or one that the operator names (`fetch_into`).
- What a host has said chooses at most a name below a folder that the runbook writes before it:
  never another folder, never a file beside the runbook.
- Writing follows no link, not even one that was put there a moment ago: the folders are opened
  one inside the other, from one that is known.
"""

import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from drrun.core.dataclass import dataclass
from drrun.core.errors import InputError
from drrun.engine.ports import AttemptOrder

#: A file travels in one piece, in memory; for more there is rsync.
LARGEST = 256 << 20

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def local_path(
    order: AttemptOrder,
    argument: str,
    *,
    below: str = "",
    only_in: Sequence[Path] | None = None,
) -> Path:
    """Where an argument leads on this machine, without links, if it may lead there.

    Args:
        order: Whose argument it is.
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
        raise InputError(f"{below!r} is no name for a file below {written}")
    heard = order.heard.get(argument)
    absolute = Path(written).expanduser().is_absolute()
    if only_in is None and absolute and heard is None:
        return path
    roots = [home, *(each.expanduser().resolve() for each in only_in or ())]
    if not any(path.is_relative_to(root) for root in roots):
        raise InputError(f"{written} leads out of the runbook's folder{_ways(only_in)}")
    if heard is not None:
        _must_be_below(order, argument, path)
    return path


def _must_be_below(order: AttemptOrder, argument: str, path: Path) -> None:
    """Hosts choose names, the runbook chooses the folder."""
    folder = order.heard[argument]
    bound = _resolved(order, folder or ".")
    if _resolved(order, ".").is_relative_to(bound):
        raise InputError(
            f"{argument} has a value in it that a host has said: begin it with a folder of its "
            "own, below the runbook's, such as 'evidence/'"
        )
    if not path.is_relative_to(bound):
        raise InputError(f"{order.arguments[argument]} leads out of {folder}, by what a host said")


def _resolved(order: AttemptOrder, written: str) -> Path:
    try:
        return (order.folder / Path(written).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, no such user, a NUL
        raise InputError(f"{written!r} is no path") from None


def _ways(only_in: Sequence[Path] | None) -> str:
    if only_in is None:
        return "; give an absolute path"
    others = "".join(f" and of {each}" for each in only_in)
    return f"{others}; whoever operates drrun may name more in fetch_into, in drrun.yaml"


def target_path(order: AttemptOrder, argument: str = "to") -> str:
    """A path on the target, as written, unless the target is the controller and a host chose it.

    Raises:
        InputError: It may not be used.
    """
    written = str(order.arguments[argument])
    if order.host is not None or argument not in order.heard:
        return written
    slash = "/" * written.endswith("/")
    return f"{local_path(order, argument)}{slash}"


def read_source(order: AttemptOrder) -> bytes:
    """The file that an action's `source` names, relative to the runbook's folder.

    Raises:
        InputError: It is not there, too large, or may not be read.
    """
    path = local_path(order, "source")
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST >> 20} MiB; use rsync")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


@dataclass(slots=True)
class Arrival:
    """A file that is being written, aside from the one that it will replace."""

    path: Path
    file: IO[bytes]
    _folder: int
    _aside: str

    def keep(self) -> None:
        """Put it in the place of what was there; a link there is replaced, not followed."""
        self.file.flush()
        os.fsync(self.file.fileno())
        os.replace(self._aside, self.path.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)


@contextmanager
def arriving(path: Path, roots: Sequence[Path]) -> Iterator[Arrival]:
    """Write a file at `path`, whole or not at all; nothing stays of one that is not kept.

    Args:
        path: As `local_path` gave it; missing folders are made.
        roots: Folders that are known; it lies in one of them.

    Raises:
        OSError: It cannot be written, or a link has come between.
    """
    root = next((each for each in roots if each in path.parents), None)
    if root is None:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    folder = _opened(root, path.parent)
    aside = f".drrun.{secrets.token_hex(8)}"
    try:
        with os.fdopen(os.open(aside, _NEW, 0o600, dir_fd=folder), "wb") as file:
            yield Arrival(path, file, folder, aside)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside, dir_fd=folder)
        os.close(folder)


def _opened(root: Path, folder: Path) -> int:
    """Open a folder below `root`, made where it is missing, without following a link."""
    current = os.open(root, _FOLDER)
    for part in folder.relative_to(root).parts:
        try:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=current)
            following = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=current)
        finally:
            os.close(current)
        current = following
    return current

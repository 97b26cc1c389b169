"""How actions read and write files on the controller, where `local_path` lets them.

Rules:
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

from drrun.builtin.local_paths import local_path
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError
from drrun.ports.places import AttemptOrder

#: A file travels in one piece, in memory; for more there is rsync.
LARGEST = 256 << 20

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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

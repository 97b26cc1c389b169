"""Reads and writes files on the controller for actions, where `local_path` allows it.

Rules:
- Writing follows no symbolic link, even if it appeared after the check. For this, each folder is
  opened relative to its parent, beginning at a known root.
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

#: Bytes of one file. It is held in memory as a whole; for larger files there is rsync.
LARGEST = 256 << 20

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def target_path(order: AttemptOrder, argument: str = "to") -> str:
    """The path as written; on the controller `local_path` checks a path that a host chose.

    Raises:
        InputError: The path may not be used.
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
    """A temporary file that will replace the file at `path`."""

    path: Path
    file: IO[bytes]
    _folder: int
    _aside: str

    def keep(self) -> None:
        """Move it to `path`; a link there is replaced, not followed."""
        self.file.flush()
        os.fsync(self.file.fileno())
        os.replace(self._aside, self.path.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)


@contextmanager
def arriving(path: Path, roots: Sequence[Path]) -> Iterator[Arrival]:
    """Write a file at `path` completely or not at all; without `keep` nothing remains.

    Args:
        path: As `local_path` gave it; missing folders are made.
        roots: Known folders; `path` lies in one of them.

    Raises:
        OSError: The file cannot be written, or a folder on the way is a link.
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
    """Open a folder below `root` without following links; create missing folders."""
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

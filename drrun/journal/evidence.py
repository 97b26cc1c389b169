"""Files that people gave as evidence, kept by the hash of their content.

Rules:
- The path is `STATE/evidence/SHA256`, the mode 0600. A file is kept before the journal names it.
  The journal holds its name, size and hash, so a changed file is detected (contract guarantee 7).
- The same content is kept once.
"""

import os
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from drrun.core.model.errors import InputError, StateUnusable
from drrun.journal.folder import make_private_folder, sync_folder
from drrun.ports.journal import Evidence

#: Bytes of one file.
LIMIT = 256 * 1024 * 1024
_CHUNK = 1024 * 1024


class FileEvidence:
    """The evidence of one state folder."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder / "evidence"
        self._limit = limit

    def keep(self, path: Path) -> Evidence:
        """Keep a file.

        Raises:
            InputError: It cannot be read, or is too large.
            StateUnusable: It cannot be kept.
        """
        try:
            with path.open("rb") as file:
                return self._keep(path.name, file)
        except OSError as error:
            if str(error.filename or "").startswith(str(self._folder)):
                raise StateUnusable(f"evidence cannot be kept: {error}") from None
            raise InputError(f"{path} cannot be read: {error.strerror}") from None

    def path(self, digest: str) -> Path:
        """Where the content with a hash is kept.

        Raises:
            InputError: No such file is kept here, or its content has changed.
        """
        path = self._folder / digest
        if not digest.isalnum() or not path.is_file():
            raise InputError(f"no evidence {digest[:16]}… is kept here")
        with path.open("rb") as file:
            found = sha256()
            while chunk := file.read(_CHUNK):
                found.update(chunk)
        if found.hexdigest() != digest:
            raise InputError(f"{path} is not what was given as evidence any more")
        return path

    def _keep(self, name: str, file: BinaryIO) -> Evidence:
        make_private_folder(self._folder)
        aside = self._folder / f".coming-{os.getpid()}"
        digest, size = sha256(), 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(aside, flags, 0o600), "wb") as kept:
                while chunk := file.read(_CHUNK):
                    size += len(chunk)
                    if size > self._limit:
                        raise InputError(f"{name} is larger than {self._limit} bytes")
                    digest.update(chunk)
                    kept.write(chunk)
                kept.flush()
                os.fsync(kept.fileno())
            aside.replace(self._folder / digest.hexdigest())
            sync_folder(self._folder)
        finally:
            aside.unlink(missing_ok=True)
        return Evidence(name, size, digest.hexdigest())

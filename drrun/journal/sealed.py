"""A stream that is kept so that only former values of secrets open it.

Rules:
- Each value stands for a key pair (`drrun.journal.seals`), and the public half is its mark: to
  seal needs the marks alone, to open needs every value.
- `ATTEMPT.stdout.sealed`: one line with the marks and the sender's public key, then pieces under
  AES-256-GCM, each behind its length, an empty one at the end. Pieces are numbered and bound to
  the line, so that none can be moved or taken for another's.
- What is known is masked before it is sealed. The hash that is told is of the file: one of what is
  inside would let everybody try values at no cost.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from drrun.core.integrity.masking import Mask, StreamMask
from drrun.core.model.errors import JournalDamaged
from drrun.journal.folder import make_private_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

#: What the file is called behind the name of the stream.
ENDING = ".sealed"
#: Why a stream cannot be read, as its account says.
SEALED = "sealed"

_FORMAT = 1
_LENGTH = 4
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def beside(stream: Path) -> Path:
    """The sealed file of a stream."""
    return stream.with_name(f"{stream.name}{ENDING}")


def marks_in(path: Path) -> Mapping[str, str]:
    """Which secrets open a sealed stream, by name, with their marks.

    Raises:
        JournalDamaged: It is none.
    """
    with path.open("rb") as file:
        marks, _ = _head(path, file.readline())
    return marks


def opened(path: Path, private: Callable[[str], "X25519PrivateKey"]) -> Iterator[bytes]:
    """What a sealed stream holds.

    Args:
        path: Its file.
        private: The private half of a secret's mark, by its name.

    Raises:
        JournalDamaged: The file is not what was written.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    with path.open("rb") as file:
        line = file.readline()
        marks, sender = _head(path, line)
        try:
            public = X25519PublicKey.from_public_bytes(base64.b64decode(sender))
            shared = [private(name).exchange(public) for name in sorted(marks)]
        except ValueError:
            raise JournalDamaged(f"{path} was altered") from None
        yield from _Pieces(_key(shared, line), line).read(path, file)


class Sealing:
    """Seals one stream: whoever holds it can add to it, and not read it."""

    def __init__(self, marks: Mapping[str, str]) -> None:
        from cryptography.hazmat.primitives.asymmetric.x25519 import (
            X25519PrivateKey,
            X25519PublicKey,
        )

        mine = X25519PrivateKey.generate()
        sender = base64.b64encode(mine.public_key().public_bytes_raw()).decode()
        head = {"format": _FORMAT, "marks": dict(marks), "from": sender}
        #: What the file begins with.
        self.head = f"{json.dumps(head, sort_keys=True)}\n".encode()
        public = [base64.b64decode(mark) for _, mark in sorted(marks.items())]
        shared = [mine.exchange(X25519PublicKey.from_public_bytes(each)) for each in public]
        self._pieces = _Pieces(_key(shared, self.head), self.head)

    def seal(self, piece: bytes) -> bytes:
        """A piece as it is kept; an empty one says that nothing was cut off."""
        return self._pieces.closed(piece)


class _Pieces:
    """Numbered pieces under one key, which serves one stream only."""

    def __init__(self, key: bytes, head: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)
        self._head = head
        self._number = 0

    def closed(self, piece: bytes) -> bytes:
        sealed = self._cipher.encrypt(self._next(), piece, self._head)
        return len(sealed).to_bytes(_LENGTH, "big") + sealed

    def read(self, path: Path, file: BinaryIO) -> Iterator[bytes]:
        from cryptography.exceptions import InvalidTag

        while size := int.from_bytes(file.read(_LENGTH), "big"):
            sealed = file.read(size)
            if len(sealed) < size:
                return  # the last piece of a controller that died
            try:
                piece = self._cipher.decrypt(self._next(), sealed, self._head)
            except InvalidTag:
                raise JournalDamaged(f"{path} was altered") from None
            if not piece:
                return
            yield piece

    def _next(self) -> bytes:
        self._number += 1
        return self._number.to_bytes(12, "big")


class SealedStream:
    """One stream on its way to disk, unreadable."""

    def __init__(self, path: Path, limit: int, mask: Mask, marks: Mapping[str, str]) -> None:
        self._path = beside(path)
        self._limit = limit
        self._mask = StreamMask(mask)
        self._marks = marks
        self._sealing: Sealing | None = None
        self._file = -1
        self._hash = hashlib.sha256()
        self._came = 0
        self._masked = 0
        self._kept = 0
        self._fault = ""

    def take(self, chunk: bytes) -> None:
        """Keep bytes."""
        if not chunk:
            return
        self._came += len(chunk)
        self._keep(self._mask.feed(chunk))

    def excerpt(self, size: int) -> bytes:
        """Nothing: it cannot be read here."""
        del size
        return b""

    def finish(self) -> dict[str, Any]:
        """Flush to disk; see `Output.close`."""
        self._keep(self._mask.flush())
        if self._sealing is not None and not self._fault:
            self._write(self._sealing.seal(b""))
        if self._file >= 0:
            try:
                os.fsync(self._file)
            except OSError as error:
                self._fault = self._fault or f"disk: {error.strerror}"
            os.close(self._file)
            self._file = -1
        return {
            "bytes": self._came,
            "masked": self._masked,
            "kept": self._kept,
            "sha256": self._hash.hexdigest(),
            "truncated": self._kept < self._masked,
            "reason": self._fault or (SEALED if self._came else ""),
        }

    def _keep(self, masked: bytes) -> None:
        room = self._limit - self._kept
        self._masked += len(masked)
        if not masked or room <= 0 or self._fault:
            return
        piece = masked[:room]
        if self._sealing is None:
            self._sealing = Sealing(self._marks)
            self._write(self._sealing.head)
        self._write(self._sealing.seal(piece))
        if not self._fault:
            self._kept += len(piece)

    def _write(self, data: bytes) -> None:
        try:
            if self._file < 0:
                make_private_folder(self._path.parent)
                self._file = os.open(self._path, _WRITE, 0o600)
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            self._fault = f"disk: {error.strerror}"
            return
        self._hash.update(data)


def _key(shared: list[bytes], head: bytes) -> bytes:
    """One key of all that is shared; each part is of one length."""
    return hmac.digest(b"".join(shared), head, hashlib.sha256)


def _head(path: Path, line: bytes) -> tuple[Mapping[str, str], str]:
    try:
        head = json.loads(line)
        return dict(head["marks"]), str(head["from"])
    except (ValueError, KeyError, TypeError):
        raise JournalDamaged(f"{path} is not a sealed output") from None

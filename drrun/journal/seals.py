"""Marks of secrets: what tells two values apart, and can seal for whoever knows the value.

Rules:
- A mark is a public key. Its private half is made of the value by scrypt (32 MiB and about a
  tenth of a second), salted with an HMAC of run and name under `STATE/secrets.key`. That key is in
  no archive: whoever has an export cannot begin to guess, whoever has the state folder pays for
  every guess, in every run anew. (decisions/006)
- The value itself is kept nowhere.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from drrun.core.integrity.masking import Mask
from drrun.core.model.errors import InputError, StateUnusable
from drrun.core.model.ids import RunId
from drrun.journal.folder import make_private_folder, sync_folder
from drrun.journal.sealed import ENDING, marks_in, opened
from drrun.journal.spool import folder_of_run, stream_at
from drrun.ports.journal import Unsealed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

_KEY_BYTES = 32
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**15, 8, 1
_SCRYPT_MEMORY = 2**26


class FileSeals:
    """The `Seals` of one state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mark(self, run: RunId, name: str, value: str) -> str:
        """The mark of a secret's value in a run."""
        return _mark(self._private(run, name, value))

    def unseal(self, run: RunId, values: Sequence[tuple[str, str]], mask: Mask) -> Unsealed:
        """Open what was sealed, where `values` has all that is needed, and keep it masked.

        Raises:
            InputError: A value is none that anything was sealed with.
            JournalDamaged: A sealed file is not what was written.
        """
        folder = folder_of_run(self._folder, run)
        files = {path: marks_in(path) for path in sorted(folder.glob(f"*/*{ENDING}"))}
        privates = {}
        for name, value in values:
            private = self._private(run, name, value)
            mark = _mark(private)
            if files and not any(marks.get(name) == mark for marks in files.values()):
                raise InputError(f"that is not the value of {name} that was used in {run}")
            privates[name, mark] = private
        count, wanted = 0, dict[str, None]()
        for sealed, marks in files.items():
            missing = [name for name, mark in marks.items() if (name, mark) not in privates]
            if missing:
                wanted.update(dict.fromkeys(missing))
                continue
            keys = {name: privates[name, mark] for name, mark in marks.items()}
            count += _put(sealed, opened(sealed, keys.__getitem__), mask)
        return Unsealed(count, tuple(wanted))

    def _private(self, run: RunId, name: str, value: str) -> "X25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        where = json.dumps([run, name]).encode()
        seed = hashlib.scrypt(
            value.encode("utf-8", "surrogatepass"),
            salt=hmac.digest(self._key(), where, hashlib.sha256),
            n=_SCRYPT_N,
            r=_SCRYPT_R,
            p=_SCRYPT_P,
            maxmem=_SCRYPT_MEMORY,
            dklen=32,
        )
        return X25519PrivateKey.from_private_bytes(seed)

    def _key(self) -> bytes:
        """The state's own key; made when it is wanted first.

        Raises:
            StateUnusable: It cannot be read, or made.
        """
        path = self._folder / "secrets.key"
        try:
            if not path.exists():
                _make_key(path)
            return path.read_bytes()
        except OSError as error:
            raise StateUnusable(
                f"{path}: {error.strerror}. Nothing was begun. Make it readable for this user"
            ) from None


def _mark(private: "X25519PrivateKey") -> str:
    return base64.b64encode(private.public_key().public_bytes_raw()).decode()


def _make_key(path: Path) -> None:
    """Whole or not at all; where two make one at once, the first one's stays."""
    make_private_folder(path.parent)
    aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(aside, flags, 0o600)
    try:
        os.write(handle, os.urandom(_KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    with suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()
    # A mark in the journal is worth nothing without its key.
    sync_folder(path.parent)


def _put(sealed: Path, pieces: Iterator[bytes], mask: Mask) -> bool:
    """Keep a stream as if it had come so, at the time at which it came.

    Returns:
        Whether there was anything in it: a file that was cut off in its first piece has nothing.
    """
    came = sealed.stat().st_mtime
    stream = stream_at(sealed.with_name(sealed.name.removesuffix(ENDING)), mask, lambda: came)
    for piece in pieces:
        stream.take(piece)
    account = stream.finish()
    if account["reason"].startswith("disk"):
        raise StateUnusable(f"{sealed}: {account['reason']}; it stays sealed")
    return bool(account["bytes"])

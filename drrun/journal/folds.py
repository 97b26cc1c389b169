"""What journals fold to, kept in files: a cache that may be deleted at any time.

Rules:
- One file a run, `STATE/folds/RUN`, 0600: a keyed check (HMAC-SHA256), a line on what it was made
  from, and what it is. It counts only if the key is that of this user, made by this very program,
  for this run with these documents, and the journal still has, to every byte, the entries it was
  folded from. What is torn, altered, foreign, or knows more than a journal that was put back from
  a copy, is as if it were not there.
- The key lies outside of the state folder, so nobody can forge a cache by writing that folder, and
  none comes along with a state folder from elsewhere.
- It is written aside and renamed. Nothing is synchronised: after power loss it may be torn. Where
  it cannot be written, a full disk or a folder to be read only, there is none.
- Nothing acts on it (`drrun.cases.read_run`).
"""

import hashlib
import hmac
import json
import os
import stat
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from urllib.parse import quote

import drrun
from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import Head
from drrun.core.model.errors import JournalDamaged, StateUnusable
from drrun.core.model.ids import RunId
from drrun.engine.sealing import born
from drrun.journal.database import Database, Row
from drrun.journal.folder import make_private_folder
from drrun.journal.inspection import digest_of_entries, pinned
from drrun.journal.rows import record_of
from drrun.ports.journal import KeptFold

_KEY_BYTES = 32
#: Parts of this program that decide what a journal folds to, and how that is written.
_DECIDING = ("core", "files", "report", "cases")


@dataclass(frozen=True, slots=True)
class _MadeFrom:
    """What a kept fold was made from, and by what."""

    run: str
    genesis: str
    #: Of this program.
    edition: str
    #: The last entry.
    seq: int
    hash: str
    #: Of all entries up to it, as they are stored.
    digest: str


class FileFolds:
    """The `Folds` of one state folder."""

    def __init__(self, database: Database, key: Path, edition: str = "") -> None:
        """Touch nothing yet.

        Args:
            database: Where the journals are.
            key: The file with this user's key; it is made when something is kept first.
            edition: What tells this program from any other; by default it is found out.
        """
        self._database = database
        self._key = key
        self._edition = edition

    def recall(self, run: RunId) -> KeptFold | None:
        """What was kept, if the journal has the very entries that were folded.

        Raises:
            StateUnusable: The journal cannot be read.
        """
        row = self._database.row("run", run=run)
        if row is None:
            return None
        start = Head(0, row["genesis"])
        source, text = self._read(run) or (None, "")
        if source is None or not self._is_so(row, source):
            return KeptFold(start, start)
        return KeptFold(start, Head(source.seq, source.hash), text)

    def keep(self, run: RunId, head: Head, text: str) -> None:
        """Keep what the entries up to `head` fold to, if that can be done."""
        with suppress(OSError, StateUnusable, JournalDamaged):
            row = self._database.row("run", run=run)
            key = _key_in(self._key) or _make_key(self._key)
            if row is None or not key:
                return
            source = _MadeFrom(
                run=run,
                genesis=row["genesis"],
                edition=self._edition or this_edition(),
                seq=head.seq,
                hash=head.hash,
                digest=digest_of_entries(self._database, run, head.seq),
            )
            made = f"{json.dumps(asdict(source))}\n{text}".encode()
            self._write(run, f"{_check(key, made)}\n".encode() + made)

    def _read(self, run: RunId) -> tuple[_MadeFrom, str] | None:
        """What the file says, if this user wrote it."""
        key = _key_in(self._key)
        raw = _own_file(self._path(run)) if key else None
        if not key or raw is None:
            return None
        check, _, made = raw.partition(b"\n")
        if not hmac.compare_digest(check, _check(key, made).encode()):
            return None
        line, _, text = made.decode().partition("\n")
        return _MadeFrom(**json.loads(line)), text

    def _is_so(self, row: Row, source: _MadeFrom) -> bool:
        """Whether what is kept was made by this program from what the journal has."""
        if (source.run, source.genesis) != (row["id"], row["genesis"]):
            return False
        if source.edition != (self._edition or this_edition()):
            return False
        run = RunId(row["id"])
        try:
            papers = pinned(self._database, run)
            if born(record_of(row), papers).hash != source.genesis:
                return False
            return digest_of_entries(self._database, run, source.seq) == source.digest
        except JournalDamaged:
            return False  # whoever reads it entry by entry will say where

    def _write(self, run: RunId, raw: bytes) -> None:
        path = self._path(run)
        make_private_folder(path.parent)
        for left in path.parent.glob(f".{path.name}-*"):
            left.unlink()  # of somebody who was killed while writing
        aside = path.with_name(f".{path.name}-{os.getpid()}")
        handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
            aside.replace(path)
        except OSError:
            aside.unlink(missing_ok=True)
            raise

    def _path(self, run: RunId) -> Path:
        return file_of_fold(self._database.place.folder, run)


def file_of_fold(state: Path, run: RunId) -> Path:
    """Where a state folder keeps what the journal of a run folds to."""
    return state / "folds" / quote(run, safe="")


def _check(key: bytes, made: bytes) -> str:
    return hmac.new(key, made, hashlib.sha256).hexdigest()


def _key_in(path: Path) -> bytes | None:
    key = _own_file(path)
    return key if key is not None and len(key) == _KEY_BYTES else None


def _make_key(path: Path) -> bytes | None:
    """A new key; None if there is a file that is none, which is left alone."""
    make_private_folder(path.parent)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return _key_in(path)
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(_KEY_BYTES))
    return _key_in(path)


def _own_file(path: Path) -> bytes | None:
    """What is in a file that this user alone can have written; None if there is none."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            ours = found.st_uid == os.geteuid() and not found.st_mode & 0o077
            return file.read() if ours and stat.S_ISREG(found.st_mode) else None
    return None


@cache
def this_edition() -> str:
    """What tells this program from any other version of it, installed or being worked on."""
    parts = [drrun.__version__, sys.version]
    home = Path(drrun.__file__).parent
    for folder in _DECIDING:
        with suppress(OSError):  # not a folder: the program is in an archive
            for path in sorted(home.joinpath(folder).rglob("*.py")):
                found = path.stat()
                parts.append(f"{path} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()

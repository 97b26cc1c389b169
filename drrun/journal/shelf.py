"""Whole runs that go, and whole runs that come from elsewhere.

Rules:
- A run that goes leaves a line behind: that it was there, and the last hash of its journal.
- Evidence goes with the last run that names it.
- A run that comes is taken in only if its chain holds, in one transaction.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from drrun.core.integrity.chain import Head, canonical
from drrun.core.integrity.flaws import inspect, told
from drrun.core.model.errors import JournalDamaged, Refused, StateUnusable
from drrun.core.model.ids import RunId
from drrun.engine.sealing import born, storable
from drrun.journal.anchors import Anchors
from drrun.journal.database import Database
from drrun.journal.folder import make_private_folder
from drrun.journal.folds import file_of_fold
from drrun.journal.inspection import digest
from drrun.journal.spool import folder_of_run
from drrun.journal.sqlite import enter
from drrun.ports.journal import EVIDENCE_HASH, Document, Entry, RemovedRun, RunRecord

#: Seconds for which a file that was just given again may not be named yet by any journal.
_JUST_GIVEN = 24 * 3600.0
_PARTS = ("entries", "documents", "leases", "requests", "run")


class SqliteShelf:
    """The `Shelf` of one state folder."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._folder = database.place.folder

    def remove(self, run: RunId, by: str, now: float) -> None:
        """Delete a run with its outputs and evidence; that it was there is kept.

        Raises:
            Refused: There is no such run.
        """
        named = self._evidence_of(run)
        with self._database.transaction() as transaction:
            if not transaction.change("prune_begin", run=run, at=now, actor=by):
                raise Refused(f"there is no run {run}")
            for part in _PARTS:
                transaction.change(f"prune_{part}", run=run)
        # After the record, not before: outputs without a run are only lost room on the disk.
        Anchors(self._folder).path(run).unlink(missing_ok=True)
        file_of_fold(self._folder, run).unlink(missing_ok=True)
        shutil.rmtree(folder_of_run(self._folder, run), ignore_errors=True)
        for each in named:
            if self._database.row("evidence_elsewhere", digest=each) is None:
                _remove_if_old(self._folder / "evidence" / each, now)

    def _evidence_of(self, run: RunId) -> set[str]:
        bodies = (str(row["body"]) for row in self._database.rows("evidence_of_run", run=run))
        return {each for body in bodies for each in EVIDENCE_HASH.findall(body)}

    def with_work(self) -> frozenset[RunId]:
        """Runs in which people noted what is to be done, and that nobody has closed."""
        return frozenset(RunId(str(row["run"])) for row in self._database.rows("runs_with_work"))

    def removed(self, text: str) -> Sequence[RemovedRun]:
        """Removed runs with `text` in their id, a few at most."""
        return [
            RemovedRun(RunId(row["run"]), row["head_hash"], row["at"], row["actor"])
            for row in self._database.rows("pruned_like", text=text)
        ]

    def outputs(self, run: RunId) -> Path:
        """The folder with what the run's attempts printed."""
        return folder_of_run(self._folder, run)

    def put(self, path: Path, data: bytes) -> None:
        """Write a file of a run that was taken in; what is there already stays.

        Raises:
            StateUnusable: It cannot be written.
        """
        make_private_folder(path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                file.write(data)
        except FileExistsError:
            return
        except OSError as error:
            raise StateUnusable(f"{path} cannot be written: {error.strerror}") from None

    def take_in(
        self, record: RunRecord, documents: Sequence[Document], entries: Sequence[Entry]
    ) -> None:
        """Enter a run as it was elsewhere.

        Raises:
            Refused: There is a run with that id.
            JournalDamaged: It is not what was written there.
        """
        for document in documents:
            if digest(document.content) != document.sha256:
                raise JournalDamaged(
                    f"{document.path or document.kind} of {record.id} was altered"
                )
        kept, papers = storable(record, documents)
        head = born(kept, papers)
        if flaws := inspect(entries, head).flaws:
            raise JournalDamaged(f"the journal of {record.id} was altered: {told(flaws)}")
        last = Head(entries[-1].seq, entries[-1].hash) if entries else head
        with self._database.transaction() as transaction:
            enter(transaction, kept, papers, head)
            for entry in entries:
                transaction.change("import_entry", **_values(entry))
            transaction.change("import_head", run=record.id, seq=last.seq, hash=last.hash)
            epoch = max((entry.epoch for entry in entries), default=0)
            transaction.change("import_lease", run=record.id, epoch=epoch, at=record.started_at)


def _values(entry: Entry) -> dict[str, object]:
    return {
        "run": entry.run, "seq": entry.seq, "at": entry.at, "actor": entry.actor,
        "epoch": entry.epoch, "kind": entry.kind, "version": entry.version,
        "body": canonical(entry.body), "hash": entry.hash,
    }  # fmt: skip


def _remove_if_old(path: Path, now: float) -> None:
    with suppress(OSError):
        if now - path.stat().st_mtime > _JUST_GIVEN:
            path.unlink()

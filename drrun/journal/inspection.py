"""Is a run's journal what was written? Documents, chain, head and anchor, in one look.

Rules:
- The first thing that is wrong is named, by entry where there is one: altered, missing or cut.
- Whoever takes the lease looks first: nobody goes on with a damaged run (FAULTS 87).
"""

import hashlib
from collections.abc import Callable, Collection, Iterator

from drrun.core.chain import Head, canonical, first_flaw
from drrun.core.errors import JournalDamaged, Refused
from drrun.core.ids import RunId, StepId
from drrun.engine.ports import Document, Entry
from drrun.engine.sealing import born
from drrun.journal.anchors import Anchors
from drrun.journal.database import Database
from drrun.journal.rows import damage, document_of, entry_of, record_of

#: Entries that are read in one go.
PAGE = 500
#: Entries of which SQLite makes one text, for `digest_of_entries`.
_WINDOW = 2000
_DIGESTED = (
    "texts", "types", "seqs", "moments", "epochs", "versions", "kinds", "lengths", "actors",
    "hashes", "bodies",
)  # fmt: skip


def head_of(database: Database, anchors: Anchors, run: RunId) -> Head:
    """Where the chain of `run` ends, after looking at all of it. Inside a transaction.

    Raises:
        JournalDamaged: Something is not what was written.
        Refused: There is no such run.
    """
    row = database.row("run", run=run)
    if row is None:
        if anchors.held(run) is not None:
            raise JournalDamaged(damage(run, "it was written here, but is in no list any more"))
        raise unknown_run(run)
    papers = pinned(database, run)
    start = born(record_of(row), papers)
    if start.hash != row["genesis"]:
        raise JournalDamaged(damage(run, "the list of documents, or how it was started, differs"))
    head = Head(row["entries"], row["head_hash"])
    flaw = first_flaw(entries(database, run, 0), start, head)
    if flaw:
        raise JournalDamaged(damage(run, str(flaw)))
    _must_hold(anchors, run, head, lambda seq: _hash_at(database, run, seq, start))
    return head


def pinned(database: Database, run: RunId) -> tuple[Document, ...]:
    """The documents of `run`.

    Raises:
        JournalDamaged: One is not what its hash says.
    """
    found = tuple(document_of(row) for row in database.rows("documents", run=run))
    for document in found:
        if digest(document.content) != document.sha256:
            raise JournalDamaged(damage(run, f"{document.kind} {document.path} was altered"))
    return found


def entries(database: Database, run: RunId, after: int) -> Iterator[Entry]:
    """Entries with `seq > after`, read page by page, so that no writer has to wait for long.

    Raises:
        JournalDamaged: An entry cannot be read.
    """
    while True:
        rows = database.rows("entries", run=run, after=after, limit=PAGE)
        for row in rows:
            yield entry_of(run, row)
        if len(rows) < PAGE:
            return
        after = rows[-1]["seq"]


def entries_of_steps(database: Database, run: RunId, steps: Collection[StepId]) -> Iterator[Entry]:
    """Entries whose event happened to one of these steps, read page by page.

    Raises:
        JournalDamaged: An entry cannot be read.
    """
    # A body is stored in its one spelling, and a text in it has its quotes escaped: SQLite finds
    # what cannot be meant, without an index, faster than Python can read the rows.
    mark = f'"step":{canonical(*steps)}' if len(steps) == 1 else '"step":'
    after = 0
    while True:
        rows = database.rows("entries_with", run=run, after=after, mark=mark, limit=PAGE)
        for row in rows:
            entry = entry_of(run, row)
            if entry.body.get("step") in steps:
                yield entry
        if len(rows) < PAGE:
            return
        after = rows[-1]["seq"]


def digest_of_entries(database: Database, run: RunId, upto: int) -> str:
    """SHA-256 of the first `upto` entries, to every byte as they are stored, hex.

    It tells whether they are the same as when it was taken before; whether they were what was
    written, the chain tells, which takes a hundred times as long.
    """
    found = hashlib.sha256()
    for after in range(0, upto, _WINDOW):
        until = min(upto, after + _WINDOW)
        for row in database.rows("digested_entries", run=run, after=after, upto=until):
            columns = (f"{row[column]}\0" for column in _DIGESTED)
            found.update("".join(columns).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def digest(content: str) -> str:
    """SHA-256 of a text, hex; bytes that were no text count as they were."""
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()


def unknown_run(run: RunId) -> Refused:
    """There is no such run."""
    return Refused(f"there is no run {run}; see: drrun history")


def _hash_at(database: Database, run: RunId, seq: int, start: Head) -> str:
    if seq == 0:
        return start.hash
    row = database.row("hash_of_entry", run=run, seq=seq)
    return row["hash"] if row else ""


def _must_hold(anchors: Anchors, run: RunId, head: Head, hash_at: Callable[[int], str]) -> None:
    anchor = anchors.held(run)
    if anchor is None or hash_at(anchor.seq) == anchor.hash:
        return
    what = (
        f"it ends with entry {head.seq}, but had reached entry {anchor.seq}: an old copy was "
        "put back, or its end was cut"
        if anchor.seq > head.seq
        else f"entry {anchor.seq} is another one than was written"
    )
    raise JournalDamaged(
        damage(run, f"{what} (remembered in {anchors.path(run)}; remove that file to accept it)")
    )

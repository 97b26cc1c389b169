"""Checks that a run's journal was not altered: documents, chain, head and anchor.

Rules:
- The check names every flaw (altered, missing, added, cut), with its entry if it has one.
- A controller checks before it takes the lease: a damaged run is not continued (fault F87).
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from drrun.core.integrity.chain import Head, canonical, link
from drrun.core.integrity.flaws import Inspection, TornEntry
from drrun.core.model.errors import JournalDamaged, Refused, RunDamaged
from drrun.core.model.ids import RunId, StepId
from drrun.core.model.status import ENDED
from drrun.engine.sealing import born
from drrun.journal.anchors import Anchors
from drrun.journal.database import Database, Row
from drrun.journal.rows import document_of, entry_of, left_of, record_of
from drrun.ports.journal import Document, Entry, JournalCheck

#: Entries per page.
PAGE = 500
#: Message for a run that has traces in the folder, but is not in the database.
GONE = "it was written here, but no list has it any more"
#: Entries that SQLite joins into one text, for `digest_of_entries`.
_WINDOW = 2000
_DIGESTED = (
    "texts", "types", "seqs", "moments", "epochs", "versions", "kinds", "lengths", "actors",
    "hashes", "bodies",
)  # fmt: skip


def head_of(database: Database, anchors: Anchors, run: RunId) -> Head:
    """Check all of `run` and return the head of its chain; call inside a transaction.

    Raises:
        JournalDamaged: Something was altered.
        Refused: There is no such run.
    """
    found = looked_over(database, anchors, run)
    if found.flaws:
        raise RunDamaged(run, found.flaws)
    return found.sound


def looked_over(
    database: Database, anchors: Anchors, run: RunId, since: Head | None = None
) -> JournalCheck:
    """Find every flaw in a run's journal.

    Outside of a transaction a controller may write meanwhile. It only appends, and writes the
    anchor last. So the order is: anchor, recorded end, entries, recorded end again.

    Args:
        database: Holds the run.
        anchors: The anchors beside the database.
        run: Which.
        since: An entry known to be sound, like all before it; None: check all entries.

    Raises:
        Refused: There is no such run.
    """
    anchor = anchors.held(run)
    row = database.row("run", run=run)
    if row is None:
        if anchor is None:
            raise unknown_run(run)
        return JournalCheck(Head(0, ""), (GONE,))
    papers = [document_of(each) for each in database.rows("documents", run=run)]
    flaws = list(_altered_papers(row, papers))
    start = since or _start(database, row, papers)
    look = Inspection(start)
    for entry in whatever_is_left(database, run, start.seq):
        look.add(entry)
    found = look.close(_recorded_end(database, row, look.number))
    flaws += map(str, found.flaws)
    flaws += _disbelieved(database, row)
    doubted = [range(flaw.first, flaw.last + 1) for flaw in found.flaws if flaw.is_there]
    if anchor is not None:
        flaws += _disagreement(database, row, anchor, anchors.path(run))
    return JournalCheck(found.sound, tuple(flaws), tuple(doubted))


def _disbelieved(database: Database, row: Row) -> Iterator[str]:
    """Report a final status in the list of runs that the journal does not have."""
    end = database.row("last_end", run=row["id"])
    if row["status"] in ENDED and end is not None and f'"{row["status"]}"' not in end["body"]:
        yield f"the list of runs has it {row['status']}, its journal does not"


def _altered_papers(row: Row, papers: Sequence[Document]) -> Iterator[str]:
    """Flaws of the documents, and of the facts about a run that never change."""
    for document in papers:
        if digest(document.content) != document.sha256:
            yield f"{document.kind} {document.path} was altered"
    if _born(row, papers) != row["genesis"]:
        yield "the list of documents, or how it was started, differs"


def _start(database: Database, row: Row, papers: Sequence[Document]) -> Head:
    """The genesis that the first entry links to: computed if that fits, else recorded."""
    made = Head(0, _born(row, papers))
    first = next(whatever_is_left(database, RunId(row["id"]), 0), None)
    if first is None or isinstance(first, TornEntry) or first.hash != link(made.hash, first):
        return Head(0, row["genesis"])
    return made


def _born(row: Row, papers: Sequence[Document]) -> str:
    try:
        return born(record_of(row), papers).hash
    except (JournalDamaged, ValueError, TypeError):
        return ""


def _recorded_end(database: Database, row: Row, reached: int) -> Head | None:
    """The head that the chain must end with; None if it grew after entry `reached`."""
    if reached > row["entries"]:
        row = database.row("run", run=row["id"]) or row
        if row["entries"] > reached:
            return None
    return Head(row["entries"], row["head_hash"])


def pinned(database: Database, run: RunId) -> tuple[Document, ...]:
    """The documents of `run`.

    Raises:
        JournalDamaged: A document does not match its hash.
    """
    found = tuple(document_of(row) for row in database.rows("documents", run=run))
    for document in found:
        if digest(document.content) != document.sha256:
            raise RunDamaged(run, [f"{document.kind} {document.path} was altered"])
    return found


def entries(database: Database, run: RunId, after: int) -> Iterator[Entry]:
    """Entries with `seq > after`, in order.

    Raises:
        JournalDamaged: An entry cannot be read.
    """
    return (entry_of(run, row) for row in _rows(database, run, after))


def whatever_is_left(database: Database, run: RunId, after: int) -> Iterator[Entry | TornEntry]:
    """Entries with `seq > after`, in order, including unreadable ones."""
    return (left_of(run, row) for row in _rows(database, run, after))


def _rows(database: Database, run: RunId, after: int) -> Iterator[Row]:
    """Read entries page by page, so that no writer waits long."""
    while True:
        rows = database.rows("entries", run=run, after=after, limit=PAGE)
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1]["seq"]


def entries_of_steps(database: Database, run: RunId, steps: Collection[StepId]) -> Iterator[Entry]:
    """Entries whose event happened to one of these steps, read page by page.

    Raises:
        JournalDamaged: An entry cannot be read.
    """
    # Bodies are canonical JSON, and quotes inside texts are escaped. So SQLite can skip rows
    # without `mark`. It needs no index, and is faster than reading all rows in Python.
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
    """SHA-256 of every stored byte of the first `upto` entries, hex.

    An equal digest means that the entries have not changed since the last one. Only the chain
    shows that they are what was written; checking it takes a hundred times as long.
    """
    found = hashlib.sha256()
    for after in range(0, upto, _WINDOW):
        until = min(upto, after + _WINDOW)
        for row in database.rows("digested_entries", run=run, after=after, upto=until):
            columns = (f"{row[column]}\0" for column in _DIGESTED)
            found.update("".join(columns).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def digest(content: str) -> str:
    """SHA-256 of a text, hex; bytes that were not UTF-8 are hashed unchanged."""
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()


def unknown_run(run: RunId) -> Refused:
    """The error for a run that does not exist."""
    return Refused(f"there is no run {run}; see: drrun history")


def _disagreement(database: Database, row: Row, anchor: Head, path: Path) -> Iterator[str]:
    """Flaws that only the anchor reveals: an old copy, a cut end, a replaced entry."""
    way_out = f"(remembered in {path}; remove that file to accept it)"
    found = database.row("hash_of_entry", run=row["id"], seq=anchor.seq)
    if found is None and anchor.seq > row["entries"]:
        yield (
            f"it ends with entry {row['entries']}, but had reached entry {anchor.seq}: an old "
            f"copy was restored, or its end was cut {way_out}"
        )
    if found is not None and found["hash"] != anchor.hash:
        yield f"entry {anchor.seq} is another one than was written {way_out}"

"""How drafts become entries, whatever a journal is kept in.

Rules:
- Every journal seals the same way, so a run that moves from one to another keeps its hashes.
- A body goes through JSON once, so every journal gives back the same plain values.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from drrun.core.integrity.chain import Head, canonical, genesis, link
from drrun.core.model.ids import RunId
from drrun.ports.journal import Document, Draft, Entry, RunRecord


def plain(text: str) -> str:
    """`text` that any storage takes: bytes that were no text, as in odd file names, are spelt."""
    return text.encode("utf-8", "backslashreplace").decode()


def storable(
    record: RunRecord, documents: Iterable[Document]
) -> tuple[RunRecord, tuple[Document, ...]]:
    """A run and its documents as they are kept."""
    kept = replace(
        record,
        runbook=plain(record.runbook),
        title=plain(record.title),
        variant=plain(record.variant),
        started_at=float(record.started_at),
        started_by=plain(record.started_by),
        entries=0,
    )
    return kept, tuple(replace(each, path=plain(each.path)) for each in documents)


def born(record: RunRecord, documents: Iterable[Document]) -> Head:
    """The head of a run that has no entry yet: what never changes in it, and its documents."""
    facts: dict[str, object] = {
        "run": record.id,
        "runbook": record.runbook,
        "title": record.title,
        "mode": record.mode,
        "variant": record.variant,
        "started_at": float(record.started_at),
        "started_by": record.started_by,
    }
    if record.services:  # older runs know of none
        facts["services"] = list(record.services)
    return genesis(facts, ((each.kind, each.path, each.sha256) for each in documents))


def seal(run: RunId, epoch: int, head: Head, drafts: Sequence[Draft]) -> list[Entry]:
    """Place `drafts` behind `head`, each linked to the one before."""
    sealed: list[Entry] = []
    for draft in drafts:
        entry = Entry(
            run=run,
            seq=head.seq + 1,
            at=float(draft.at),
            actor=plain(draft.actor),
            epoch=epoch,
            kind=draft.kind,
            version=draft.version,
            body=json.loads(canonical(draft.body)),
        )
        head = Head(entry.seq, link(head.hash, entry))
        sealed.append(replace(entry, hash=head.hash))
    return sealed

"""Rows of the database to values, and back.

Rules:
- What is no JSON any more, or of another type than was written, is damage, and named.
"""

import json
from collections.abc import Mapping
from typing import Any

from drrun.core.integrity.chain import canonical
from drrun.core.integrity.flaws import TornEntry
from drrun.core.model.errors import JournalDamaged, RunDamaged
from drrun.core.model.ids import RunId
from drrun.core.model.status import RunStatus
from drrun.journal.database import Row
from drrun.ports.journal import Document, Entry, Lease, Request, RunRecord

#: The first moment that no calendar has: the year 10000.
_NEVER = 253_402_300_800.0


def entry_of(run: RunId, row: Row) -> Entry:
    """An entry as it is stored; whether it is what was written, the chain tells.

    Raises:
        JournalDamaged: It cannot be read.
    """
    try:
        body: Mapping[str, Any] = json.loads(row["body"])
        # A body is stored in its one spelling: another spelling was not written by us.
        altered = canonical(body) != row["body"] or not isinstance(body, dict)
        altered = altered or not 0 <= row["at"] < _NEVER
        entry = Entry(
            run=run,
            seq=int(row["seq"]),
            at=float(row["at"]),
            actor=str(row["actor"]),
            epoch=int(row["epoch"]),
            kind=str(row["kind"]),
            version=int(row["version"]),
            body=body,
            hash=str(row["hash"]),
        )
    except (ValueError, TypeError, RecursionError):
        altered, entry = True, None
    if altered or entry is None:
        raise RunDamaged(run, [f"entry {row['seq']} was altered"])
    return entry


def left_of(run: RunId, row: Row) -> Entry | TornEntry:
    """An entry as it is stored, or what is left of it."""
    try:
        return entry_of(run, row)
    except JournalDamaged:
        seq = row["seq"] if isinstance(row["seq"], int) else 0
        return TornEntry(seq, str(row["hash"]))


def entry_values(entry: Entry, lease: Lease) -> dict[str, Any]:
    """What `append_entry` wants."""
    return {
        "run": entry.run,
        "seq": entry.seq,
        "at": entry.at,
        "actor": entry.actor,
        "epoch": entry.epoch,
        "kind": entry.kind,
        "version": entry.version,
        "body": canonical(entry.body),
        "hash": entry.hash,
        "pid": lease.pid,
        "host": lease.host,
        "started": lease.started,
    }


def record_of(row: Row) -> RunRecord:
    """A line of the history.

    Raises:
        JournalDamaged: It cannot be read.
    """
    try:
        services = tuple(str(each) for each in json.loads(row["services"]))
        times = [float(at) for at in (row["started_at"], row["ended_at"]) if at is not None]
        odd = row["status"] not in list(RunStatus) or not all(0 <= at < _NEVER for at in times)
    except (ValueError, TypeError):
        odd, services = True, ()
    if odd:
        raise RunDamaged(RunId(row["id"]), ["its line in the list of runs was altered"])
    return RunRecord(
        id=RunId(row["id"]),
        runbook=row["runbook"],
        title=row["title"],
        mode=row["mode"],
        variant=row["variant"],
        started_at=row["started_at"],
        started_by=row["started_by"],
        status=row["status"],
        ended_at=row["ended_at"],
        entries=row["entries"],
        services=services,
    )


def document_of(row: Row) -> Document:
    """A document that a run is pinned to; whether it is what was written, its hash tells."""
    kind, path, content, digest = (str(row[n]) for n in ("kind", "path", "content", "sha256"))
    return Document(kind, path, content, digest)


def lease_of(row: Row) -> Lease:
    """A lease."""
    return Lease(
        run=RunId(row["run"]),
        epoch=row["epoch"],
        holder=row["holder"],
        host=row["host"],
        pid=row["pid"],
        since=row["since"],
        seen=row["seen"],
        started=row["started"],
    )


def request_of(row: Row) -> Request:
    """A request of a person.

    Raises:
        JournalDamaged: It cannot be read.
    """
    run = RunId(row["run"])
    try:
        body = json.loads(row["body"])
    except (ValueError, TypeError, RecursionError):
        raise RunDamaged(run, [f"request {row['id']} was altered"]) from None
    return Request(row["id"], run, row["at"], row["actor"], row["kind"], body)

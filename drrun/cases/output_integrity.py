"""Checks the kept outputs of steps against their hashes in the journal."""

from collections.abc import Iterator
from hashlib import sha256

from drrun.core import events as ev
from drrun.core.model.errors import JournalDamaged
from drrun.core.model.ids import RunId, StepId, TargetKey, TargetName
from drrun.engine.records import Records


def refuse_altered(records: Records, run: RunId) -> None:
    """Refuse a run with an output that does not match its hash in the journal.

    Raises:
        JournalDamaged: Names every such output.
    """
    if flaws := list(_altered(records, run)):
        raise JournalDamaged(f"the chain of {run} holds, but {'; '.join(flaws)}")


def _altered(records: Records, run: RunId) -> Iterator[str]:
    """One clause per altered output. An output that was kept only in part is skipped."""
    for entry in records.journal.read(run):
        event = ev.event_of(entry.kind, entry.body)
        if not isinstance(event, ev.AttemptEnded):
            continue
        key = TargetKey(StepId(event.step), TargetName(event.target))
        for stream, account in event.output.items():
            if account["truncated"] or account["reason"] or not account["masked"]:
                continue
            found, size = sha256(), 0
            kept = records.spool.kept(run, key.step, key.target, event.attempt, stream)
            for chunk in kept.chunks():
                found.update(chunk)
                size += len(chunk)
            if found.hexdigest() != account["sha256"]:
                what = "was altered" if size else "is missing"
                yield f"{stream} of {key}, attempt {event.attempt}, {what}"

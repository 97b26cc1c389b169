"""Is a run what was written? The chain is looked at once, then behind what was kept of that look.

Rules:
- As little as can be is imported here: it is asked of every run that the history shows.
"""

from itertools import takewhile

from drrun.core.integrity.chain import Head
from drrun.core.model.errors import RunDamaged
from drrun.core.model.ids import RunId
from drrun.engine.records import Records
from drrun.ports.journal import Entry, JournalCheck, KeptFold

#: So many new entries make it worth while to keep what came of them.
WORTH_KEEPING = 1000


def checked_since(records: Records, run: RunId, kept: KeptFold | None) -> JournalCheck:
    """Whether the journal is what was written, as the entries are that something was kept of."""
    since = kept.head if kept is not None and kept.head.seq else None
    return records.journal.check(run, since)


def is_sound(records: Records, run: RunId, worth_keeping: int = WORTH_KEEPING) -> JournalCheck:
    """Whether a run's journal is what was written; nothing is folded.

    Args:
        records: Where the run is kept.
        run: Which.
        worth_keeping: So many new entries make it worth while to keep how far it was looked at.
    """
    kept = records.folds.recall(run) if records.folds else None
    checked = checked_since(records, run, kept)
    new = checked.sound.seq - kept.head.seq if kept and not kept.text else 0
    if records.folds and not checked.flaws and new >= worth_keeping:
        records.folds.keep(run, checked.sound, "")
    return checked


def news(records: Records, run: RunId, last: Head) -> list[Entry]:
    """Entries behind one that is known to be sound; behind the genesis, if that is none yet.

    Raises:
        JournalDamaged: They are not what was written.
    """
    checked = records.journal.check(run, last if last.seq else None)
    if checked.flaws:
        raise RunDamaged(run, checked.flaws)
    found = records.journal.read(run, last.seq)
    return list(takewhile(lambda entry: entry.seq <= checked.sound.seq, found))

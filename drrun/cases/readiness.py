"""Is a runbook known to work? Verified when, in which mode, by which run; and why that lapsed.

Rules (contract section 4, `readiness`):
- Only a live run or a rehearsal that succeeded without exception verifies; a dry-run, a tabletop
  or a run on stand-ins never does.
- It lapses when a file that the run was pinned to has changed since, or when its period is over.
- A rehearsal that has not cleaned up behind itself verifies nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from drrun.cases.close import unclean
from drrun.cases.experience import PROVING, is_experience
from drrun.cases.fingerprint import is_file
from drrun.cases.read_run import known
from drrun.core.dataclass import dataclass
from drrun.core.model.runbook import Mode, Runbook
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration
from drrun.engine.records import Records
from drrun.ports.journal import Document, PreflightRecord, RunRecord

#: At least yearly, where the runbook says nothing (SOC 2, DORA, NIST SP 800-34).
PERIOD = Duration(365 * 86400)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is known of one runbook."""

    runbook: str
    path: str
    #: The run that verified it last; None: none did.
    verified: RunRecord | None
    #: Why it does not count any more, or never did; "" if it counts.
    why: str
    #: Until when it counts; None if it does not.
    until: float | None
    #: The last rehearsal, however it ended.
    rehearsed: RunRecord | None
    preflight: PreflightRecord | None

    @property
    def ready(self) -> bool:
        """Whether it is verified, and that counts."""
        return self.verified is not None and not self.why


def readiness(records: Records, runbook: Runbook, path: Path) -> Readiness:
    """What is known of a runbook as it is now."""
    now = records.clock.now()
    mine = [each for each in records.journal.runs() if each.runbook == runbook.name]
    succeeded = (each for each in mine if each.status == RunStatus.SUCCEEDED)
    proofs = (each for each in succeeded if is_experience(records, each, whole=True))
    verified = next(proofs, None)
    notebook = records.notebook
    excepted = next((each for each in mine if _excepted(each)), None)
    why, until = "it was never verified", None
    if excepted is not None:
        why += f": {excepted.id} has succeeded with exceptions"
    if verified is not None:
        until = (verified.ended_at or verified.started_at) + (runbook.rehearse_every or PERIOD)
        why = next(_lapses(records, verified, until, now), "")
    return Readiness(
        runbook.name, str(path), verified, why, None if why else until,
        next((each for each in mine if each.mode == str(Mode.REHEARSAL)), None),
        notebook.latest(runbook.name, now) if notebook else None,
    )  # fmt: skip


def _excepted(run: RunRecord) -> bool:
    return run.mode in PROVING and run.status == RunStatus.SUCCEEDED_WITH_EXCEPTIONS


def _lapses(records: Records, run: RunRecord, until: float, now: float) -> Iterator[str]:
    changed = sorted(_changed(records.journal.documents(run.id)))
    if changed:
        yield f"changed since: {', '.join(changed)}"
    if now > until:
        yield f"its period was over {Duration(now - until)} ago"
    if run.mode == str(Mode.REHEARSAL):
        yield from unclean(known(records, run.id))


def _changed(documents: Sequence[Document]) -> Iterator[str]:
    for document in documents:
        if not is_file(document):
            continue
        path = Path(document.path)
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            found = ""
        if found != document.sha256:
            yield path.name

"""Which run a person means.

Rules:
- A run that was written here and is in no list any more is never passed over: not as the latest
  one, and not where no other fits.
"""

from datetime import UTC, datetime

from drrun.core.model.errors import InputError, RunsLost
from drrun.core.model.ids import RunId
from drrun.engine.records import Records


def find_run(records: Records, text: str) -> RunId:
    """The run that a person means: an id, a unique beginning or part of one, or `latest`.

    Raises:
        InputError: There is none, or several.
        RunsLost: The database does not know it any more.
    """
    lost = records.journal.lost()
    runs = records.journal.runs()
    gone = records.shelf.removed(text) if records.shelf and text != "latest" else ()
    if text == "latest" and lost and not (runs and _began(max(lost)) < _began(runs[0].id)):
        raise RunsLost(lost, "cannot tell which run is the latest")
    if not runs and not gone and not lost:
        raise InputError("there is no run yet; begin one with: drrun run RUNBOOK")
    if text == "latest":
        return runs[0].id
    ids = [*(run.id for run in runs), *lost]
    for matches in (
        [run for run in ids if run == text],
        [run for run in ids if run.startswith(text)],
        [run for run in ids if text in run],
    ):
        if len(matches) > 1:
            raise InputError(f"{text!r} could be {', '.join(matches[:5])}")
        if matches and matches[0] in lost:
            raise RunsLost(matches, "the database is another, or an older one")
        if matches:
            return matches[0]
    for each in gone:
        day = datetime.fromtimestamp(each.at, UTC).date()
        raise InputError(
            f"{each.run} was removed by {each.by} on {day} (drrun prune); its journal ended with "
            f"{each.head}"
        )
    raise InputError(f"there is no run {text!r}; `drrun history` lists them")


def _began(run: RunId) -> str:
    """When a run began, to the second, as its id tells: `20240111-090000`."""
    return run[:15]

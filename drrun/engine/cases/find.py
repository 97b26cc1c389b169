"""Which run a person means."""

from datetime import UTC, datetime

from drrun.core.errors import InputError
from drrun.core.ids import RunId
from drrun.engine.records import Records


def find_run(records: Records, text: str) -> RunId:
    """The run that a person means: an id, a unique beginning or part of one, or `latest`.

    Raises:
        InputError: There is none, or several.
    """
    runs = records.journal.runs()
    gone = records.shelf.removed(text) if records.shelf and text != "latest" else ()
    if not runs and not gone:
        raise InputError("there is no run yet; begin one with: drrun run RUNBOOK")
    if text == "latest":
        return runs[0].id
    for matches in (
        [run.id for run in runs if run.id == text],
        [run.id for run in runs if run.id.startswith(text)],
        [run.id for run in runs if text in run.id],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise InputError(f"{text!r} could be {', '.join(matches[:5])}")
    for each in gone:
        day = datetime.fromtimestamp(each.at, UTC).date()
        raise InputError(
            f"{each.run} was removed by {each.by} on {day} (drrun prune); its journal ended with "
            f"{each.head}"
        )
    raise InputError(f"there is no run {text!r}; `drrun history` lists them")

"""Traces: which runs the state folder knows beside its database.

Rules:
- Anchors and folders of outputs bear the name of their run. A run that left some is in the
  database, or in its list of runs that were removed: both were written before the trace was, and a
  trace is removed after its run. So traces are read first, the database next.
- A database without these runs is none of this folder's: it is missing, was emptied, or is another
  or an older one. That is damage, and never an empty history.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from urllib.parse import unquote

from drrun.core.model.ids import RunId
from drrun.journal.anchors import Anchors
from drrun.journal.folder import StatePlace
from drrun.journal.spool import folder_of_run


def traces(place: StatePlace) -> frozenset[str]:
    """Names of what runs left in the folder."""
    found: set[str] = set()
    for name in ("heads", "outputs"):
        with suppress(OSError):
            found |= {each.name for each in (place.folder / name).iterdir()}
    return frozenset(each for each in found if not each.startswith("."))


def unexplained(place: StatePlace, left: Collection[str], known: Iterable[str]) -> list[RunId]:
    """Runs that left traces and are not among those that the database knows."""
    anchors = Anchors(place.folder)
    names: set[str] = set()
    for run in map(RunId, known):
        names |= {anchors.path(run).name, folder_of_run(place.folder, run).name}
    return sorted(RunId(name_of(each)) for each in left if each not in names)


def name_of(trace: str) -> str:
    """The run that left a trace, as far as its name tells."""
    return unquote(trace)

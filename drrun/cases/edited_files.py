"""Files that were edited since a run was started: what differs, and whether the run may take it.

Rules:
- A file that is gone or cannot be read counts as unchanged: the run has its own copy, and the
  laptop it was started from may be lost.
- An edit is taken like an amendment, and judged as one: only what passed or is being executed is
  not rewritten.
- A comment, a title, an estimate is taken without a question.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drrun.cases.load_plan import LoadedPlan, current, part_documents
from drrun.cases.read_run import ReadRun
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError
from drrun.core.model.ids import StepId
from drrun.core.people.amending import amended, revised
from drrun.core.people.consider import Denied, Granted
from drrun.core.people.request import Asking
from drrun.files.runbook.step_text import step_text
from drrun.ports.journal import Document


@dataclass(frozen=True, slots=True)
class FileDecision:
    """What somebody decides about edited files."""

    #: Take the edits into the run; else it goes on with the files as they were.
    take: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class EditedFiles:
    """What was edited, and what would become of it."""

    #: For people: step by step, then what is beside the steps.
    shown: str
    #: The files, as a unified diff; recorded.
    diff: str
    #: It changes what is done, or who may do it.
    matters: bool
    #: The facts if it is taken, or why it cannot be.
    taken: Granted | Denied

    @property
    def changed(self) -> frozenset[StepId]:
        """Steps that it rewrites."""
        events = self.taken.events if isinstance(self.taken, Granted) else ()
        amended = [each for each in events if isinstance(each, ev.PlanAmended)]
        return frozenset(StepId(step) for each in amended for step in each.changed)


#: Asked where files were edited in a way that matters, or that cannot be taken.
AskFiles = Callable[[EditedFiles], FileDecision]


def edited_files(seen: ReadRun, by: str, now: float) -> EditedFiles | None:
    """What was edited since the run was started, or since edits were last taken; None: nothing."""
    before = current(seen.loaded.documents, seen.state.amendments)
    diff = changes(before)
    if not diff:
        return None
    try:
        after = _read_again(before)
    except InputError as error:
        return EditedFiles(diff, diff, matters=True, taken=Denied(str(error)))
    event = _event(before, after, by)
    found = revised(seen.state, event)
    taken = amended(Asking(seen.state, by, now), event, found)
    if isinstance(found, Denied):
        return EditedFiles(diff, diff, matters=True, taken=taken)
    steps = (*found[1].added, *found[1].changed, *found[1].reworded)
    shown = "".join(_step_by_step(_runbook(before), _runbook(after), steps))
    beside = diff if found[1].around or not shown else ""
    return EditedFiles(shown + beside, diff, matters=found[1].matters, taken=taken)


def with_edits(loaded: LoadedPlan, seen: ReadRun, taken: Sequence[ev.Event]) -> LoadedPlan:
    """The plan with everything that was amended so far, and with edits that are taken now."""
    amended = (
        *seen.state.amendments,
        *(each for each in taken if isinstance(each, ev.PlanAmended)),
    )
    if not amended or seen.state.replan is None:
        return loaded
    return replace(loaded, plan=seen.state.replan(amended))


def changes(documents: Sequence[Document]) -> str:
    """What changed in files, as a unified diff ("": nothing)."""
    return "".join(
        line
        for before, after in zip(documents, _now(documents), strict=True)
        if before.content != after.content
        for line in _diff(before, after)
    )


def _diff(before: Document, after: Document) -> Iterator[str]:
    for line in difflib.unified_diff(
        before.content.splitlines(keepends=True),
        after.content.splitlines(keepends=True),
        f"{before.path} (pinned)",
        f"{before.path} (now)",
    ):
        yield line if line.endswith("\n") else f"{line}\n"


def _now(documents: Sequence[Document]) -> tuple[Document, ...]:
    return tuple(replace(each, content=_content(each)) for each in documents)


def _content(document: Document) -> str:
    if not document.path:
        return document.content
    try:
        return Path(document.path).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return document.content


def _read_again(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The files as they are now, with runbooks inside the runbook that are new."""
    now = _now(documents)
    known = {each.kind for each in now}
    runbook = next(each for each in now if each.kind == "runbook")
    return (*now, *(each for each in part_documents(runbook) if each.kind not in known))


def _event(before: Sequence[Document], after: Sequence[Document], by: str) -> ev.PlanAmended:
    old = {(each.kind, each.path): each.content for each in before}
    files: tuple[Mapping[str, str], ...] = tuple(
        {"kind": each.kind, "path": each.path, "content": each.content}
        for each in after
        if old.get((each.kind, each.path)) != each.content
    )
    path = files[0]["path"] if files else ""
    why = "only words for people were edited"
    return ev.PlanAmended(path=path, text="", by=by, why=why, added=(), changed=(), files=files)


def _runbook(documents: Sequence[Document]) -> str:
    return next(each.content for each in documents if each.kind == "runbook")


def _step_by_step(before: str, after: str, steps: Sequence[StepId]) -> Iterator[str]:
    for step in steps:
        old = (step_text(before, step) or "").splitlines()[1:]
        new = (step_text(after, step) or "").splitlines()[1:]
        if old != new:
            yield f"{step}:\n"
            marked = difflib.ndiff(old, new)
            yield from (f"  {line}\n" for line in marked if not line.startswith("?"))

"""The text of a step as it counts in a run now, for whoever wants to correct it."""

from drrun.cases.load_plan import current
from drrun.cases.read_run import ReadRun
from drrun.core.events import PlanAmended
from drrun.core.model.errors import InputError
from drrun.core.model.ids import StepId
from drrun.files.runbook.step_text import step_text


def source_of(seen: ReadRun, step: StepId) -> str:
    """A step as it was written last, as an amendment.

    Raises:
        InputError: It is not written in the runbook or an amendment, but in a runbook inside.
    """
    amendments = seen.state.amendments
    runbook = next(
        each.content
        for each in current(seen.loaded.documents, amendments)
        if each.kind == "runbook"
    )
    texts = [_text(each) for each in reversed(amendments) if step in _rewritten(each)]
    for text in (*texts, runbook):
        if found := step_text(text, step):
            return found
    raise InputError(
        f"{step} is written in a runbook inside the runbook. Edit that file, then: "
        f"drrun resume {seen.run} --accept-changes --reason WHY"
    )


def _rewritten(event: PlanAmended) -> tuple[str, ...]:
    return (*event.added, *event.changed, *event.reworded)


def _text(event: PlanAmended) -> str:
    edited = (each["content"] for each in event.files if each["kind"] == "runbook")
    return event.text or next(edited, "")

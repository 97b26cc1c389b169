"""The report of a run, put together for whoever shows it."""

from collections.abc import Callable
from dataclasses import replace

from drrun.cases.close import unclean
from drrun.cases.load_plan import replanner
from drrun.cases.read_run import ReadRun
from drrun.core.model.ids import RunId
from drrun.core.model.runbook import Mode
from drrun.core.state.run_state import RunState
from drrun.engine.records import Records
from drrun.ports.journal import PreflightRecord, RunRecord
from drrun.report.after.chronology import chronology
from drrun.report.after.course import course_of
from drrun.report.after.view import Passage, Report, ReportContext, report_of
from drrun.report.facts import Fact
from drrun.report.run_view import RunView
from drrun.report.step_view import StepView, step_view
from drrun.report.text.step import Excerpts
from drrun.report.time_spent import spells

#: (records, run, step) -> what is shown of the output of each of its attempts.
ExcerptsOf = Callable[[Records, RunId, StepView], Excerpts]


def report_of_run(
    records: Records, seen: ReadRun, view: RunView, excerpts_of: ExcerptsOf
) -> Report:
    """Everything that a report of a run says, whatever its format.

    Args:
        records: Where the run is kept.
        seen: The run.
        view: The run as it stands.
        excerpts_of: What is shown of what the attempts of a step printed.
    """
    facts = seen.facts
    mine: dict[str, list[Fact]] = {}
    for fact in facts:
        mine.setdefault(str(getattr(fact.event, "step", "")), []).append(fact)
    order = seen.state.plan.order
    steps = [step_view(seen.state, mine.get(step, []), step) for step in order]
    outputs = {
        (str(step.id), str(target), attempt): streams
        for step in steps
        for (target, attempt), streams in excerpts_of(records, seen.run, step).items()
    }
    around = _around(records, seen)
    made = report_of(seen.state, facts, view, _passage(seen, view), steps, around)
    return replace(made, outputs=outputs)


def _passage(seen: ReadRun, view: RunView) -> Passage:
    """The run in time. Each look folds the journal anew, and sees every state on the way."""
    facts, end = seen.facts, view.head.ended_at or view.now
    course = course_of(_empty(seen), facts)
    titles = {service.name: service.title for service in view.services}
    return Passage(
        spells=tuple(spells(_empty(seen), facts, end)),
        course=course,
        chronology=chronology(facts, seen.state.hosts, course.levels, titles),
    )


def _empty(seen: ReadRun) -> RunState:
    return RunState(seen.loaded.plan, replanner(seen.loaded.documents, judged=True))


def _around(records: Records, seen: ReadRun) -> ReportContext:
    """What is known beside the run's own journal."""
    runs = records.journal.runs()
    this = next(each for each in runs if each.id == seen.run)
    before = (
        each
        for each in runs
        if (each.runbook, each.mode) == (this.runbook, this.mode)
        and each.started_at < this.started_at
    )
    earlier = next(before, None)
    notebook = records.notebook
    looked = notebook.latest(this.runbook, this.started_at) if notebook else None
    rehearsal = seen.loaded.plan.mode is Mode.REHEARSAL
    return ReportContext(
        documents=tuple(
            (each.kind, each.path, each.sha256) for each in seen.loaded.documents if each.path
        ),
        preflight=(looked.at, _short(looked)) if looked else None,
        earlier=(str(earlier.id), earlier.status, _length(earlier)) if earlier else None,
        unclean=tuple(unclean(seen)) if rehearsal else None,
    )


def _short(looked: PreflightRecord) -> tuple[str, ...]:
    return tuple(
        f"{each['what']} {each['where']}: {each['value']}"
        for each in looked.checks
        if not each["good"]
    )


def _length(run: RunRecord) -> float | None:
    return None if run.ended_at is None else run.ended_at - run.started_at

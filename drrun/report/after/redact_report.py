"""What a report does not say to others, taken out of the view itself.

Rules:
- `internal` takes out what was printed, and by which addresses hosts were reached: for colleagues
  who are no operators. `public` leaves titles, times, services and causes: nobody's name, no host,
  no command, no value that was seen, and nothing that people wrote in a hurry.
"""

from collections.abc import Sequence
from dataclasses import replace

from drrun.core.model.ids import TargetName
from drrun.report.after.chronology import Occurrence
from drrun.report.after.course import Course, Failure
from drrun.report.after.view import LeftToDo, Report, ReportContext
from drrun.report.run_view import RunView, StepLine
from drrun.report.step_view import StepView

LEVELS = ("internal", "public")


def redacted(report: Report, level: str) -> Report:
    """The report as `level` may see it."""
    if level == "internal":
        return replace(
            report,
            outputs={},
            routes={},
            steps=_without_places(report),
            passage=replace(report.passage, chronology=_without_ways(report)),
            redacted=level,
        )
    return replace(
        report,
        run=_public(report.run),
        description="",
        steps=(),
        outputs={},
        passage=replace(report.passage, course=_unexplained(report.course), chronology=()),
        decisions=(),
        deviations=(),
        regressions=(),
        notes=(),
        left=LeftToDo((), (), dict.fromkeys(report.stays, "")),
        clocks=tuple(replace(clock, by="", why="") for clock in report.clocks),
        context=ReportContext(),
        routes={},
        stores=tuple(replace(store, measured="") for store in report.stores),
        redacted=level,
    )


def _unexplained(course: Course) -> Course:
    def bare(failures: Sequence[Failure]) -> tuple[Failure, ...]:
        return tuple(replace(each, target=TargetName(""), why="") for each in failures)

    return replace(course, failures=bare(course.failures), corrected=bare(course.corrected))


def _without_ways(report: Report) -> tuple[Occurrence, ...]:
    return tuple(replace(each, way="") for each in report.chronology)


def _without_places(report: Report) -> tuple[StepView, ...]:
    return tuple(
        replace(
            step,
            targets=tuple(
                replace(
                    target,
                    attempts=tuple(
                        replace(attempt, route="", host_key="", user="")
                        for attempt in target.attempts
                    ),
                )
                for target in step.targets
            ),
        )
        for step in report.steps
    )


def _public(run: RunView) -> RunView:
    nobody = replace(run.head, started_by="", started_from=None, holder="", duty={})
    head = replace(nobody, damage=run.head.damage[:1])
    lines = tuple(_public_line(line) for line in run.lines)
    told = tuple(
        replace(each, about=each.step or each.about, why="", by="") for each in run.exceptions
    )
    return replace(run, head=head, why="", lines=lines, asks=(), exceptions=told)


def _public_line(line: StepLine) -> StepLine:
    return replace(line, where="", note="", owner="")

"""A run for the terminal: `status`, and the summary at the end of `run`."""

import shlex
from collections.abc import Iterator
from typing import assert_never

from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Mode
from drrun.core.model.status import GOOD, RunStatus, Status
from drrun.core.rules.endings import ExceptionKind, RunException
from drrun.report.clean import clean, clean_line
from drrun.report.exceptions import beside_steps, exception_lines
from drrun.report.forecast import Forecast
from drrun.report.ink import Style, style_of, style_of_run
from drrun.report.run_view import BAD, RunView, StepLine, WaitingGate
from drrun.report.services import Objective, ServiceView
from drrun.report.table import Cell, Column, table
from drrun.report.text.sheet import PLAIN, Sheet, join, plural
from drrun.report.times import hour, moment, rough, span, took

#: So many causes are named.
_HOLDS = 3
_SHAPE = (
    Column(""),
    Column("step"),
    Column("on", least=8),
    Column("took", right=True),
    Column("planned", right=True),
    Column("note", least=12),
)


def run_text(view: RunView, sheet: Sheet = PLAIN) -> str:
    """Everything about a run that fits on a screen or two."""
    lines = [sheet.title(view.title or view.name), *_head(view, sheet), ""]
    lines += table(_SHAPE, [_row(line) for line in view.lines], sheet.width, sheet.ink)
    if view.asks:
        lines += ["", sheet.ink("waiting for an answer", Style.DOUBT)]
        for ask in view.asks:
            lines += _ask(ask, view, sheet)
    lines += _exceptions(view, sheet)
    lines += _kept(view, sheet)
    lines += _services(view, sheet)
    if view.head.duty:
        spent = ", ".join(f"{who} {span(time)}" for who, time in view.head.duty.items())
        lines += ["", *sheet.headed("on duty", clean_line(spent))]
    hints = list(what_next(view))
    if hints:
        lines += ["", *hints]
    return join(lines)


def summary_text(view: RunView, sheet: Sheet = PLAIN) -> str:
    """The end of `run` and `resume`: how it went, what did not, what to type next."""
    lines = ["", sheet.title(view.title or view.name), *_head(view, sheet)]
    wrong = [line for line in view.lines if line.status in BAD or line.status is Status.UNKNOWN]
    if wrong:
        rows = [_row(line) for line in wrong]
        lines += ["", *table(_SHAPE, rows, sheet.width, sheet.ink)]
    for ask in view.asks:
        lines += ["", *_ask(ask, view, sheet)]
    lines += _exceptions(view, sheet)
    lines += _services(view, sheet)
    lines += ["", *what_next(view)]
    return join(lines)


def progress_of(view: RunView) -> str:
    """`14 steps: 7 passed, 1 skipped, 2 running…`; what is done comes first."""
    if view.dry is not None and view.head.ended_at is not None:
        return f"{plural(len(view.lines), 'step')}: {view.dry}"
    ranked = sorted(view.counts.items(), key=lambda each: each[0] not in GOOD)
    each = ", ".join(f"{count} {status}" for status, count in ranked)
    return f"{plural(len(view.lines), 'step')}: {each}"


def remaining_of(view: RunView) -> str:
    """`about 2h10m left, done about 16:40 UTC`; "" if nothing is to be said."""
    done = (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED_WITH_EXCEPTIONS, RunStatus.ABORTED)
    if view.forecast is None or view.head.status in done:
        return ""
    remaining, unestimated = view.forecast.remaining, view.forecast.unestimated
    doubt = f" ({plural(unestimated, 'step')} without estimate)" if unestimated else ""
    if view.forecast.holds:
        return held_up(view.forecast)
    if not remaining:
        return f"length of the rest is not known{doubt}" if doubt else ""
    least = "at least" if unestimated else "about"
    end = hour(view.now + remaining, view.now)
    return f"{least} {rough(remaining)} left, done about {end} UTC{doubt}"


def held_up(found: Forecast) -> str:
    """`not done before db-start is fixed; then at least 8s of work`."""
    holds = [clean_line(each) for each in found.holds]
    more = f" and {len(holds) - _HOLDS} more" if len(holds) > _HOLDS else ""
    least = "at least" if found.unestimated else "about"
    then = f"; then {least} {rough(found.remaining)} of work" if found.remaining else ""
    return f"not done before {', '.join(holds[:_HOLDS])}{more}{then}"


def _head(view: RunView, sheet: Sheet) -> Iterator[str]:
    variant = f", variant {view.variant}" if view.variant else ""
    yield clean_line(f"{view.head.id} ({view.mode}{variant})")
    status = sheet.ink(str(view.head.status), style_of_run(view.head.status))
    why = f": {clean_line(view.why)}" if view.why else ""
    yield f"{status}{why}"
    if view.started_at is not None:
        ended = view.head.ended_at
        began = f"started {moment(view.started_at)} UTC by {clean_line(view.head.starter)}"
        end = f", ended {moment(ended)} UTC" if ended is not None else ""
        yield f"{began}{end}, {took(view.took)}"
    if view.head.holder and view.head.ended_at is None:
        yield clean_line(f"driven by {view.head.holder}")
    for warning in view.warnings:
        yield sheet.ink(clean_line(warning), Style.DOUBT)
    yield progress_of(view)
    remaining = remaining_of(view)
    if remaining:
        yield remaining
    if view.head.seal:
        yield sheet.ink(f"journal {clean_line(view.head.seal)}", Style.QUIET)


def _kept(view: RunView, sheet: Sheet) -> Iterator[str]:
    """What people asked for while nobody drives the run, and how it is taken back."""
    run, kept = view.head.id, view.head.kept
    if not kept:
        return
    yield ""
    yield sheet.ink("kept until somebody resumes the run", Style.DOUBT)
    for each in kept:
        yield clean_line(f"  {each.id}  {each.by}, {hour(each.at, view.now)} UTC: {each}")
    yield f"  take one back: drrun withdraw {run} {kept[0].id}"


def _row(line: StepLine) -> list[str | Cell]:
    where = line.where
    if line.total > 1:
        where = f"{line.total} targets"
    note = f"LATE. {line.told}" if line.late and "late" not in line.note else line.told
    return [
        Cell(str(line.status), style_of(line.status)),
        line.id,
        where,
        took(line.took),
        "" if line.planned is None else rough(line.planned),
        note,
    ]


def _ask(ask: WaitingGate, view: RunView, sheet: Sheet) -> Iterator[str]:
    people = f" ({', '.join(ask.people)})" if ask.people else ""
    whom = f"{ask.role or 'anybody'}{people}"
    yield clean_line(
        f"  {ask.key} asks {whom}, since {hour(ask.since, view.now)} UTC "
        f"({span(max(0.0, view.now - ask.since))})"
    )
    for line in clean(ask.text).rstrip().splitlines():
        yield sheet.ink(f"    {line}", Style.STRONG)
    for line in _terms(ask, view.now):
        yield f"    {line}"
    for command in answers_to(ask, view.head.id):
        yield f"    {command}"


def _terms(ask: WaitingGate, now: float) -> Iterator[str]:
    """Options, who has approved, until when."""
    for option, about in ask.options.items():
        yield clean_line(f"{option}: {about}" if about else option)
    if ask.decide_at is not None:
        yield f"at {hour(ask.decide_at, now)} UTC without an answer: {ask.default}"
    if ask.count > 1:
        yield who_approved(ask)
    if ask.stuck:
        yield clean_line(ask.stuck)
    if ask.taken_by:
        yield clean_line(f"{ask.taken_by} has it")


def who_approved(ask: WaitingGate) -> str:
    """`1 of 2 have approved: carol`."""
    by = f": {', '.join(ask.approvals)}" if ask.approvals else ""
    return clean_line(f"{len(ask.approved)} of {ask.count} have approved{by}")


def whom_to_call(ask: WaitingGate, run: str) -> Iterator[str]:
    """For somebody who may not answer a question: who may, and what they type."""
    if ask.stuck:
        yield f"{ask.key}: {ask.stuck}"
        return
    people = f" ({', '.join(ask.people)})" if ask.people and ask.role else ""
    yield f"{ask.key} asks {ask.role or ', '.join(ask.people)}{people}; call them, they type:"
    yield f"  {next(answers_to(ask, run))}"


def answers_to(ask: WaitingGate, run: str) -> Iterator[str]:
    """The commands that answer a question."""
    given = "".join(f" --input {name}=<{kind}>" for name, kind in ask.input.items())
    evidence = " --evidence FILE" if ask.evidence else ""
    if ask.stuck:
        yield f"drrun resume {run} --by NAME    (somebody else drives it)"
        yield f"drrun amend {run} FILE --reason WHY    (with another approval for {ask.step})"
    match ask.kind:
        case "approval":
            typed = f" --type {shlex.quote(ask.typed)}" if ask.typed else ""
            yield f"drrun approve {run} {ask.key}{typed}"
        case "decision":
            yield f"drrun decide {run} {ask.key} {'|'.join(ask.options)}"
        case _:
            yield f"drrun confirm {run} {ask.key}{given}{evidence}"
    yield f"drrun reject {run} {ask.key} --reason WHY"
    if ask.kind == "unknown":
        yield f"drrun retry {run} {ask.key}"


def _exceptions(view: RunView, sheet: Sheet) -> list[str]:
    told = list(exception_lines(beside_steps(view), view.services))
    if not told:
        return []
    lines = ["", sheet.ink("exceptions", Style.DOUBT)]
    for each in told:
        lines += sheet.headed("", each, indent=2)
    return lines


def _services(view: RunView, sheet: Sheet) -> list[str]:
    raised = [service for service in view.services if service.rungs]
    if not raised:
        return []
    shape = (Column("service"), Column("level"), Column("recovered", right=True), Column("RTO"))
    rows = [_service(service) for service in raised]
    return ["", *table(shape, rows, sheet.width, sheet.ink)]


def _service(service: ServiceView) -> list[str | Cell]:
    styles = {Objective.MET: Style.GOOD, Objective.MISSED: Style.BAD}
    level = f"{service.level or 'down'}"
    if service.level is not service.best:
        level += f" (of {service.best})"
    rto = "" if service.rto is None else f"{service.rto}: {service.objective}"
    return [
        service.title or service.name,
        level,
        "" if service.recovered is None else f"after {span(service.recovered)}",
        Cell(rto, styles.get(service.objective, Style.PLAIN)),
    ]


def ways_out(view: RunView, step: StepId) -> Iterator[str]:
    """What can be done about a failed step; without a driver, `resume` tries it again."""
    run, named = view.head.id, shlex.quote(step)
    if view.head.holder:
        yield f"drrun retry {run} {named}"
    yield f"drrun edit {run} {named} --reason WHY"
    yield f"drrun skip {run} {named} --reason WHY"
    yield f"drrun mark-done {run} {named} --reason WHY"
    yield f"drrun rollback {run} --reason WHY"


_AFTER_ROLLBACK = frozenset(
    {RunStatus.FAILED, RunStatus.ABORTED, RunStatus.ROLLED_BACK_WITH_EXCEPTIONS}
)


def _left_by_rollback(view: RunView) -> RunException | None:
    """What a rollback was to undo and did not: first what failed, which keeps back the rest."""
    for kind in (ExceptionKind.UNDO_FAILED, ExceptionKind.NOT_ROLLED_BACK):
        for each in view.exceptions:
            if each.kind is kind:
                return each
    return None


def _after_rollback(run: str, left: RunException) -> Iterator[str]:
    """Only another rollback, or a person's hands, help where an undo did not."""
    step = shlex.quote(left.step)
    yield f"why:     drrun show {run} {step}"
    yield f"next:    drrun rollback {run}"
    if left.kind is ExceptionKind.UNDO_FAILED:
        yield f"         drrun mark-done {run} {step} --reason WHY  (you undid it by hand)"


def what_next(view: RunView) -> Iterator[str]:
    """What to type next."""
    run, status = view.head.id, view.head.status
    if status in _AFTER_ROLLBACK and (left := _left_by_rollback(view)) is not None:
        yield from _after_rollback(run, left)
        return
    failed = next((line for line in view.lines if line.status is Status.FAILED), None)
    if failed is not None:
        yield f"why:     drrun show {run} {failed.id}"
        yield f"output:  drrun logs {run} {failed.id}"
    taken_back = status in (RunStatus.ROLLED_BACK, RunStatus.ROLLED_BACK_WITH_EXCEPTIONS)
    if failed is not None and view.mode != Mode.DRY_RUN and not taken_back:
        for number, each in enumerate(ways_out(view, failed.id)):
            yield ("next:" if number == 0 else "").ljust(9) + each
    match status:
        case RunStatus.FAILED | RunStatus.INTERRUPTED | RunStatus.ABORTED:
            yield f"go on:   drrun resume {run}"
        case RunStatus.WAITING:
            if not view.head.holder:
                yield f"go on:   drrun resume {run}"
        case RunStatus.PAUSED:
            word = "unpause" if view.head.holder else "resume"
            yield f"go on:   drrun {word} {run}"
        case (
            RunStatus.RUNNING
            | RunStatus.SUCCEEDED
            | RunStatus.SUCCEEDED_WITH_EXCEPTIONS
            | RunStatus.ROLLED_BACK
            | RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
        ):
            pass
        case _:
            assert_never(view.head.status)

"""The report as Markdown: for a ticket, a wiki, a mail."""

from collections.abc import Iterator, Sequence

from drrun.report.after.gist import gist_text
from drrun.report.after.milestones import Away
from drrun.report.after.view import Report, Statement
from drrun.report.exceptions import exception_lines
from drrun.report.marking import safe, table
from drrun.report.times import moment, rough, span, took


def markdown(report: Report) -> str:
    """The text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    run = report.run
    yield f"# {safe(run.title or run.name)}\n"
    for line in run.head.damage:
        yield f"**{safe(line)}**\n"
    if report.is_test:
        yield f"**This was a {run.mode}, not a real incident.**\n"
    if report.redacted:
        yield f"*Redacted for {report.redacted} readers.*\n"
    began = moment(run.started_at) if run.started_at is not None else "never"
    yield f"**{run.head.status}** after {took(run.took)}, begun {began} UTC.\n"
    yield f"{safe(gist_text(report))}\n"
    yield f"- Run: `{run.head.id}`, mode {run.mode}"
    counts = ", ".join(f"{count} {status}" for status, count in run.counts.items())
    yield f"- Steps: {counts}"
    yield f"- Journal: `{run.head.seal}`\n"
    if run.exceptions:
        yield "## Exceptions\n"
        for each in exception_lines(run.exceptions, report.services):
            yield f"- {safe(each)}"
        yield ""
    yield from _clocks(report)
    yield from _services(report)
    yield from _chronology(report)
    yield "## Where the time went\n"
    yield from table(
        ("cause", "time"), ((cause, span(spent)) for cause, spent in report.causes.items())
    )
    yield f"Critical path: {' → '.join(report.critical) or 'none'}\n"
    yield "## Steps\n"
    yield from table(("step", "outcome", "on", "took", "planned", "note"), _steps(report))
    yield from _values(report)
    yield from _said("Decisions and answers", report.decisions)
    yield from _said("Deviations", report.deviations)
    yield from _said("What broke again", report.regressions)
    yield from _said("Notes", report.notes)
    yield from _open(report)


def _clocks(report: Report) -> Iterator[str]:
    yield "## Clocks\n"
    yield from table(
        ("clock", "UTC", "stated by", "why"),
        ((each.name, moment(each.at), each.by, each.why) for each in report.clocks),
    )
    for warning in report.run.warnings:
        yield f"**{safe(warning)}**\n"
    if report.run.clocks:
        told = "; ".join(str(each) for each in report.run.clocks)
        yield f"Clocks of hosts against that of the controller's machine: {safe(told)}\n"
    if any(each.from_disruption is not None for each in report.away):
        yield from table(
            ("service", "after the disruption", "after the declaration", "RTO"),
            (
                (
                    each.title,
                    span(each.from_disruption) if each.from_disruption is not None else "never",
                    span(each.from_declaration) if each.from_declaration is not None else "never",
                    _objective(each),
                )
                for each in report.away
            ),
        )


def _objective(each: Away) -> str:
    if each.rto is None or each.met is None:
        return str(each.rto or "")
    return f"{each.rto} {'met' if each.met else 'missed'}"


def _services(report: Report) -> Iterator[str]:
    if not report.services:
        return
    yield "## Services\n"
    yield from table(
        ("service", "level", "recovered after", "RTO", "objective"),
        (
            (
                service.title or service.name,
                str(service.level or "down"),
                span(service.recovered) if service.recovered is not None else "not yet",
                str(service.rto or ""),
                str(service.objective),
            )
            for service in report.services
        ),
    )


def _chronology(report: Report) -> Iterator[str]:
    if not report.chronology:
        return
    yield "## Chronology\n"
    yield from table(
        ("UTC", "what", "about", "by", ""),
        ((moment(each.at), each.word, each.about, each.who, each.whole)
         for each in report.chronology),
    )  # fmt: skip


def _steps(report: Report) -> Iterator[Sequence[str]]:
    for line in report.run.lines:
        length = took(line.took) if line.ended_at is not None else ""
        planned = "" if line.planned is None else rough(line.planned)
        where = f"{line.total} targets" if line.total > 1 else line.where
        yield line.id, str(line.status), where, length, planned, line.told


def _values(report: Report) -> Iterator[str]:
    """What steps captured and people typed; of readers elsewhere the report has no steps."""
    found = [
        (f"{step.id}@{story.target}" if len(step.targets) > 1 else step.id, name, str(value))
        for step in report.steps
        for story in step.targets
        for name, value in story.values.items()
    ]
    if found:
        yield "## Values\n"
        yield from table(("step", "name", "value"), found)


def _open(report: Report) -> Iterator[str]:
    if report.stays:
        yield "## What the rollback left changed\n"
        for about, why in report.stays.items():
            yield f"- **{safe(about)}**{f': {safe(why)}' if why else ''}"
        yield ""
    if report.workarounds:
        yield "## Workarounds\n"
        for each in report.workarounds:
            more = "".join(
                f" {name}: {safe(text)}."
                for name, text in (("Owner", each.owner), ("Expires", each.expires))
                if text
            )
            yield f"- **{each.step}**: {safe(each.reason)}{more}"
        yield ""
    for kind, title in (("finding", "Findings"), ("follow-up", "Follow-ups")):
        ends = [each for each in report.ends if each.kind == kind]
        if ends:
            yield f"## {title}\n"
            for end in ends:
                about = f"**{end.step}**: " if end.step else ""
                told = ", ".join(word for word in (end.severity, end.owner, end.due) if word)
                yield f"- [ ] {about}{safe(end.text)}{f' ({safe(told)})' if told else ''}"
            yield ""


def _said(title: str, list_: Sequence[Statement]) -> Iterator[str]:
    if not list_:
        return
    yield f"## {title}\n"
    for each in list_:
        on = f" on {safe(each.step)}" if each.step else ""
        yield f"- {moment(each.at)} **{safe(each.by)}**{on}: {safe(each.text)}"
    yield ""

"""A plan for the terminal."""

from collections.abc import Iterator

from drrun.report.clean import clean_line
from drrun.report.ink import Style
from drrun.report.plan_view import Load, PlanLine, PlanView
from drrun.report.services import ServiceView
from drrun.report.table import Cell, Column, table
from drrun.report.text.sheet import PLAIN, Sheet, join, plural
from drrun.report.times import rough

_SHAPE = (
    Column("wave", right=True),
    Column(""),
    Column("step"),
    Column("on", least=8),
    Column("begins", right=True),
    Column("takes", right=True),
    Column("what", least=8),
)


def plan_text(view: PlanView, sheet: Sheet = PLAIN) -> str:
    """Steps in order, then what decides about length, people and risk."""
    part = [line for line in view.lines if not line.left_out]
    lines = [sheet.title(view.title or view.name), summary(view), ""]
    lines += table(_SHAPE, [_row(line) for line in part], sheet.width, sheet.ink)
    lines += ["", *_marks(part), ""]
    if view.critical_path:
        path = f"{' -> '.join(view.critical_path)} ({rough(view.length)})"
        lines += sheet.headed("critical path", path)
    for head, text in paragraphs(view):
        lines += sheet.headed(head, text)
    return join(lines)


def summary(view: PlanView) -> str:
    """The plan in one line."""
    taking_part = sum(not line.left_out for line in view.lines)
    variant = f", variant {view.variant}" if view.variant else ""
    length = f"about {rough(view.length)}" if view.length else "no estimate of the length"
    objective = ""
    if view.rto is not None:
        verdict = "fits" if view.length <= view.rto else "does NOT fit"
        objective = f" ({verdict} into the RTO of {view.rto})"
    return clean_line(
        f"{view.name}, mode {view.mode}{variant}: {plural(taking_part, 'step')}, "
        f"{plural(len(view.hosts), 'host')}, {length}{objective}"
    )


def _row(line: PlanLine) -> list[str | Cell]:
    marks = ("*" if line.critical else "") + ("!" if line.irreversible else "")
    return [
        str(line.wave),
        Cell(marks, Style.DOUBT),
        Cell(line.id, Style.STRONG if line.critical else Style.PLAIN),
        where(line),
        f"+{rough(line.begins)}",
        "?" if line.length is None else rough(line.length),
        what(line),
    ]


def what(line: PlanLine) -> str:
    """What kind of step it is, who acts, and on which condition."""
    parts = [line.action]
    if line.answers:
        parts.append(f"after {line.owner or 'somebody'} answers ({rough(line.answers)})")
    elif line.person and line.owner:
        parts.append(f"by {line.owner}")
    if line.when:
        parts.append(f"when {line.when}")
    if line.not_before:
        parts.append(f"not before {line.not_before}")
    return ", ".join(parts)


def where(line: PlanLine) -> str:
    """Where it is executed, as short as a column."""
    if line.targets == ("local",):
        return "a person" if line.action in ("manual", "decision") else "here"
    if len(line.targets) > 3:
        return f"{len(line.targets)} targets"
    return " ".join(line.targets)


def _marks(part: list[PlanLine]) -> list[str]:
    known = []
    if any(line.critical for line in part):
        known.append("* on the critical path")
    if any(line.irreversible for line in part):
        known.append("! no way back")
    if any(line.length is None for line in part):
        known.append("? no estimate")
    return ["  ".join(known)] if known else []


def paragraphs(view: PlanView) -> Iterator[tuple[str, str]]:
    """What decides about risk, people and services, each under a head; "" is that above."""
    if view.irreversible:
        yield "no way back", ", ".join(view.irreversible)
    for head, load in zip(_once("people"), view.loads, strict=False):
        yield head, _load(load)
    raised = [service for service in view.services if service.rungs]
    for head, service in zip(_once("services"), raised, strict=False):
        yield head, _service(service)
    if view.learned:
        told = ", ".join(f"{step} ({source})" for step, source in view.learned)
        yield "measured", f"{told}: measured in earlier runs, because the runbook has no estimate"
    for line in view.lines:
        if line.left_out:
            yield "left out", f"{line.id}: {line.left_out}"
        elif line.without:
            yield "left out", f"{line.id} on {', '.join(line.without)}: not in --limit"


def _once(word: str) -> Iterator[str]:
    yield word
    while True:
        yield ""


def _load(load: Load) -> str:
    people = f" ({', '.join(load.people)})" if load.people else ""
    return (
        f"{load.role or 'anybody'}{people}: {plural(len(load.steps), 'step')}, "
        f"{rough(load.length)}: {', '.join(load.steps)}"
    )


def _service(service: ServiceView) -> str:
    rungs = ", ".join(f"{rung.level} at +{rough(rung.planned)}" for rung in service.rungs)
    verdict = ""
    if service.rto is not None:
        top = min(rung.planned for rung in service.rungs if rung.level is service.best)
        verdict = f"; RTO {service.rto}: {'fits' if top <= service.rto else 'does NOT fit'}"
    return f"{service.title or service.name}: {rungs}{verdict}"

"""A plan as Markdown, its graph as Mermaid: for a ticket, a wiki, a review."""

from collections.abc import Iterator

from drrun.report.graphs import mermaid
from drrun.report.marking import safe, table
from drrun.report.plan_view import PlanLine, PlanView
from drrun.report.text.plan import paragraphs, summary, what, where
from drrun.report.times import rough


def markdown(view: PlanView) -> str:
    """The text."""
    return "\n".join(_lines(view)) + "\n"


def _lines(view: PlanView) -> Iterator[str]:
    yield f"# {safe(view.title or view.name)}\n"
    yield f"*A plan: nothing was executed.* {safe(summary(view))}\n"
    if view.critical_path:
        yield f"- **critical path**: {safe(' → '.join(view.critical_path))} ({rough(view.length)})"
    last = ""
    for head, text in paragraphs(view):
        last = head or last
        yield f"- **{safe(last)}**: {safe(text)}"
    yield "\n## Steps\n"
    columns = ("wave", "", "step", "on", "begins", "takes", "what", "needs")
    yield from table(columns, map(_row, view.lines))
    yield "## Graph\n"
    yield f"```mermaid\n{mermaid(view)}```"


def _row(line: PlanLine) -> tuple[str, ...]:
    marks = ("◆" if line.critical else "") + ("!" if line.irreversible else "")
    return (
        str(line.wave),
        marks,
        f"{line.id}: {line.title}" if line.title else line.id,
        where(line),
        "" if line.left_out else f"+{rough(line.begins)}",
        "?" if line.length is None else rough(line.length),
        f"left out: {line.left_out}" if line.left_out else what(line),
        ", ".join(line.needs),
    )

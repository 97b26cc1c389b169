"""The report as one HTML file: opens offline, prints, works without JavaScript.

Rules:
- Everything is inside the file; it asks nobody for anything. A content security policy says so to
  the browser too.
- All text is escaped by the template engine, after what would reorder or hide it was made visible.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from drrun.core.model.shell_values import readable
from drrun.report.after import drawing
from drrun.report.after.gist import gist
from drrun.report.after.view import Report
from drrun.report.exceptions import exception_lines
from drrun.report.pages import template
from drrun.report.times import clock, moment, precise, rough, span, took


def html(report: Report) -> str:
    """The file's text."""
    page: str = _template().render(
        report=report,
        run=report.run,
        exceptions=list(exception_lines(report.run.exceptions, report.services)),
        gist=gist(report),
        bars=drawing.bars(report),
        levels=drawing.levels(report),
        stripes=drawing.stripes(report),
        ticks=drawing.ticks(report),
        graph=drawing.graph(report),
        node=drawing.NODE,
    )
    return page


@cache
def _template() -> Any:
    filters: dict[str, Callable[..., object]] = {
        "span": span,
        "rough": rough,
        "took": took,
        "moment": moment,
        "precise": precise,
        "clock": clock,
        "readable": readable,
        "word": lambda text: "".join(c if c.isalnum() else "-" for c in str(text)),
    }
    return template("report.html.j2", "drrun.report.after", filters)

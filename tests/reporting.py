"""Adds the crash test's line 'N points, N survived' to the end of the report."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    totals = {"points": 0, "survived": 0}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name in totals and report.when == "call":
                    totals[name] += int(value)
    if totals["points"]:
        line = f"{totals['points']} points, {totals['survived']} survived"
        terminalreporter.write_line(f"crash test: {line}")

"""New estimates into a runbook's text, with everything else as it stands: comments, order, quotes.

Rules:
- Only what stands on one line is changed, and only if the text then reads as it did but for the
  estimate; anything else is left to a person, and named.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Runbook
from drrun.core.model.values import Duration
from drrun.files.runbook.runbook_yaml import read_runbook
from drrun.files.yaml.written import Table, TableItem
from drrun.files.yaml.yaml_reader import read_yaml

#: A plain estimate, or `{p50: 20m, p90: 1h}`.
_VALUE = re.compile(r"\{[^{}]*\}|[^\s,}#]+")


def with_new(
    text: str, file: str, wanted: Mapping[StepId, tuple[Duration, Duration]]
) -> tuple[str, list[StepId]]:
    """A runbook's text with other estimates, and the steps that a person has to change."""
    left: list[StepId] = []
    before, _ = read_runbook(text, file)
    for step, (middle, bad) in wanted.items():
        changed = _one(text, file, step, _written(middle, bad))
        if changed is None or before is None or not _differs_only(before, changed, file, step):
            left.append(step)
            continue
        text = changed
        before, _ = read_runbook(text, file)
    return text, left


def _written(middle: Duration, bad: Duration) -> str:
    return str(middle) if bad <= middle else f"{{p50: {middle}, p90: {bad}}}"


def _one(text: str, file: str, step: StepId, value: str) -> str | None:
    written, _ = read_yaml(text, file)
    steps = written.entries.get("steps") if isinstance(written, Table) else None
    entry = steps.value.entries.get(step) if steps and isinstance(steps.value, Table) else None
    if entry is None or not isinstance(entry.value, Table):
        return None
    lines = text.splitlines(keepends=True)
    estimate = entry.value.entries.get("estimate")
    if estimate is not None:
        return _replaced(lines, estimate, value)
    return _inserted(lines, entry, value)


def _replaced(lines: list[str], estimate: TableItem, value: str) -> str | None:
    row, column = estimate.value.line - 1, estimate.value.column - 1
    match = _VALUE.match(lines[row], column)
    if match is None:
        return None
    lines[row] = lines[row][:column] + value + lines[row][match.end() :]
    return "".join(lines)


def _inserted(lines: list[str], entry: TableItem, value: str) -> str | None:
    keys = entry.value.entries if isinstance(entry.value, Table) else {}
    first = next(iter(keys.values()), None)
    if first is None:
        return None
    row, column = first.key.line - 1, first.key.column - 1
    if row == entry.key.line - 1:
        lines[row] = f"{lines[row][:column]}estimate: {value}, {lines[row][column:]}"
    else:
        lines.insert(row, f"{' ' * column}estimate: {value}\n")
    return "".join(lines)


def _differs_only(before: Runbook, text: str, file: str, step: StepId) -> bool:
    after, _ = read_runbook(text, file)
    if after is None:
        return False

    def bare(runbook: Runbook) -> Runbook:
        steps = {
            name: replace(each, place=type(each.place)(), places={},
                          estimate=None if name == step else each.estimate)
            for name, each in runbook.steps.items()
        }  # fmt: skip
        return replace(runbook, steps=steps, place=type(runbook.place)())

    return _same(bare(before), bare(after))


def _same(one: Runbook, other: Runbook) -> bool:
    """Whether two runbooks say the same; where they say it does not matter."""
    blank = re.compile(r"Place\([^)]*\)")
    return blank.sub("", repr(one)) == blank.sub("", repr(other))

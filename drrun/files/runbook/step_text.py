"""A step as its author wrote it, cut out of a runbook or an amendment.

Rules:
- What is cut out is an amendment by itself: `steps:` and this step, with its comments.
- Where the text cannot be cut, in braces or with aliases, the same values are written anew.
"""

from textwrap import dedent, indent

import yaml

from drrun.core.model.ids import StepId
from drrun.files.yaml.written import Table, TableItem, plain_value
from drrun.files.yaml.yaml_reader import read_yaml


def step_text(text: str, step: StepId) -> str | None:
    """An amendment that writes a step as it is written in `text`; None: it is not in there."""
    entry = _entry(text, step)
    if entry is None:
        return None
    cut = _cut(text, entry)
    written = _entry(cut, step)
    if written is not None and plain_value(written.value) == plain_value(entry.value):
        return cut
    values = {"steps": {str(step): plain_value(entry.value)}}
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=90)


def _entry(text: str, step: StepId) -> TableItem | None:
    tree, findings = read_yaml(text, "")
    if findings or not isinstance(tree, Table) or "steps" not in tree.entries:
        return None
    steps = tree.entries["steps"].value
    return steps.entries.get(step) if isinstance(steps, Table) else None


def _cut(text: str, entry: TableItem) -> str:
    """The lines of a step, from its key to the next line that stands as far left."""
    lines = text.splitlines(keepends=True)
    first, left = entry.key.line - 1, entry.key.column - 1
    last = first + 1
    while last < len(lines) and (_is_blank(lines[last]) or _indent(lines[last]) > left):
        last += 1
    while _is_blank(lines[last - 1]):
        last -= 1
    return "steps:\n" + indent(dedent("".join(lines[first:last])), "  ")


def _is_blank(line: str) -> bool:
    return not line.strip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))

"""Amendments: steps that are added to a running runbook, or written anew.

Rules:
- An amendment is a mapping with `steps:` and nothing else; the runbook's defaults hold for its
  steps too. A step with an id that is there replaces that step whole.
- What results is judged by the same rules as a runbook.
"""

from collections.abc import Sequence
from dataclasses import replace

from drrun.core.model.errors import Finding
from drrun.core.model.runbook import Runbook
from drrun.files.runbook.runbook_yaml import defaults_of
from drrun.files.runbook.steps_yaml import steps_shape
from drrun.files.yaml.shape import WRONG, Reading, RecordKey, RecordShape
from drrun.files.yaml.written import Table, describe
from drrun.files.yaml.yaml_reader import read_yaml

#: Name and text.
Amendment = tuple[str, str]


def amended(
    runbook: Runbook, runbook_text: bytes | str, amendments: Sequence[Amendment]
) -> tuple[Runbook, list[Finding]]:
    """A runbook with amendments applied in order, and what is wrong with them."""
    written, _ = read_yaml(runbook_text, "")
    defaults = defaults_of(written) if isinstance(written, Table) else {}
    steps, findings = dict(runbook.steps), list[Finding]()
    for file, text in amendments:
        reading = Reading(file)
        table, found = read_yaml(text, file)
        findings += found
        if table is None:
            continue
        if not isinstance(table, Table):
            message = f"an amendment is a mapping with 'steps:', not {describe(table)}"
            findings.append(Finding(reading.place(table), message))
            continue
        shape = RecordShape(
            "amendment",
            {"steps": RecordKey(steps_shape(defaults), "added or written anew", required=True)},
            lambda values, _, __: values["steps"],
        )
        given = shape.read(table, reading)
        findings += reading.findings
        if given is not WRONG:
            steps |= given
    return replace(runbook, steps=steps), findings

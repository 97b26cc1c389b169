"""Amendments: steps that are added to a running runbook, or written anew.

Rules:
- An amendment is a mapping with `steps:` and nothing else; the runbook's defaults and named
  probes hold for its steps too. A step with an id that is there replaces that step whole.
- Or it is the whole runbook, edited. Then what was edited in it counts; steps that are in it as
  they were before stay as they were amended.
- What results is judged by the same rules as a runbook.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding
from drrun.core.model.ids import StepId
from drrun.core.model.revision import same
from drrun.core.model.runbook import Runbook, Step
from drrun.files.runbook.runbook_yaml import defaults_of, named_of, read_draft
from drrun.files.runbook.steps_yaml import steps_shape
from drrun.files.templates.unfilled import find_unfilled
from drrun.files.yaml.shape import WRONG, Reading, RecordKey, RecordShape
from drrun.files.yaml.written import Table, describe
from drrun.files.yaml.yaml_reader import read_yaml


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change of a runbook."""

    #: Name, for findings.
    file: str
    text: bytes | str
    #: It is the whole runbook.
    whole: bool = False


def amended(
    runbook: Runbook, runbook_text: bytes | str, amendments: Sequence[Amendment]
) -> tuple[Runbook, list[Finding]]:
    """A runbook with amendments applied in order, and what is wrong with them."""
    written, steps, findings = runbook, dict(runbook.steps), list[Finding]()
    for each in amendments:
        if each.whole:
            fresh, found = read_draft(each.text, each.file)
            findings += found
            if fresh is not None:
                steps = _edited(steps, written.steps, fresh.steps)
                written, runbook_text = fresh, each.text
        else:
            given, found = _read(each, runbook_text)
            findings += found
            steps |= given
    return replace(written, steps=steps), findings


def _edited(
    now: Mapping[StepId, Step], before: Mapping[StepId, Step], after: Mapping[StepId, Step]
) -> dict[StepId, Step]:
    """Steps as they were edited; those that were not stay as they were amended."""
    kept = {
        step: now[step] if step in before and same(before[step], each) else each
        for step, each in after.items()
    }
    return kept | {step: each for step, each in now.items() if step not in {*before, *after}}


def _read(
    amendment: Amendment, runbook_text: bytes | str
) -> tuple[Mapping[StepId, Step], list[Finding]]:
    """The steps of an amendment, and what is wrong with it."""
    reading = Reading(amendment.file)
    table, findings = read_yaml(amendment.text, amendment.file)
    if table is None:
        return {}, list(findings)
    if not isinstance(table, Table):
        message = f"an amendment is a mapping with 'steps:', not {describe(table)}"
        return {}, [*findings, Finding(reading.place(table), message)]
    header, _ = read_yaml(runbook_text, "")
    defaults = {}
    if isinstance(header, Table):
        defaults, reading.named = defaults_of(header), named_of(header)
    shape = RecordShape(
        "amendment",
        {"steps": RecordKey(steps_shape(defaults), "added or written anew", required=True)},
        lambda values, _, __: values["steps"],
    )
    given = shape.read(table, reading)
    if given is WRONG:
        return {}, [*findings, *reading.findings]
    unfilled = find_unfilled(table, given, (), amendment.file)
    return given, [*findings, *reading.findings, *unfilled]

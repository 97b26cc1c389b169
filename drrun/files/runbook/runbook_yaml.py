"""A runbook's text to the model: contract section 2.

Rules:
- `read_runbook` never raises for what is written; with an error among the findings there is no
  runbook, because half a runbook must not run.
- `read_draft` gives what could be read all the same, so that later rules report in one go too.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from drrun.core.garbage import without_collection
from drrun.core.model.errors import Finding, Place, Severity
from drrun.core.model.probes import Probe
from drrun.core.model.runbook import Person, Runbook
from drrun.files.runbook import header_yaml
from drrun.files.runbook.shared_probes import invariants, named_probes
from drrun.files.runbook.steps_yaml import defaults_shape, steps_shape
from drrun.files.templates.unfilled import find_unfilled
from drrun.files.yaml.scalars import AnyMapping, duration, identifier, slug, text
from drrun.files.yaml.shape import (
    WRONG,
    Definitions,
    Reading,
    RecordKey,
    RecordShape,
    Schema,
    Shape,
    Wrong,
    read_at,
)
from drrun.files.yaml.written import Scalar, Table, Written, describe
from drrun.files.yaml.yaml_reader import read_yaml

#: The one format version that is understood.
VERSION: Final = 1


class Version(Shape[int]):
    """The format version."""

    expects = f"the format version, {VERSION}"

    def read(self, written: Written, reading: Reading) -> int | Wrong:
        """The version, if this program understands it."""
        if not isinstance(written, Scalar) or written.text != str(VERSION):
            return reading.wrong(
                written,
                f"this drrun reads format version {VERSION}, not {describe(written)}",
                code="unknown-version",
            )
        return VERSION

    def schema(self, _: Definitions) -> Schema:
        """The number."""
        return {"const": VERSION}


_KEYS: Final = {
    "drrun": RecordKey(Version(), "format version", required=True, instead=int),
    "name": RecordKey(slug, "id of the runbook", required=True, instead=str),
    "title": RecordKey(text, "one line for people"),
    "description": RecordKey(text, "when and by whom it is used"),
    "objectives": RecordKey(header_yaml.objectives, "for the whole"),
    "inputs": RecordKey(header_yaml.inputs, "typed values that a run is started with"),
    "secrets": RecordKey(header_yaml.secrets, "by reference; resolved when used, stored nowhere"),
    "roles": RecordKey(header_yaml.roles, "who may and must do something"),
    "people": RecordKey(header_yaml.people, "who they are: SSH public keys, contact"),
    "services": RecordKey(header_yaml.services, "what users use"),
    "defaults": RecordKey(defaults_shape, "for keys that a step does not have"),
    "locks": RecordKey(header_yaml.locks, "named counting locks shared by steps"),
    "probes": RecordKey(named_probes, "questions by name, for many steps: `verify: NAME`"),
    "invariants": RecordKey(
        invariants, "watched for the whole run, or between two steps; broken: the run pauses"
    ),
    "vars": RecordKey(AnyMapping(identifier), "names for templates"),
    "variants": RecordKey(header_yaml.variants, "names for --variant"),
    "waivers": RecordKey(header_yaml.waivers, "rules that are not met, with the reason"),
    "rehearse_every": RecordKey(duration, "for how long a rehearsal counts", default="365d"),
    "links": RecordKey(header_yaml.words, "pages that people may want to read"),
    "tags": RecordKey(header_yaml.words, "words to find it by"),
}


def _runbook(values: dict[str, Any], table: Table, reading: Reading) -> Runbook:
    del values["drrun"]
    values.pop("defaults", None)
    _warn_of_unused(values.pop("probes", {}), table, reading)
    people = values.pop("people", {})
    values["people"] = {name: Person(name, **given) for name, given in people.items()}
    return Runbook(place=reading.place(table), **values)


def _warn_of_unused(named: Mapping[str, Any], table: Table, reading: Reading) -> None:
    definitions = table.entries["probes"].value if "probes" in table.entries else None
    for name in named:
        if isinstance(definitions, Table) and name not in reading.used:
            key = definitions.entries[name].key
            message = f"probes.{name}: is used nowhere"
            reading.wrong(key, message, code="unused-probe", severity=Severity.WARNING)


def shape_of(defaults: dict[str, Any]) -> RecordShape[Runbook]:
    """The shape of a runbook whose steps have these defaults."""
    steps = RecordKey(steps_shape(defaults), "the DAG, by id", required=True, instead=dict)
    return RecordShape("runbook", {**_KEYS, "steps": steps}, _runbook)


def read_runbook(raw: bytes | str, file: str) -> tuple[Runbook | None, list[Finding]]:
    """Read a runbook.

    Returns:
        The runbook, or None if a finding is an error; and all findings, sorted by place.
    """
    runbook, findings = read_draft(raw, file)
    if any(finding.severity is Severity.ERROR for finding in findings):
        return None, findings
    return runbook, findings


def read_draft(raw: bytes | str, file: str) -> tuple[Runbook | None, list[Finding]]:
    """As `read_runbook`, but with whatever of the runbook could be read despite errors."""
    with without_collection():
        draft, findings = _read_once(raw, file)
    return draft, list(findings)


# One command asks for the same runbook several times: for its parts, to judge it, to plan it anew.
@lru_cache(maxsize=4)
def _read_once(raw: bytes | str, file: str) -> tuple[Runbook | None, Sequence[Finding]]:
    written, findings = read_yaml(raw, file)
    if written is None:
        return None, findings
    reading = Reading(file)
    if not isinstance(written, Table):
        message = f"a runbook is a mapping with 'drrun: {VERSION}', not {describe(written)}"
        return None, [*findings, Finding(reading.place(written), message)]
    if _is_of_another_version(written, reading):
        return None, [*findings, *reading.findings]
    reading.named = named_of(written)
    runbook = shape_of(defaults_of(written)).read(written, reading)
    found = [*findings, *reading.findings]
    if runbook is not WRONG:
        found += find_unfilled(written, runbook.steps, runbook.invariants, file)
    if runbook is not WRONG and not runbook.steps and not found:
        found.append(Finding(Place(file, written.line, written.column), "has no steps"))
    found.sort(key=lambda finding: finding.place)
    return (None if runbook is WRONG else runbook), found


def _is_of_another_version(table: Table, reading: Reading) -> bool:
    """Whether to stop: the other keys may mean something else in another version."""
    entry = table.entries.get("drrun")
    return entry is not None and read_at("drrun", Version(), entry.value, reading) is WRONG


def defaults_of(table: Table) -> dict[str, Any]:
    """The defaults, read ahead of the steps; their findings are noted when their turn comes."""
    entry = table.entries.get("defaults")
    if entry is None:
        return {}
    values = defaults_shape.read(entry.value, Reading(""))
    return {} if values is WRONG else values


def named_of(table: Table) -> Mapping[str, tuple[Probe, ...]]:
    """The probes by name, read ahead as the defaults are."""
    entry = table.entries.get("probes")
    if entry is None:
        return {}
    values = named_probes.read(entry.value, Reading(""))
    return {} if values is WRONG else values

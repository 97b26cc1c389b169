"""The schema for editors agrees with the reader, because both come from one description."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no stubs
import pytest

from drrun.files.runbook.runbook_yaml import read_runbook
from drrun.files.schema import inventory_schema, runbook_schema
from drrun.files.yaml.written import plain_value
from drrun.files.yaml.yaml_reader import read_yaml
from tests.unit.files.examples import HEAD, INVENTORY

RUNBOOK = jsonschema.Draft7Validator(runbook_schema())
GOOD = [
    "{run: x}",
    "{run: x, needs: [b, {any_of: [c]}], timeout: 5m, batch: [1, 25%]}",
    "{manual: {text: x, input: {n: int}}}",
    "{decision: {question: x, options: {a: , b: {title: y}}}}",
    "{uses: copy, with: {content: x, to: /x, mode: '0644'}}",
    "{uses: wait, with: {until: [{tcp: 1}]}}",
    "{uses: wait, with: {for: '{{ inputs.x }}'}}",
    "{run: x, verify: [{http: {url: 'http://x', status: 200}}, {dns: x, within: 5m}]}",
    "{run: x, watch: {probes: [{tcp: 1}], threshold: 3 of 5}, undo: none, retry: 3}",
    "{run: x, env: {A: 1}, become: true, capture: {lag: stdout}, raises: {git: down}}",
]
BAD = [
    "{}",
    "{run: x, verfy: []}",
    "{run: x, manual: y}",
    "{run: [x]}",
    "{run: x, timeout: soon}",
    "{run: x, irreversible: maybe}",
    "{run: x, retry: {attempts: 0}}",
    "{run: x, verify: {run: x, tcp: 1}}",
    "{run: x, verify: {ru: x}}",
    "{run: x, needs: [A_B]}",
    "{uses: coppy}",
    "{uses: copy, with: {content: x, to: /x, mod: 1}}",
    "{uses: copy, with: {content: x}}",
    "{run: x, env: {1A: x}}",
    "{run: x, on_failure: halt}",
]


def loaded(text: str | bytes) -> Any:
    """As editors read it: by YAML 1.2, where `on` is a word."""
    written, _ = read_yaml(text, "f")
    assert written is not None
    return plain_value(written)


def document(step: str) -> Any:
    return loaded(f"{HEAD}steps:\n  a: {step}\n")


def test_the_schemas_are_valid_draft_7() -> None:
    jsonschema.Draft7Validator.check_schema(runbook_schema())
    jsonschema.Draft7Validator.check_schema(inventory_schema())
    assert runbook_schema()["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("step", GOOD)
def test_what_the_reader_accepts_the_schema_accepts(step: str) -> None:
    runbook, _ = read_runbook(f"{HEAD}steps:\n  a: {step}\n", "f")
    assert runbook is not None
    assert [error.message for error in RUNBOOK.iter_errors(document(step))] == []


@pytest.mark.parametrize("step", BAD)
def test_what_the_schema_refuses_the_reader_refuses(step: str) -> None:
    runbook, _ = read_runbook(f"{HEAD}steps:\n  a: {step}\n", "f")
    assert runbook is None
    assert list(RUNBOOK.iter_errors(document(step)))


def test_an_inventory_has_a_schema_too() -> None:
    validator = jsonschema.Draft7Validator(inventory_schema())
    assert [error.message for error in validator.iter_errors(loaded(INVENTORY))] == []
    assert list(validator.iter_errors({"hosts": {"h": {"adress": "x"}}}))


def test_keys_are_described_for_editors() -> None:
    step = runbook_schema()["definitions"]["step"]["properties"]
    assert step["timeout"]["description"].startswith("hard limit")

"""Every example of the reference is read as it stands, and together they show every key."""

import re
import runpy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from drrun.core.model.actions import BUILT_IN
from drrun.core.model.errors import Finding, Severity
from drrun.files.inventory.inventory_yaml import inventory
from drrun.files.inventory.merge import read_inventory
from drrun.files.runbook.runbook_yaml import read_runbook
from drrun.files.schema import inventory_schema, runbook_schema
from drrun.files.validation import validate
from drrun.files.yaml.shape import WRONG, Reading
from drrun.files.yaml.written import plain_value
from drrun.files.yaml.yaml_reader import read_yaml

ROOT = Path(__file__).parents[2]
TABLES = runpy.run_path(str(ROOT / "docs" / "tables.py"))
EXAMPLES: Mapping[str, Mapping[str, str]] = TABLES["EXAMPLES"]
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "runbook": runbook_schema(),
    "inventory": inventory_schema(),
}
ALL = [(part, name) for part in EXAMPLES for name in EXAMPLES[part]]
#: What stands for the key is decided when the question is asked, the person told, the age judged:
#: the model holds that nothing was written.
LATER = {
    *(("http-question", key) for key in ("method", "insecure")),
    *(("dns-question", key) for key in ("type", "tcp", "want")),
    ("file-question", "exists"),
    ("tcp-question", "state"),
    *(("approval", key) for key in ("count", "signed")),
    *(("step", key) for key in ("on_regressed", "shell")),
    *((name, "shell") for name in ("defaults", "probe", "stand-in")),
    ("runbook", "rehearse_every"),
}


def whole(text: str) -> str:
    """An example of a runbook with what it leaves out."""
    if "drrun:" not in text:
        text = f"drrun: 1\nname: example\n{text}"
    return text if "\nsteps:" in text else f"{text}\nsteps: {{a: {{manual: Look.}}}}\n"


def problems(part: str, text: str) -> list[Finding]:
    if part == "inventory":
        return list(read_inventory([("example.yml", text.encode())])[1])
    return list(validate(whole(text), "example.yml").findings)


def loaded(part: str, text: str) -> Any:
    written, _ = read_yaml(text if part == "inventory" else whole(text), "example.yml")
    assert written is not None
    return plain_value(written)


def records(part: str, document: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of every record of a document that a definition of the schema describes."""
    schema = SCHEMAS[part]
    yield from _within(schema, document, schema["definitions"])


def _within(
    schema: Mapping[str, Any], value: Any, definitions: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if (
            not isinstance(value, dict)
            or not value.keys() <= definitions[name]["properties"].keys()
        ):
            return
        yield name, value
        schema = definitions[name]
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "then" not in part and "if" not in part:
            yield from _within(part, value, definitions)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for each in value:
            yield from _within(schema["items"], each, definitions)
    if isinstance(value, dict):
        free = schema.get("additionalProperties")
        for key, each in value.items():
            inner = schema.get("properties", {}).get(key, free)
            if isinstance(inner, dict):
                yield from _within(inner, each, definitions)


@pytest.mark.parametrize(("part", "name"), ALL)
def test_an_example_has_neither_errors_nor_warnings(part: str, name: str) -> None:
    found = problems(part, EXAMPLES[part][name])
    assert not [str(each) for each in found if each.severity is not Severity.NOTE]


@pytest.mark.parametrize("part", SCHEMAS)
def test_every_definition_has_an_example_that_uses_it(part: str) -> None:
    wanted = set(SCHEMAS[part]["definitions"])
    if part == "inventory":
        wanted -= set(SCHEMAS["runbook"]["definitions"])
    assert wanted == set(EXAMPLES[part])
    for name in wanted:
        document = loaded(part, EXAMPLES[part][name])
        top = {part: document} if name == part else dict(records(part, document))
        assert name in top, name


def test_every_named_action_has_an_example_that_uses_it() -> None:
    assert set(EXAMPLES["action"]) == set(BUILT_IN)
    for name, text in EXAMPLES["action"].items():
        steps = loaded("action", text)["steps"].values()
        shown = {key for each in steps if each.get("uses") == name for key in each["with"]}
        assert shown == set(BUILT_IN[name].parameters), name


def test_every_key_is_shown_in_an_example() -> None:
    shown: set[tuple[str, str]] = set()
    for part in SCHEMAS:
        for text in EXAMPLES[part].values():
            document = loaded(part, text)
            for name, value in [(part, document), *records(part, document)]:
                shown |= {(name, key) for key in value}
    wanted = {
        (name, key)
        for schema in SCHEMAS.values()
        for name, shape in schema["definitions"].items()
        for key in shape["properties"]
    }
    of_a_step = set(SCHEMAS["runbook"]["definitions"]["step"]["properties"])
    # An invariant is asked as any other probe, and its own keys have examples.
    shown |= {("invariant", key) for name, key in shown if name == "probe"}
    missing = {(name, key) for name, key in wanted - shown if name != "stand-in"}
    assert not missing
    assert {key for name, key in wanted - shown if name == "stand-in"} <= of_a_step


def test_every_key_is_described() -> None:
    bare = {
        (name, key)
        for schema in SCHEMAS.values()
        for name, shape in schema["definitions"].items()
        for key, value in shape["properties"].items()
        if not value.get("description") and "default" not in value
    }
    assert not bare


def defaults() -> Iterator[tuple[str, str, str]]:
    for part, schema in SCHEMAS.items():
        for name, shape in schema["definitions"].items():
            for key, value in shape["properties"].items():
                if "default" in value and name in EXAMPLES[part] and name != "stand-in":
                    yield part, name, key


@pytest.mark.parametrize(("part", "name", "key"), list(defaults()))
def test_a_default_means_what_leaving_the_key_out_means(part: str, name: str, key: str) -> None:
    document = loaded(part, EXAMPLES[part][name])
    held = (
        [document]
        if name == part
        else [each for of, each in records(part, document) if of == name]
    )
    holder = next((each for each in held if key in each), held[0])
    holder.pop(key, None)
    without = model(part, document)
    holder[key] = SCHEMAS[part]["definitions"][name]["properties"][key]["default"]
    written = model(part, document)
    assert (name, key) in LATER or written == without


def model(part: str, document: Any) -> str:
    """What is read, without the places where it stands."""
    text = dumped(document)
    if part == "inventory":
        tree, _ = read_yaml(text, "example.yml")
        assert tree is not None
        reading = Reading("example.yml")
        read = inventory.read(tree, reading)
        assert read is not WRONG, reading.findings
        found: object = read
    else:
        found, findings = read_runbook(text, "example.yml")
        assert found is not None, findings
    bare = re.sub(r"Place\([^)]*\)", "", repr(found))
    return re.sub(r"places=\{[^}]*\}", "", bare)


def dumped(value: Any) -> str:
    """A document as YAML of one line, its texts quoted."""
    import json

    return json.dumps(value)

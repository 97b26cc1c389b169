"""Every text key of a runbook either fills in templates or refuses braces.

The keys are found in the JSON Schema, so a key that is new is tested as soon as it exists.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from drrun.files.schema import runbook_schema
from drrun.files.validation import validate
from tests.docs.test_examples import EXAMPLES, loaded

#: A template that names nothing: filled in, it is an unknown name; else braces are refused.
BRACES = "{{ no_such_name }}"


def texts(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to all texts of a document."""
    match value:
        case str():
            yield path
        case list():
            for number, item in enumerate(value):
                yield from texts(item, (*path, number))
        case dict():
            for name, item in value.items():
                yield from texts(item, (*path, name))
        case _:
            pass


def with_braces(document: Any, path: tuple[Any, ...]) -> str:
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = BRACES
    return yaml.safe_dump(changed, sort_keys=False)


CASES = [
    pytest.param(document, path, id=f"{name}-{'.'.join(map(str, path))}")
    for name, text in EXAMPLES["runbook"].items()
    for document in [loaded("runbook", text)]
    for path in texts(document)
    # A pattern may have braces of its own.
    if path[-1] != "regex"
]


@pytest.mark.parametrize(("document", "path"), CASES)
def test_braces_are_filled_in_or_refused(document: Any, path: tuple[Any, ...]) -> None:
    found = validate(with_braces(document, path), "example.yml")
    # In a heading they act on nothing, so a warning is enough.
    heading = path[-1] in {"title", "description"}
    told = (
        [each for each in found.findings if each.code == "template"] if heading else found.errors
    )
    assert told, f"{path}: people would read {BRACES}"


def test_the_examples_have_a_text_for_every_key_that_takes_one() -> None:
    shown = {str(part) for case in CASES for part in case.values[1]}  # type: ignore[union-attr]
    keys = {
        name
        for shape in runbook_schema()["definitions"].values()
        for name, key in shape["properties"].items()
        if key.get("type") == "string"
    }
    assert keys
    assert not keys - shown - {"regex"}

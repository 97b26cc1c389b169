"""Every key of every JSON document is documented."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.cli.conftest import Tool

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "json.md"
STEPS = """\
  a: {run: "echo no; exit 3", verify: [{run: "true"}], raises: {git: read-only}}
  b: {needs: [a], manual: "Look.", owner: boss, verify: [{run: "true"}]}
  c: {run: "echo yes", verify: [{run: "true"}]}
  d: {manual: "Look.", owner: boss}
"""
#: Their keys are names that authors, hosts or statuses give.
FREE = frozenset({"body", "captured", "counts", "input", "output", "values"})


def keys(found: Any) -> Iterator[str]:
    if isinstance(found, list):
        for each in found:
            yield from keys(each)
    elif isinstance(found, dict):
        for name, value in found.items():
            yield name
            counted = name == "targets" and isinstance(value, dict)
            if name not in FREE and not counted:
                yield from keys(value)


def documented() -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", REFERENCE.read_text()))


@pytest.mark.parametrize(
    "words",
    [
        ("validate", "test.yml"),
        ("plan", "test.yml"),
        ("status",),
        ("history",),
        ("show", "latest", "a"),
        ("show", "latest", "b"),
        ("logs", "latest", "a"),
        ("verify-journal", "latest"),
        ("note", "latest", "hello"),
    ],
)
def test_every_key_is_documented(words: tuple[str, ...], tool: Tool) -> None:
    head = "roles: {boss: {people: [drew]}}\nservices: {git: {title: Git}}\n"
    tool("run", "--yes", tool.runbook(STEPS, head))
    document = json.loads(tool(*words, "--json").stdout)
    assert document["format"] == 1
    assert set(keys(document)) - documented() == set()


def test_every_key_of_an_entry_is_documented(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(STEPS, "roles: {boss: {people: [drew]}}\n"))
    for line in tool("events", "latest", "--json").stdout.splitlines():
        assert set(keys(json.loads(line))) - documented() == set()

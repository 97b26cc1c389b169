"""Whatever is in a file, reading it gives findings that name a file, and never an exception."""

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core.model.runbook import Runbook
from drrun.files.inventory.merge import read_inventory
from drrun.files.runbook.actions_yaml import ACTION
from drrun.files.runbook.steps_yaml import STEP
from drrun.files.validation import validate
from tests.unit.files.examples import INVENTORY

WORDS = st.one_of(
    st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.none(),
    st.sampled_from(["a", "5m", "25%", "{{ inputs.x }}", "{{", "{% if %}", "[", "a1:2", "x", "1"]),
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(
        [*STEP, *ACTION, "a", "b", "any_of", "run", "tcp", "expect", "text", "options"]
    ),
    st.text(max_size=5),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)
TOP = st.sampled_from(
    ["name", "inputs", "secrets", "roles", "services", "defaults", "locks", "invariants", "vars",
     "variants", "steps", "waivers", "objectives", "links"]
)  # fmt: skip
HOSTS = st.sampled_from(
    ["sites", "hosts", "groups", "stores", "contacts", "dependencies", "vars", "all", "_meta"]
)


def read(*texts: tuple[str, bytes]) -> None:
    _, findings = read_inventory(texts)
    assert {each.place.file for each in findings} <= {file for file, _ in texts}


def judge(text: bytes) -> None:
    found = validate(text, "f.yaml", [("i.yaml", INVENTORY)])
    assert all(each.place.file in ("f.yaml", "i.yaml") for each in found.findings)
    assert found.errors or isinstance(found.runbook, Runbook)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_raise(text: bytes) -> None:
    judge(text)
    read(("hosts", text), ("i.yaml", text))


@settings(max_examples=300, deadline=None)
@given(st.text("ab:-[]{}&*!|>'\"#%@,? \n\t1.~<", max_size=60))
def test_random_yaml_signs_never_raise(text: str) -> None:
    judge(b"drrun: 1\nname: x\nsteps:\n" + text.encode())
    read(("hosts", text.encode()), ("i.yaml", text.encode()))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(TOP, VALUES, max_size=4), st.dictionaries(st.just("a"), VALUES))
def test_random_documents_never_raise(head: dict[str, Any], steps: dict[str, Any]) -> None:
    document = {"drrun": 1, "name": "x", "steps": steps, **head}
    judge(yaml.safe_dump(document, allow_unicode=True).encode())


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*STEP]), VALUES, max_size=4))
def test_random_steps_never_raise(step: dict[str, Any]) -> None:
    document = {"drrun": 1, "name": "x", "steps": {"a": {"run": "x", **step}}}
    judge(yaml.safe_dump(document, allow_unicode=True).encode())


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(HOSTS | st.text(max_size=4), VALUES, max_size=4))
def test_random_inventories_never_raise(document: dict[str, Any]) -> None:
    text = yaml.safe_dump(document, allow_unicode=True).encode()
    read(("i.yaml", text), ("j.yaml", INVENTORY))


@settings(max_examples=300, deadline=None)
@given(st.text("[]:=ah1;#' \n", max_size=40))
def test_random_ini_never_raises(text: str) -> None:
    read(("hosts.ini", text.encode()), ("vars.yaml", b"vars: {a: 1, h: 2}"))


@settings(max_examples=300, deadline=None)
@given(st.text("ab$`'\"\\(){}<|&;#E\n %-", max_size=30))
def test_random_shell_text_never_raises(text: str) -> None:
    shell = f"{text}{{{{ inputs.x }}}}{text}"
    document = {"drrun": 1, "name": "x", "steps": {"a": {"run": shell}}}
    judge(yaml.safe_dump(document).encode())

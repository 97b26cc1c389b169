"""What the pages that are written by hand say in YAML and in tables is so."""

import re
from pathlib import Path

import pytest

from drrun.core.model.errors import Severity
from drrun.core.model.values import Duration
from drrun.files.templates import template_lint
from drrun.files.templates.templating import Templates
from drrun.files.validation import validate

ROOT = Path(__file__).parents[2]
TEMPLATES = (ROOT / "docs" / "reference" / "templates.md").read_text("utf-8")
#: What the table of expressions is told with.
NAMES = {
    "inputs": {"n": 4, "max_age": Duration.parse("1h30m"), "sites": ["ams", "fra"]},
    "vars": {},
    "steps": {"count": {"rows": "42"}},
}
ROWS = [
    (expression.replace("\\|", "|"), value)
    for expression, value in re.findall(
        r"^\| `((?:[^`])+)` \| (.+) \|$", TEMPLATES.partition("## Filters")[2], re.MULTILINE
    )
]


def test_the_table_of_expressions_is_found() -> None:
    assert len(ROWS) > 10


@pytest.mark.parametrize(("expression", "value"), ROWS)
def test_an_expression_of_the_page_has_the_value_that_stands_beside_it(
    expression: str, value: str
) -> None:
    assert value == str(Templates().value(f"{{{{ {expression} }}}}", NAMES))


def test_the_page_on_templates_names_every_name_there_is() -> None:
    roots = template_lint._ROOTS
    named = set(re.findall(r"`([a-z]+(?:\.[a-z]+)?)(?:\.[A-Z.]+)?`", TEMPLATES))
    wanted = {*roots, "item"} - {"run", "steps"}
    wanted |= {f"run.{name}" for name in template_lint._RUN}
    wanted |= {f"host.{name}" for name in template_lint._HOST}
    assert wanted <= named | {root for root in roots if f"`{root}." in TEMPLATES}


def test_the_runbook_of_the_page_on_templates_is_valid() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", TEMPLATES, re.MULTILINE | re.DOTALL)
    found = validate(f"drrun: 1\nname: example\n{block}", "templates.md").findings
    assert not [str(each) for each in found if each.severity is not Severity.NOTE]

"""What the pages that are written by hand say in YAML and in tables is so."""

import re
import shlex
from pathlib import Path

import click
import pytest

from drrun.cli.context import CommandContext
from drrun.cli.exit import Exit
from drrun.cli.main import drrun
from drrun.core.model.errors import Severity
from drrun.core.model.status import RunStatus, Status
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


NIGHT = (ROOT / "docs" / "howto" / "three-am.md").read_text("utf-8")
WRITTEN_BY_HAND = [*sorted((ROOT / "docs" / "howto").glob("*.md")), ROOT / "README.md"]


def commands() -> list[tuple[str, str]]:
    """Every command line of drrun in a shell block of a page that is written by hand."""
    found = []
    for page in WRITTEN_BY_HAND:
        text = page.read_text("utf-8")
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            parts = [part.strip() for line in lines for part in re.split(r";|&&", line)]
            found += [
                (page.name, part.partition(" > ")[0])
                for part in parts
                if re.match(r"(sudo -u \S+ )?drrun ", part)
            ]
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_of_a_page_is_one_that_drrun_takes(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    words = words[words.index("drrun") + 1 :]
    context = click.Context(drrun, info_name="drrun", obj=CommandContext())
    command = drrun.get_command(context, words[0])
    assert command is not None, (page, line)
    command.make_context(words[0], [each for each in words[1:] if each != "…"], parent=context)


def test_the_page_for_the_night_has_a_part_for_every_state_and_every_exit_code() -> None:
    parts = re.findall(r"^### (.+)$", NIGHT, re.MULTILINE)
    begun = {part.partition(":")[0] for part in parts}
    assert {*RunStatus, *Status} <= begun
    assert {str(int(code)) for code in Exit} <= begun
    assert {f"failed: {cause}" for cause in ("timeout", "unreachable")} <= set(parts)


def test_every_part_of_the_page_for_the_night_has_a_command_but_where_all_is_well() -> None:
    parts = re.split(r"^### ", NIGHT, flags=re.MULTILINE)[1:]
    without = [part.splitlines()[0] for part in parts if "drrun " not in part]
    assert without == ["0", "7"]

"""`drrun test`: does a runbook do what is promised of it? Nothing is contacted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from drrun.cases.runbook_tests import told_of, try_out
from drrun.cli.context import CommandContext, common_options, inventory_options, json_option
from drrun.cli.exit import Exit
from drrun.cli.out import give, say
from drrun.cli.runbooks import found_inventory
from drrun.core.model.errors import Finding, InputError, Place
from drrun.files.runbook.tests_yaml import TestFile, read_tests
from drrun.report.clean import clean_line
from drrun.report.jsondoc import document, dumps
from drrun.report.text.sheet import plural


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE")
@inventory_options
@json_option
@common_options
@click.pass_obj
def test(frame: CommandContext, files: Sequence[Path], *, strict: bool, as_json: bool) -> None:
    """Execute the runbook tests of every FILE in a simulated world.

    A test says what steps do and what must come of it. The first difference of each is printed;
    exit code 1 if there is one.
    """
    del strict
    found: list[dict[str, Any]] = []
    for path in files:
        tests = _read(path)
        inventory = frame.settings().inventory or _inventory(tests, path)
        for tried in try_out(tests, path, tuple(inventory)):
            found.append({"file": str(path), **told_of(tests, tried)})
            if not as_json:
                give(_line(found[-1]))
    failed = sum(not each["passed"] for each in found)
    frame.code = Exit.FAILED if failed else Exit.DONE
    if as_json:
        give(dumps(document("tests", tests=found)))
    say(f"{plural(len(found), 'test')}, {failed} failed")


def _read(path: Path) -> TestFile:
    try:
        return read_tests(path.read_bytes(), str(path))
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise InputError([Finding(Place(str(path)), reason)]) from None


def _inventory(tests: TestFile, path: Path) -> tuple[Path, ...]:
    if tests.inventory:
        return tuple(path.parent / each for each in tests.inventory)
    return found_inventory(path.parent / tests.runbook)


def _line(one: dict[str, Any]) -> str:
    name = clean_line(one["name"])
    if one["passed"]:
        return f"ok    {name}\n"
    return f"FAIL  {name} ({one['place']})\n      {clean_line(one['difference'])}\n"

"""Names, help, usage: what a person finds out before anything is executed."""

import subprocess
import sys
from pathlib import Path

import pytest

from drrun.cli.catalogue import COMMANDS, LATER
from tests.acceptance.cli.conftest import Tool
from tests.programs import Program

HEAVY = ("networkx", "fabric", "paramiko", "structlog", "jinja2", "yaml", "tenacity")


def test_help_imports_nothing_that_it_does_not_need() -> None:
    program = (
        "import sys; from drrun.cli.main import run_command_line; run_command_line(['--help']);"
        f"print(sorted(set(sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert found.stderr.strip() == "[]"


def test_help_lists_every_command_and_every_exit_code(tool: Tool) -> None:
    text = tool("--help").stdout
    assert [name for name in COMMANDS if f"\n  {name} " not in text] == []
    assert "130  interrupted by Ctrl-C" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    found = Program(tmp_path).here(command, "--help")
    assert (found.exit, found.err) == (0, "")
    assert found.out.startswith(f"Usage: drrun {command}")


@pytest.mark.parametrize("command", sorted(LATER))
def test_what_is_not_there_yet_says_so(command: str, tool: Tool) -> None:
    found = tool(command, "--some", "words")
    assert found.returncode == 2
    assert found.stderr.startswith(f"drrun: {command} is not supported yet")


def test_the_version_is_told(tool: Tool) -> None:
    assert tool("--version").stdout.startswith("drrun 0.")


def test_a_mistyped_command_is_corrected(tool: Tool) -> None:
    found = tool("statsu")
    assert found.returncode == 2
    assert "Did you mean: drrun status" in found.stderr


def test_a_mistyped_option_is_a_usage_error(tool: Tool) -> None:
    found = tool("run", "--yse", "x.yml")
    assert (found.returncode, found.stdout) == (2, "")
    assert "No such option" in found.stderr


def test_an_unknown_run_is_a_usage_error(tool: Tool) -> None:
    found = tool("status", "nothing")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("drrun: there is no run yet")


@pytest.mark.parametrize("words", [("history",), ("status",), ("events", "latest")])
def test_reading_creates_nothing(words: tuple[str, ...], tool: Tool) -> None:
    tool(*words)
    assert [path.name for path in tool.folder.parent.iterdir()] == ["work"]


def test_schemas_are_json_schemas(tool: Tool) -> None:
    for kind in ("runbook", "inventory"):
        assert "http://json-schema.org/draft-07/schema#" in tool("schema", kind).stdout


def test_a_full_disk_under_standard_output_is_told(tool: Tool) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        found = subprocess.run(
            tool.command("history"),
            stdout=full,
            stderr=subprocess.PIPE,
            env=tool.environment,
            cwd=tool.folder,
            encoding="utf-8",
            check=False,
        )
    assert found.returncode == 2
    assert found.stderr == "drrun: standard output cannot be written: No space left on device\n"

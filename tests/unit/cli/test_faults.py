import json
from pathlib import Path

import click
import pytest

from drrun.cli.context import CommandContext
from drrun.cli.failures import ending
from drrun.core.model.errors import Finding, InputError, Place, RunHeld


def fail(error: BaseException) -> None:
    """What a command may do."""
    raise error


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandContext:
    monkeypatch.setenv("DRRUN_LOG", str(tmp_path / "logs" / "drrun.log"))
    return CommandContext()


def test_what_nobody_foresaw_is_one_message_and_a_log(
    frame: CommandContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = "hunter2"
    with ending(frame) as end:
        fail(ZeroDivisionError("by naught\nand \x1b[31mmore" if password else ""))
    told = capsys.readouterr().err
    log = tmp_path / "logs" / "drrun.log"
    assert end.code == 1
    assert f"(ZeroDivisionError: by naught); the traceback is in {log}" in told
    assert "Traceback" not in told
    (line,) = log.read_text().splitlines()
    assert json.loads(line)["exception"][0]["exc_type"] == "ZeroDivisionError"
    assert password not in line


def test_a_log_that_cannot_be_written_hides_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRRUN_LOG", "/dev/null/drrun.log")
    with ending(CommandContext()) as end:
        fail(ZeroDivisionError("by naught"))
    assert end.code == 1
    assert "by naught" in capsys.readouterr().err


def test_ctrl_c_is_130(frame: CommandContext, capsys: pytest.CaptureFixture[str]) -> None:
    with ending(frame) as end:
        fail(KeyboardInterrupt())
    assert end.code == 130
    assert capsys.readouterr().err.startswith("drrun: interrupted")


def test_findings_stand_on_lines_that_editors_understand(
    frame: CommandContext, capsys: pytest.CaptureFixture[str]
) -> None:
    with ending(frame):
        fail(InputError([Finding(Place("a.yml", 3, 5), "unknown key 'verfy'")]))
    assert capsys.readouterr().err == "a.yml:3:5: unknown key 'verfy'\n"


def test_every_line_of_a_message_is_ours(
    frame: CommandContext, capsys: pytest.CaptureFixture[str]
) -> None:
    with ending(frame) as end:
        fail(RunHeld("held by eve\x1b[2J\nsince 12:00"))
    assert end.code == 5
    assert capsys.readouterr().err == "drrun: held by eve\\x1b[2J\ndrrun: since 12:00\n"


def test_a_usage_error_shows_the_usage(
    frame: CommandContext, capsys: pytest.CaptureFixture[str]
) -> None:
    with ending(frame) as end:
        fail(click.UsageError("give --yes"))
    assert end.code == 2
    assert "drrun: give --yes" in capsys.readouterr().err

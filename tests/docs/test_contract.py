"""The contract names what the code has: states, modes, levels, exit codes."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from drrun.cli.catalogue import LATER
from drrun.cli.exit import Exit
from drrun.core.model.runbook import Level, Mode
from drrun.core.model.status import RunStatus, Status

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/contract.md").read_text("utf-8")


def section(number: int) -> str:
    return PAGE.partition(f"\n## {number}. ")[2].partition("\n## ")[0]


@pytest.mark.parametrize("words", [Status, RunStatus, Mode, Level])
def test_every_word_for_how_things_stand_is_in_it(words: type[StrEnum]) -> None:
    assert not [word for word in words if f"`{word}`" not in section(1)]


def test_every_exit_code_is_in_it_and_no_other() -> None:
    codes = section(4).partition("Exit codes")[2]
    assert {int(code) for code in re.findall(r"(?:: |· )(\d+)", codes)} == set(Exit)


def test_every_command_that_is_not_there_yet_is_named() -> None:
    later = PAGE.partition("\n## Not there yet")[2]
    assert set(re.findall(r"`drrun (\S+)`", later)) == LATER


def test_the_glossary_has_every_word_once_and_in_order() -> None:
    page = (ROOT / "docs/reference/glossary.md").read_text("utf-8")
    words = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)[1:]
    assert words
    assert words == sorted(set(words))

"""The log of drrun's own faults never says a secret."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from drrun.cli.logbook import open_log
from drrun.cli.out import hide, say
from drrun.core.integrity.masking import OPEN, Mask

SECRET = "cor'rect \"horse\\ ü"


@pytest.fixture(autouse=True)
def _hidden() -> Iterator[None]:
    hide(Mask([SECRET]))
    yield
    hide(OPEN)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # open till the end
def test_a_fault_is_logged_without_the_secret_in_its_message(tmp_path: Path) -> None:
    path = tmp_path / "log"
    open_log(path).error(f"it broke at {SECRET}", exc_info=KeyError(SECRET), about={"pw": SECRET})
    text = path.read_text()
    assert "horse" not in text
    assert json.loads(text)["event"] == "it broke at ***"


def test_nothing_that_is_said_holds_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"it is {SECRET}")
    assert capsys.readouterr().err == "it is ***\n"

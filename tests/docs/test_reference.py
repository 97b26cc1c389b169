"""The reference says what the code does."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "docs" / "generate.py"))
REFERENCE: Path = GENERATOR["REFERENCE"]
PAGES: dict[str, str] = GENERATOR["pages"]()


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    assert (REFERENCE / name).read_text() == PAGES[name], "run: python docs/generate.py"

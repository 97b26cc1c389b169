"""The page about the architecture says what the tree and the contracts say."""

import re
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")


def floors() -> list[set[str]]:
    """What the page's table puts on one floor, from the top."""
    found: dict[int, set[str]] = defaultdict(set)
    for floor, room in re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE):
        found[int(floor)].add(room)
    return [found[floor] for floor in sorted(found, reverse=True)]


def test_the_table_has_the_floors_of_the_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    assert floors() == [set(re.split(r" [|:] ", each)) for each in layers if each != "__main__"]


def test_the_table_has_every_room_of_the_tree() -> None:
    modules = {path.stem for path in (ROOT / "drrun").glob("*.py") if path.stem[0] != "_"}
    packages = {path.parent.name for path in (ROOT / "drrun").glob("*/__init__.py")}
    assert set().union(*floors()) == modules | packages


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:\w+/)+[\w.]+)`", PAGE)
    assert named
    assert not [
        name
        for name in named
        if not any((ROOT / place / name).exists() for place in ("", "drrun"))
    ]

"""A name means one thing: classes, files, and the commands that files are named after."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from drrun.cli.catalogue import COMMANDS

PACKAGE = Path(__file__).parents[2] / "drrun"
MODULES = sorted(PACKAGE.rglob("*.py"))


def twice(found: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names with several places."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, place in found:
        places[name].append(place)
    return {name: there for name, there in places.items() if len(there) > 1}


def public_classes() -> Iterator[tuple[str, str]]:
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, str(path.relative_to(PACKAGE))


def files() -> Iterator[tuple[str, str]]:
    for path in MODULES:
        if path.stem not in {"__init__", "__main__"}:
            yield path.stem, str(path.relative_to(PACKAGE))


def test_no_public_class_has_the_name_of_another() -> None:
    assert twice(public_classes()) == {}


def test_only_a_command_gives_its_name_to_several_files() -> None:
    commands = {name.replace("-", "_") for name in COMMANDS}
    shared = {name for name in twice(files()) if name not in commands}
    assert shared == set()

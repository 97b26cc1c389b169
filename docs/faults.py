"""The fault catalogue, and the tests that show each promise, read off the tests.

Rules:
- A number is a letter and digits. The letter says what it is; `SECTIONS` has them all.
- A fault (F) has tests that name it, or a reason why it has none.
"""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

#: First number -> what the faults from there on are about.
_PARTS = {
    1: "Runbooks and inputs",
    26: "Connections and identity",
    45: "A step in flight",
    67: "Output",
    76: "Verification",
    84: "State, storage, time",
    99: "People, pages and places",
    109: "Found from outside",
}
#: Letter -> heading, what stands there, heads of its columns.
SECTIONS = {
    "R": ("Rules of an attempt", "Every attempt follows them.", ("rule",)),
    "C": (
        "A step in flight when something dies",
        "What is true then, and what drrun does.",
        ("case", "what follows"),
    ),
    "L": (
        "What the layers below do",
        (
            "Facts that drrun has to live with, as tests of paramiko 5.1, Fabric 3.2 and\n"
            "OpenSSH 9.2, SQLite 3.40 showed them."
        ),
        ("fact", "what drrun does"),
    ),
    "T": ("What must not work", "Against attackers, and against accidents.", ("rule",)),
    "M": ("How it is tested", "Methods, each with faults that it shows.", ("method",)),
    "G": ("Goals", "What the methods have to find.", ("goal",)),
}


def entries() -> Mapping[str, Mapping[str, Any]]:
    """Number with its letter -> all that the catalogue says."""
    return tomllib.loads((ROOT / "docs/faults.toml").read_text("utf-8"))


def promises() -> Mapping[int, Mapping[str, Any]]:
    """Number of a fault -> promise, and the reason where no test shows it."""
    found = entries().items()
    return {int(name[1:]): entry for name, entry in found if name.startswith("F")}


def shown() -> Mapping[int, list[str]]:
    """Number of a fault -> `file: test` of every test that is marked with it."""
    found: dict[int, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, number in _marked(ast.parse(path.read_text("utf-8"))):
            found[number].append(f"{path.relative_to(ROOT)}: {name}")
    return found


def _marked(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for test in ast.walk(tree):
        if not isinstance(test, ast.FunctionDef):
            continue
        for mark in test.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.faults":
                yield from ((test.name, int(ast.literal_eval(each))) for each in mark.args)


def page() -> Iterator[str]:
    """The tables."""
    yield from _faults()
    for letter, (heading, about, columns) in SECTIONS.items():
        yield f"\n## {letter}: {heading}\n\n{about}\n"
        yield f"| number | {' | '.join(columns)} | see |\n|---|{'---|' * len(columns)}---|"
        for number, entry in entries().items():
            if number.startswith(letter):
                texts = [str(text) for key, text in entry.items() if key != "see"]
                yield f"| {number} | {' | '.join(texts)} | {', '.join(entry.get('see', ()))} |"


def _faults() -> Iterator[str]:
    tests = shown()
    yield "## F: Faults and bad inputs"
    for number, entry in promises().items():
        if number in _PARTS:
            yield f"\n### {_PARTS[number]}\n\n| number | promise | shown by |\n|---|---|---|"
        by = "<br>".join(f"`{each}`" for each in tests.get(number, ()))
        by = by or f"not covered: {entry.get('not_covered', '?')}"
        yield f"| F{number} | {entry['promise']} | {by} |"

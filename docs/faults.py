"""The fault catalogue and the tests that show each promise, read off the tests."""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def promises() -> Mapping[int, Mapping[str, str]]:
    """Number -> promise, and the reason where no test shows it."""
    found = tomllib.loads((ROOT / "docs/faults.toml").read_text("utf-8"))
    return {int(name.removeprefix("F")): told for name, told in found.items()}


def shown() -> Mapping[int, list[str]]:
    """Number -> `file: test` of every test that is marked with it."""
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
    """The table."""
    tests = shown()
    for number, told in promises().items():
        by = "<br>".join(f"`{each}`" for each in tests.get(number, ()))
        by = by or f"not covered: {told.get('not_covered', '?')}"
        yield f"| F{number} | {told['promise']} | {by} |"

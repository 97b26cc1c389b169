"""The house stays small enough to be read.

A size is a smell and no law: the limits stand where nobody squeezes a line to meet them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "drrun"
MODULES = sorted(PACKAGE.rglob("*.py"))
#: Path below drrun/ -> why it may be longer. May only shrink.
LONGER: dict[str, str] = {
    "ssh/jobs.py": "one state machine: whoever judges it has to see all of it",
    "ssh/lane.py": "one actor: its states and all that may change them",
}


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def long_functions(path: Path) -> Iterator[str]:
    """Functions of more than 40 lines, without flat matches: each of their cases is read alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and length(node) - cases(node) > 40:
            yield f"{name(path)}: {node.name}"


def length(node: ast.AST) -> int:
    return (getattr(node, "end_lineno", 0) or 0) - getattr(node, "lineno", 0) + 1


def cases(function: ast.FunctionDef) -> int:
    """Lines of flat matches: a closed union has as many cases as it has members."""
    matches = [node for node in function.body if isinstance(node, ast.Match)]
    return sum(length(node) for node in matches if all(short(case) for case in node.cases))


def short(case: ast.match_case) -> bool:
    return length(case.body[0]) <= 8 and len(case.body) <= 4


def test_no_module_is_longer_than_500_lines() -> None:
    assert not [name(path) for path in MODULES if name(path) not in LONGER and lines(path) > 500]


def test_no_function_is_longer_than_40_lines() -> None:
    assert not [found for path in MODULES for found in long_functions(path)]


def test_every_module_says_what_it_is_for() -> None:
    assert not [
        name(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))
    ]


def test_the_exceptions_are_needed() -> None:
    assert all(lines(PACKAGE / path) > 500 for path in LONGER), (
        "an exception in LONGER is not needed any more: take it out"
    )


WORDS = ("util", "utils", "helper", "helpers", "manager", "misc", "common", "base_class")


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [name(path) for path in MODULES if path.stem in WORDS]

"""A match over a closed union handles every member, so that the type checker names a new one's."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "drrun"
#: Function -> why its match ends in `case _` all the same. May only shrink.
OPEN: Mapping[str, str] = {
    "ssh/asks.py: heard": "of all that a launcher says it waits for one thing",
    "ssh/jobs.py: heard": "of all that a launcher says it waits for what its own attempt came to",
    "ssh/lane.py: _line": "what is not for the lane itself is for whoever asked",
}


@cache
def trees() -> Mapping[str, ast.Module]:
    files = sorted(PACKAGE.rglob("*.py"))
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in files}


def classes() -> Iterator[ast.ClassDef]:
    nodes = chain.from_iterable(ast.walk(tree) for tree in trees().values())
    return (node for node in nodes if isinstance(node, ast.ClassDef))


@cache
def enums() -> frozenset[str]:
    return frozenset(
        each.name
        for each in classes()
        if any(ast.unparse(base).endswith("Enum") for base in each.bases)
    )


@cache
def members() -> frozenset[str]:
    """Names of classes that stand in a union of our own, `Wish = Record | Evaluate | …`."""
    known = {each.name for each in classes()}
    unions = [
        {name_of(part) for part in parts(node.value)}
        for tree in trees().values()
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp)
    ]
    return frozenset(chain.from_iterable(each & known for each in unions))


def parts(union: ast.expr) -> Iterator[ast.expr]:
    if isinstance(union, ast.BinOp):
        yield from parts(union.left)
        yield from parts(union.right)
    else:
        yield union


def name_of(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def alternatives(pattern: ast.pattern) -> Iterator[ast.pattern]:
    if isinstance(pattern, ast.MatchOr):
        yield from pattern.patterns
    else:
        yield pattern


def is_closed(match: ast.Match) -> bool:
    """Whether a match is over a closed union, as far as its patterns tell."""
    for pattern in chain.from_iterable(alternatives(case.pattern) for case in match.cases):
        match pattern:
            case ast.MatchClass(cls=union) if name_of(union) in members():
                return True
            case ast.MatchValue(value=ast.Attribute(value=enum)) if name_of(enum) in enums():
                return True
    return False


def swallows(match: ast.Match) -> bool:
    """Whether its last case takes what nobody thought of."""
    last = match.cases[-1]
    takes_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
    return takes_all and "assert_never(" not in ast.unparse(last.body[0])


def open_matches() -> set[str]:
    return {
        f"{path}: {function.name}"
        for path, tree in trees().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Match) and is_closed(node) and swallows(node)
    }


def test_a_match_over_a_closed_union_ends_in_assert_never() -> None:
    assert open_matches() == set(OPEN)


def test_the_unions_are_found() -> None:
    assert {"Record", "RunStarted", "ContactLost", "AttemptFinished", "ManualAction"} <= members()
    assert {"Status", "Phase", "RunStatus", "ProbeKind", "Mode", "Purpose"} <= enums()

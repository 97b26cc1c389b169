"""Names that a template uses, found without rendering it.

Rules:
- Imported only where templates are linted, because Jinja2 is slow to import.
- `x is defined` and `x | default(…)` ask whether a name is there: such a use is no mistake.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from jinja2 import nodes  # noqa: TID253 - this module is imported where templates are linted

from drrun.core.dataclass import dataclass
from drrun.files.templates.template_source import parsed, parsed_expression, values_only

_TOLERANT_FILTERS: Final = frozenset({"default", "d"})
_TOLERANT_TESTS: Final = frozenset({"defined", "undefined"})
_KNOWN_GLOBALS: Final = frozenset({"range", "loop", "true", "false", "none"})


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a name: `steps.a.lag` is root `steps`, path `a`, `lag`."""

    root: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uses:
    """What a template uses."""

    names: tuple[Use, ...]
    raw: bool


@lru_cache(maxsize=5000)
def uses_of(text: str, *, expression: bool = False) -> Uses:
    """The names that a template, or an expression, uses.

    Raises:
        jinja2.TemplateSyntaxError: It is no template.
    """
    values = None if expression else values_only(text)
    if values is not None:
        parts = [_uses_of_value(value) for value in values]
        names = dict.fromkeys(use for part in parts for use in part.names)
        return Uses(tuple(names), any(part.raw for part in parts))
    return _uses_in(parsed_expression(text) if expression else parsed(text))


def told_by_steps(text: str) -> bool:
    """Whether a template has any use of what other steps captured or were told, however made.

    Raises:
        jinja2.TemplateSyntaxError: It is no template.
    """
    return any(each.name == "steps" for each in parsed(text).find_all(nodes.Name))


# Thousands of texts have the same few values in them: of those alone a tree is made once.
@lru_cache(maxsize=5000)
def _uses_of_value(value: str) -> Uses:
    return _uses_in(parsed(f"{{{{{value}}}}}"))


def _uses_in(tree: nodes.Node) -> Uses:
    local = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    local |= _KNOWN_GLOBALS
    found = dict.fromkeys(use for use in _walk(tree) if use.root not in local)
    raw = any(each.name == "raw" for each in tree.find_all(nodes.Filter))
    return Uses(tuple(found), raw)


def _walk(tree: nodes.Node) -> Iterator[Use]:
    """Uses inside `tree`, in order; an explicit stack, as expressions may be long."""
    waiting = [tree]
    while waiting:
        current = waiting.pop()
        if isinstance(current, nodes.Filter) and current.name in _TOLERANT_FILTERS:
            waiting += [*current.args, *(pair.value for pair in current.kwargs)]
            continue
        if isinstance(current, nodes.Test) and current.name in _TOLERANT_TESTS:
            continue
        use = use_of(current)
        if use is not None:
            yield use
            waiting += _indices(current)
        else:
            waiting += reversed(list(current.iter_child_nodes()))


def use_of(current: nodes.Node) -> Use | None:
    """`a.b["c"].d` as one use; beyond an index that is not constant nothing is known."""
    path: list[str] = []
    while isinstance(current, nodes.Getattr | nodes.Getitem):
        if isinstance(current, nodes.Getattr):
            path.append(current.attr)
        elif isinstance(current.arg, nodes.Const) and isinstance(current.arg.value, str):
            path.append(current.arg.value)
        else:
            path = []
        current = current.node
    if not isinstance(current, nodes.Name):
        return None
    return Use(current.name, tuple(reversed(path)))


def _indices(current: nodes.Node) -> Iterator[nodes.Node]:
    while isinstance(current, nodes.Getattr | nodes.Getitem):
        if isinstance(current, nodes.Getitem):
            yield current.arg
        current = current.node

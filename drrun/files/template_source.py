"""A template's source on its way to Jinja2: names of steps, places in shell text.

Rules:
- Works on Jinja2's own tokens, so that text in quotes and comments is never touched.
- Imported only where templates are used, like `sandbox`.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from jinja2 import TemplateSyntaxError  # noqa: TID253 - this module is imported where used

from drrun.core.dataclass import dataclass
from drrun.files.sandbox import Environment, plain
from drrun.files.shell_contexts import Context, ShellText, Spot

_FILTERS: Final = {
    Context.BARE: "",
    Context.DOUBLE: " | drrun_double",
    Context.SINGLE: " | drrun_single",
    Context.HEREDOC: " | drrun_heredoc({name})",
    Context.LITERAL_HEREDOC: " | drrun_literal({name})",
    Context.COMMENT: " | drrun_comment",
    Context.ARITHMETIC: " | drrun_arithmetic",
}
_PART_OF_ID = re.compile(r"[a-z0-9-]+")
_BRANCHES: Final = frozenset({"else", "elif"})


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a template's source."""

    line: int
    kind: str
    text: str


@dataclass(slots=True)
class _Region:
    """Data, or something in braces: begin, inside, end."""

    kind: str
    begin: str
    inside: list[Token]
    end: str
    line: int


@lru_cache(maxsize=1)
def lexing() -> Environment:
    """The environment that templates are read with."""
    return Environment(plain)


@lru_cache(maxsize=16)
def regions(template: str) -> tuple[_Region, ...]:
    """The template cut into data and braces. Remembered, as one text is looked at several times.

    Raises:
        TemplateSyntaxError: It is no template.
    """
    found: list[_Region] = []
    opened: _Region | None = None
    for line, kind, text in lexing().lex(template):
        if opened is None and not kind.endswith("_begin"):
            found.append(_Region("data", text, [], "", line))
        elif opened is None:
            opened = _Region(kind.removesuffix("_begin"), text, [], "", line)
        elif kind == f"{opened.kind}_end":
            opened.end = text
            found.append(opened)
            opened = None
        else:
            opened.inside.append(Token(line, kind, text))
    if opened is not None:
        raise TemplateSyntaxError(f"'{opened.begin}' is not closed", opened.line)
    return tuple(found)


def with_step_names(tokens: list[Token]) -> str:
    """The text of an expression; `steps.freeze-writes` becomes `steps["freeze-writes"]`."""
    parts: list[str] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        parts.append(token.text)
        position += 1
        attribute = parts[-2:-1] == ["."]
        if token.text == "steps" and token.kind == "name" and not attribute:
            step, position = _step_id(tokens, position)
            if step:
                parts.append(f'["{step}"]')
    return "".join(parts)


def _step_id(tokens: list[Token], position: int) -> tuple[str, int]:
    """The id behind `steps`, and where to go on."""
    if position >= len(tokens) or tokens[position].text != ".":
        return "", position
    parts: list[str] = []
    end = position + 1
    while end < len(tokens) and _PART_OF_ID.fullmatch(tokens[end].text):
        parts.append(tokens[end].text)
        end += 1
    return ("".join(parts), end) if parts else ("", position)


def prepare(template: str, *, shell: bool) -> str:
    """The source for Jinja2.

    Raises:
        TemplateSyntaxError: It is no template, or a value stands where it cannot be quoted.
    """
    reader = _ShellReader() if shell else None
    parts = []
    for region in regions(template):
        inside = with_step_names(region.inside)
        if reader is not None:
            spot = reader.take(region)
            if spot is not None:
                applied = _FILTERS[spot.context].format(name=repr(spot.document))
                inside = f"({inside}){applied}" if applied else inside
        parts += [region.begin, inside, region.end]
    if reader is not None:
        reader.finish()
    return "".join(parts)


def spots(template: str) -> Iterator[tuple[Spot, str]]:
    """Where each value of shell text stands, and what stands before it in its line."""
    reader = _ShellReader()
    for region in regions(template):
        before = reader.text.line
        spot = reader.take(region)
        if spot is not None:
            yield spot, before
    reader.finish()


class _ShellReader:
    """Follows shell text through the regions of a template."""

    def __init__(self) -> None:
        self.text = ShellText()
        self._branches: list[tuple[Context, ...]] = []
        self._seen = False

    def take(self, region: _Region) -> Spot | None:
        """Go on over a region; for a value, say where it stands."""
        if region.kind == "data":
            self.text.feed(region.begin)
        elif region.kind.startswith("raw"):
            self.text.feed("".join(token.text for token in region.inside))
        elif region.kind == "block":
            self._block(region)
        elif region.kind == "variable":
            self._seen = True
            spot = self.text.spot()
            if spot.refused:
                inside = "".join(token.text for token in region.inside).strip()
                message = f"{{{{ {inside} }}}} {spot.refused}"
                raise TemplateSyntaxError(message, region.line)
            return spot
        return None

    def finish(self) -> None:
        """Refuse a text with values in it whose quotes do not add up.

        Raises:
            TemplateSyntaxError: Something is still open.
        """
        opened = self.text.finish()
        if opened and self._seen:
            raise TemplateSyntaxError(f"the shell text is not complete: {opened}", 1)

    def _block(self, region: _Region) -> None:
        word = next((token.text for token in region.inside if token.kind == "name"), "")
        if word in {"if", "for"}:
            self._branches.append(self.text.state())
        elif self._branches and (word in _BRANCHES or word in {"endif", "endfor"}):
            if self.text.state() != self._branches[-1]:
                message = f"quotes must be closed before '{word}'"
                raise TemplateSyntaxError(message, region.line)
            if word.startswith("end"):
                self._branches.pop()


def is_lone(text: str) -> bool:
    """Whether a text is one value in braces and nothing else."""
    return [region.kind for region in regions(text)] == ["variable"]


def values_only(text: str) -> list[str] | None:
    """What stands in the braces of a text that has no other braces than those of values."""
    try:
        found = regions(text)
    except TemplateSyntaxError:
        return None
    if not all(region.kind in {"data", "variable"} for region in found):
        return None
    return [
        "".join(token.text for token in region.inside)
        for region in found
        if region.kind == "variable"
    ]


def lone_expression(text: str) -> str:
    """The expression of a condition, or of a text that is one value in braces."""
    stripped = text.strip()
    if stripped.startswith("{{") and is_lone(stripped):
        return with_step_names(regions(stripped)[0].inside)
    found = regions("{{" + stripped + "}}")
    if len(found) != 1:
        raise TemplateSyntaxError("must be one expression, without text around it", 1)
    return with_step_names(found[0].inside)


def parsed(template: str) -> Any:
    """Jinja2's tree of a template, for static checks.

    Raises:
        TemplateSyntaxError: It is no template.
    """
    named = prepare(template, shell=False) if "steps" in template else template
    return lexing().parse(named)


def parsed_expression(expression: str) -> Any:
    """Jinja2's tree of a condition.

    Raises:
        TemplateSyntaxError: It is no expression.
    """
    return lexing().parse("{{ " + lone_expression(expression) + " }}")

"""The Jinja2 environment: sandboxed, strict about names, quoting what enters shell text.

Rules:
- Imported only where something is rendered or linted: Jinja2 is slow to import.
- Templates come from the runbook; what a host printed is only ever a value (rule T1).
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final

import jinja2  # noqa: TID253 - this module is imported where templates are used
import jinja2.sandbox  # noqa: TID253 - as above

from drrun.core.lazily import Lazily
from drrun.files.nearest import did_you_mean
from drrun.files.written import shortened

#: Methods of a mapping that templates may call.
_METHODS: Final = frozenset({"get", "items", "keys", "values"})
_LONGEST_PRODUCT: Final = 1_000_000


class Raw(str):
    """Text that goes into shell text as it is, because the author wrote `| raw`."""

    __slots__ = ()


class Quoted(Raw):
    """Text that has been quoted for the place where it stands."""

    __slots__ = ()


class Unknown(jinja2.StrictUndefined):
    """A name that is not known; using it in any way is an error that names the nearest one."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name, owner = self._undefined_name, self._undefined_obj
        if self._undefined_hint:
            return str(self._undefined_hint)
        if isinstance(owner, Mapping):
            return f"unknown name '{name}'{did_you_mean(str(name), map(str, owner))}"
        return f"unknown name '{name}'"


def plain(value: Any) -> str:
    """How a value is written into text: true and false in small letters, lists with commas."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ", ".join(plain(each) for each in value)
        case Lazily():
            return plain(dict(value))
        case dict():
            return json.dumps(value, default=str, ensure_ascii=False)
        case _:
            return str(value)


def bare(value: Any) -> str:
    """One word of shell text; a list becomes several words.

    Raises:
        ValueError: The value has a NUL in it.
    """
    if isinstance(value, Raw):
        return value
    if isinstance(value, list | tuple):
        return Quoted(" ".join(bare(each) for each in value))
    return Quoted(shlex.quote(_clean(value)))


def in_double(value: Any) -> str:
    """Inside double quotes: what expands is escaped."""
    return value if isinstance(value, Raw) else Quoted(_escaped(_clean(value), '\\"$`'))


def in_single(value: Any) -> str:
    """Inside single quotes: a quote closes them, stands escaped, and opens them again."""
    return value if isinstance(value, Raw) else Quoted(_clean(value).replace("'", "'\\''"))


def in_heredoc(value: Any, name: str, *, literal: bool) -> str:
    """In a here-document called `name`.

    Raises:
        ValueError: The value could end the document.
    """
    if isinstance(value, Raw):
        return value
    text = _clean(value)
    if "\n" in text or (text and text in name):
        raise ValueError("a value in a here-document may not have several lines or be its name")
    return Quoted(text if literal else _escaped(text, "\\$`"))


def in_arithmetic(value: Any) -> str:
    """Inside `$((…))`: a whole number.

    Raises:
        ValueError: It is none.
    """
    text = _clean(value)
    if isinstance(value, Raw):
        return value
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise ValueError(f"a value inside $((…)) must be a whole number, not {shortened(text)}")
    return Quoted(text)


def in_comment(value: Any) -> str:
    """In a comment, which the end of a line would end."""
    return value if isinstance(value, Raw) else Quoted(" ".join(_clean(value).split()))


def _jsonable(value: Any) -> Any:
    """What is no JSON value as it stands.

    Raises:
        TypeError: It is none in any form.
    """
    if isinstance(value, Lazily):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _escaped(text: str, special: str) -> str:
    return "".join(f"\\{character}" if character in special else character for character in text)


def _clean(value: Any) -> str:
    text = " ".join(map(plain, value)) if isinstance(value, list | tuple) else plain(value)
    if "\0" in text:
        raise ValueError("a value has a NUL character in it")
    return text


class Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Names in mappings come before methods; products are limited in size."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, finalize: Callable[[Any], Any]) -> None:
        # No comments: `${#x}` is shell, and a text with NUL is refused, so this never begins one.
        super().__init__(
            undefined=Unknown,
            finalize=finalize,
            autoescape=False,
            keep_trailing_newline=True,
            comment_start_string="\0#",
            comment_end_string="#\0",
        )
        self.globals = {"range": self.globals["range"]}
        self.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": _jsonable}
        self.filters |= {
            "raw": lambda value: Raw(plain(value)),
            "drrun_double": in_double,
            "drrun_single": in_single,
            "drrun_heredoc": lambda value, name: in_heredoc(value, name, literal=False),
            "drrun_literal": lambda value, name: in_heredoc(value, name, literal=True),
            "drrun_comment": in_comment,
            "drrun_arithmetic": in_arithmetic,
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`a.b`: the entry b of a mapping, else an attribute that the sandbox allows."""
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            if not isinstance(obj, dict | Lazily) or attribute not in _METHODS:
                return self.undefined(obj=obj, name=attribute)
        if isinstance(obj, str) and attribute == "name":
            return str(obj)  # a host prints as its name
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Products of numbers as usual; of texts and lists, up to a limit; no powers."""
        if operator == "**":
            raise jinja2.exceptions.SecurityError("'**' is not allowed")
        for one, other in ((left, right), (right, left)):
            repeats = isinstance(one, str | list | tuple) and isinstance(other, int)
            if repeats and len(one) * other > _LONGEST_PRODUCT:
                raise jinja2.exceptions.SecurityError("'*' makes a text that is too long")
        return super().call_binop(context, operator, left, right)

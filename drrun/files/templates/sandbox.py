"""The Jinja2 environment: sandboxed, strict about names, keeping values out of shell text.

Rules:
- Imported only where something is rendered or linted: Jinja2 is slow to import.
- Templates come from the runbook; what a host printed is only ever a value (rule T1).
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import jinja2  # noqa: TID253 - this module is imported where templates are used
import jinja2.sandbox  # noqa: TID253 - as above
from jinja2 import nodes  # noqa: TID253 - as above
from jinja2.compiler import CodeGenerator, Frame  # noqa: TID253 - as above

from drrun.core.lazily import Lazily
from drrun.core.model.comparing import compare
from drrun.core.model.shell_values import PREFIX, assignment
from drrun.core.nearest import did_you_mean
from drrun.files.templates.shell_spots import Guard
from drrun.files.yaml.written import shortened

#: Names of Jinja2's tests that compare, and how.
_TESTS: Final = {
    "eq": "eq", "==": "eq", "equalto": "eq", "ne": "ne", "!=": "ne", "in": "in",
    "lt": "lt", "<": "lt", "lessthan": "lt", "gt": "gt", ">": "gt", "greaterthan": "gt",
    "le": "lteq", "<=": "lteq", "ge": "gteq", ">=": "gteq",
}  # fmt: skip
#: Methods of a mapping that templates may call.
_METHODS: Final = frozenset({"get", "items", "keys", "values"})
#: Where a rendering finds what it holds; no template can write this name.
HELD: Final = "values held"
#: Longest name made of an expression, in characters.
_LONGEST_NAME: Final = 40
_LONGEST_PRODUCT: Final = 1_000_000


class Raw(str):
    """Text that goes into shell text as it is, because the author wrote `| raw`."""

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


def guarded(value: Any, expression: str, guard: Guard | None) -> str:
    """The text of a value in shell text.

    Raises:
        ValueError: It does not pass the guard, or has a NUL in it.
    """
    text = _clean(value)
    if guard is not None and not guard.lets(text):
        where = f"{{{{ {expression} }}}} is used where the shell computes with it"
        raise ValueError(f"{where}: it must be {guard.value}, not {shortened(text)}")
    return text


class Held:
    """The values of one shell text, by the variables that hold them."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def beginning(self) -> str:
        """The lines that give the variables their values."""
        return "".join(assignment(name, value) for name, value in self._values.items())

    def refer(
        self, value: Any, expression: str, reference: str, guard: str, *, splits: bool
    ) -> str:
        """Hold a value, and give the reference to it.

        Args:
            value: The value.
            expression: Where it comes from; its variable is called after it.
            reference: The reference, with `name` for the variable.
            guard: Name of the guard that it has to pass; "" for none.
            splits: Whether a list becomes several words.

        Raises:
            ValueError: It does not pass, or has a NUL in it.
        """
        if isinstance(value, Raw):
            return value
        if splits and isinstance(value, list | tuple):
            words = (self.refer(each, expression, reference, guard, splits=True) for each in value)
            return " ".join(words)
        text = guarded(value, expression, Guard[guard] if guard else None)
        return reference.replace("name", self._variable(_called_after(expression), text))

    def _variable(self, name: str, text: str) -> str:
        found, number = name, 1
        while self._values.setdefault(found, text) != text:
            number += 1
            found = f"{name}_{number}"
        return found


@lru_cache(maxsize=5000)
def _called_after(expression: str) -> str:
    """A name by which the expression is recognised."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", expression).strip("_")
    return PREFIX + (words[:_LONGEST_NAME].rstrip("_") or "value")


@jinja2.pass_context
def _held(
    context: Any, value: Any, expression: str, reference: str, guard: str, splits: bool
) -> str:
    held: Held = context[HELD]
    return held.refer(value, expression, reference, guard, splits=splits)


def _jsonable(value: Any) -> Any:
    """What is no JSON value as it stands.

    Raises:
        TypeError: It is none in any form.
    """
    if isinstance(value, Lazily):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON value")


def _clean(value: Any) -> str:
    text = " ".join(map(plain, value)) if isinstance(value, list | tuple) else plain(value)
    if "\0" in text:
        raise ValueError("a value has a NUL character in it")
    return text


class _Generator(CodeGenerator):
    """Compares by `drrun.core.model.comparing`, not as Python would."""

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802 - Jinja2's
        """Leave a comparison to the environment."""
        self.write("environment.compared(")
        self.visit(node.expr, frame)
        for operand in node.ops:
            self.write(f", ({operand.op!r}, ")
            self.visit(operand.expr, frame)
            self.write(")")
        self.write(")")


def _test(operator: str) -> Any:
    """Jinja2's test that compares: `x is eq 3`, `select("gt", 9)`."""
    return lambda left, right: compare(operator, left, right)


def _known(value: Any) -> Any:
    """A value that is compared; a name that is not known raises."""
    if isinstance(value, Unknown):
        str(value)
    return value


class Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Names in mappings come before methods; products are limited in size."""

    intercepted_binops = frozenset({"*", "**"})
    code_generator_class = _Generator

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
        self.tests.update({name: _test(operator) for name, operator in _TESTS.items()})
        self.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": _jsonable}
        self.filters |= {
            "raw": lambda value: Raw(plain(value)),
            "drrun_value": _held,
        }

    def compared(self, left: Any, *rest: tuple[str, Any]) -> bool:
        """`a < b <= c`, by the one rule for all comparisons."""
        for operator, right in rest:
            if not compare(operator, _known(left), _known(right)):
                return False
            left = right
        return True

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

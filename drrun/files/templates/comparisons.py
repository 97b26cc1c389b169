"""Comparisons in templates that would not say what their author means, found before the run.

Rules:
- What a value is, is known of inputs, of captures with `as`, of answers, options, states and of
  what is written in the template. Of everything else nothing is claimed.
- A capture without `as` is a number where it reads as one: it is compared with numbers, or with
  texts that are no numbers. Everything else wants `as`.
- Two values that can never be equal, or have no order, are an error: the step would be skipped
  without a word. `drrun.core.model.comparing` is the rule for the rest.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final

from jinja2 import nodes  # noqa: TID253 - this module is imported where templates are linted

from drrun.core.dataclass import dataclass
from drrun.core.model.values import Duration, Size, quantity
from drrun.core.nearest import did_you_mean
from drrun.files.templates.template_names import Use, use_of
from drrun.files.templates.template_source import parsed, parsed_expression
from drrun.files.yaml.written import shortened


class ValueType(Enum):
    """What is known of a value."""

    NUMBER = "a number"
    DURATION = "a duration"
    SIZE = "a size"
    TEXT = "a text"
    TRUTH = "true or false"
    LIST = "a list"
    #: Of a capture without `as`.
    AS_IT_READS = "a number or a text, as it reads"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class DeclaredValue:
    """A value, as far as it is known before the run."""

    type: ValueType
    #: All texts that it can be; empty: any.
    only: tuple[str, ...] = ()
    #: The text that is written in the template; None: it is no such text.
    literal: str | None = None


UNKNOWN: Final = DeclaredValue(ValueType.UNKNOWN)
#: What is known of a name: `steps.a.lag`.
Declared = Callable[[Use], DeclaredValue]
_NUMBERS: Final = {ValueType.NUMBER, ValueType.DURATION, ValueType.SIZE}
_EQUALITY: Final = {"eq", "ne", "in", "notin"}
_SIGNS: Final = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}
_NUMERIC_FILTERS: Final = {"int", "float", "length", "count", "round", "abs"}
_TEXT_FILTERS: Final = {"string", "lower", "upper", "trim", "replace", "join"}
_SUMS: Final = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)


def wrong_comparisons(text: str, declared: Declared, *, expression: bool) -> Iterator[str]:
    """What is wrong with the comparisons of a template, or of an expression.

    Raises:
        jinja2.TemplateSyntaxError: It is no template.
    """
    tree = parsed_expression(text) if expression else parsed(text)
    for compared in tree.find_all(nodes.Compare):
        left = compared.expr
        for operand in compared.ops:
            yield from _pairs(operand.op, left, operand.expr, declared)
            left = operand.expr


def _pairs(
    operator: str, left: nodes.Node, right: nodes.Node, declared: Declared
) -> Iterator[str]:
    if operator not in {"in", "notin"}:
        yield from _judged(operator, left, right, declared)
    elif isinstance(right, nodes.List | nodes.Tuple):
        for each in right.items:
            yield from _judged("eq", left, each, declared)


def _judged(
    operator: str, left: nodes.Node, right: nodes.Node, declared: Declared
) -> Iterator[str]:
    one, other = _type_of(left, declared), _type_of(right, declared)
    wrong = _unequal if operator in _EQUALITY else _without_order
    why = wrong(one, other, _name(left)) or wrong(other, one, _name(right))
    if why:
        yield f"{_name(left)} {_SIGNS[operator]} {_name(right)}: {why}"


def _unequal(one: DeclaredValue, other: DeclaredValue, name: str) -> str:
    """Why a value is never, or not reliably, equal to another; "" if it may be."""
    if ValueType.UNKNOWN in (one.type, other.type):
        return ""
    if one.type is ValueType.AS_IT_READS and other.type is ValueType.TEXT:
        return _reads_as_number(other, name)
    if one.type in _NUMBERS:
        return _number_beside(one, other, name)
    if one.type is ValueType.TRUTH and other.type is not ValueType.TRUTH:
        return f"{name} is true or false: compare it with true or false, without quotes"
    if one.only and other.literal not in (None, *one.only):
        return f"{name} is never {other.literal!r}{did_you_mean(str(other.literal), one.only)}"
    if one.type is ValueType.LIST and other.type is not ValueType.LIST:
        return f"{name} is a list, and never equal to {other.type.value}"
    return ""


def _reads_as_number(text: DeclaredValue, name: str) -> str:
    if text.literal is None or quantity(text.literal) is None:
        return ""
    return (
        f"{name} is a number where it reads as one, and {text.literal!r} is a text: write "
        f"{text.literal} without quotes, or capture it with 'as: text'"
    )


def _number_beside(one: DeclaredValue, other: DeclaredValue, name: str) -> str:
    if other.type in _NUMBERS:
        units = {one.type, other.type} == {ValueType.DURATION, ValueType.SIZE}
        return f"{name} is {one.type.value}, the other is {other.type.value}" if units else ""
    if other.type is not ValueType.TEXT:
        return ""  # told by the other one
    if other.literal is None:
        if not other.only or any(quantity(each) is not None for each in other.only):
            return ""
        return f"{name} is {one.type.value}, and never one of {', '.join(other.only)}"
    if _is_written(one.type, other.literal):
        return ""
    if one.type is ValueType.NUMBER and quantity(other.literal) is not None:
        return f"{name} is a number: write {other.literal} without quotes"
    return f"{name} is {one.type.value}, and {other.literal!r} is none"


def _is_written(kind: ValueType, text: str) -> bool:
    """Whether a text is how a duration, or a size, is written."""
    try:
        if kind is ValueType.DURATION:
            Duration.parse(text)
        elif kind is ValueType.SIZE:
            Size.parse(text)
    except ValueError:
        return False
    return kind in (ValueType.DURATION, ValueType.SIZE)


def _without_order(one: DeclaredValue, other: DeclaredValue, name: str) -> str:
    """Why a value is neither more nor less than another; "" if it may be."""
    if ValueType.UNKNOWN in (one.type, other.type):
        return ""
    if one.type in _NUMBERS:
        if other.type is ValueType.TEXT and other.literal is None:
            return f"{name} is {one.type.value}, and the other is a text"
        return _number_beside(one, other, name)
    if one.type is ValueType.AS_IT_READS and other.type not in _NUMBERS:
        return f"what {name} reads as is not known: say it in its capture, with 'as'"
    if one.type in (ValueType.TRUTH, ValueType.LIST):
        return f"{name} is {one.type.value}: nothing is more or less than that"
    if one.literal is None or quantity(one.literal) is None or other.type in _NUMBERS:
        return ""  # beside a number, the number tells
    return f"texts compare character by character: write {one.literal} without quotes"


def _type_of(node: nodes.Node, declared: Declared) -> DeclaredValue:
    use = use_of(node)
    if use is not None:
        return declared(use)
    match node:
        case nodes.Const(value=str() as value):
            return DeclaredValue(ValueType.TEXT, literal=value)
        case nodes.Const(value=bool()) | nodes.Compare() | nodes.Not() | nodes.Test():
            return DeclaredValue(ValueType.TRUTH)
        case nodes.Const(value=int() | float()):
            return DeclaredValue(ValueType.NUMBER)
        case nodes.List() | nodes.Tuple():
            return DeclaredValue(ValueType.LIST)
        case nodes.Neg() | nodes.Pos():
            return _type_of(node.node, declared)
        case nodes.Concat() | nodes.TemplateData():
            return DeclaredValue(ValueType.TEXT)
        case nodes.Filter(name=name) if name in _NUMERIC_FILTERS:
            return DeclaredValue(ValueType.NUMBER)
        case nodes.Filter(name=name) if name in _TEXT_FILTERS:
            return DeclaredValue(ValueType.TEXT)
        case nodes.BinExpr() if isinstance(node, _SUMS):
            parts = {_type_of(each, declared).type for each in (node.left, node.right)}
            return DeclaredValue(ValueType.NUMBER) if parts <= _NUMBERS else UNKNOWN
        case _:
            return UNKNOWN


def _name(node: nodes.Node) -> str:
    """A value as it is written, as far as that is short."""
    use = use_of(node)
    if use is not None:
        return ".".join((use.root, *use.path))
    if isinstance(node, nodes.Const):
        constant = node.value
        return shortened(constant) if isinstance(constant, str) else str(constant).lower()
    return "this value"

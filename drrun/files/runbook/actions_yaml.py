"""Actions as written: exactly one of run, manual, decision and uses.

Rules:
- What belongs to an action may stand inside it or beside it: `manual: TEXT` with `input:`, or
  `manual: {text, input}`; the model is the same.
- Arguments of a named action are checked against `BUILT_IN`; templates in them stay text, and
  those that are probes become probes.
"""

from collections.abc import Mapping
from typing import Any, Final

from drrun.core.model.actions import (
    BUILT_IN,
    Action,
    DecisionAction,
    ManualAction,
    NamedAction,
    RunAction,
    UsesAction,
)
from drrun.core.nearest import did_you_mean
from drrun.files.runbook.arguments import read_arguments, with_schema
from drrun.files.yaml.scalars import AnyMapping, OneOf, duration, identifier, slug, text
from drrun.files.yaml.shape import (
    WRONG,
    ByForm,
    Converted,
    Definitions,
    ListOf,
    MappingOf,
    Reading,
    RecordKey,
    RecordShape,
    Schema,
    Shape,
    Wrong,
    read_at,
)
from drrun.files.yaml.written import Scalar, Table, Written

#: Keys of which a step has exactly one.
CHOICES: Final = ("run", "manual", "decision", "uses")
_kind: Shape[str] = OneOf(
    {"string": "str"} | {kind: kind for kind in ("str", "int", "float", "bool", "duration")}
)
_answer: Shape[str] = ByForm(
    word=_kind,
    table=RecordShape(
        "answer",
        {
            "type": RecordKey(_kind, "what it must be", default="str"),
            "description": RecordKey(text, "what is asked for"),
        },
        lambda values, _, __: values.get("type", "str"),
    ),
)
_evidence: Shape[bool] = OneOf({"required": True, "optional": False, "true": True, "false": False})
_option: Shape[Mapping[str, Any]] = ByForm(
    word=Converted(text, lambda title: {"title": title}), table=AnyMapping()
)


class _Options(MappingOf[Mapping[str, Any]]):
    """Options of a decision: a mapping, or just their names."""

    def read(self, written: Written, reading: Reading) -> dict[str, Mapping[str, Any]] | Wrong:
        """Each option with what is said about it; nothing is fine."""
        names = _NAMES.read(written, Reading("")) if not isinstance(written, Table) else WRONG
        if names is not WRONG:
            return {name: {} for name in names}
        return super().read(written, reading)

    def schema(self, definitions: Definitions) -> Schema:
        """A mapping or a list."""
        return {"anyOf": [super().schema(definitions), _NAMES.schema(definitions)]}


class _OrNothing(Shape[Any]):
    """A shape for which nothing written is an empty mapping."""

    def __init__(self, shape: Shape[Any]) -> None:
        self.expects = shape.expects
        self._shape = shape

    def read(self, written: Written, reading: Reading) -> Any:
        """The value, {} for a null."""
        if isinstance(written, Scalar) and written.is_null:
            return {}
        return self._shape.read(written, reading)

    def schema(self, definitions: Definitions) -> Schema:
        """As of the shape, or null."""
        return {"anyOf": [self._shape.schema(definitions), {"type": "null"}]}


_NAMES: Shape[tuple[str, ...]] = ListOf(slug, least=1)
_MANUAL: Mapping[str, RecordKey] = {
    "input": RecordKey(
        MappingOf(_answer, name=identifier), "typed answers needed; read as steps.ID.NAME"
    ),
    "evidence": RecordKey(_evidence, "true: a note or a file is required", default="optional"),
    "contact": RecordKey(text, "a contact of the inventory: the step waits for this third party"),
    "remind_after": RecordKey(duration, "tell them again, each time so much later"),
    "escalate_after": RecordKey(duration, "tell more people"),
}
_DECISION: Mapping[str, RecordKey] = {
    "options": RecordKey(_Options(_OrNothing(_option), name=slug), "the choices", required=True),
    "authority": RecordKey(text, "the role that decides"),
    "default": RecordKey(slug, "the option taken at decide_by"),
    "decide_by": RecordKey(duration, "after this the default is taken; without one it waits"),
    "remind_after": RecordKey(duration, "tell them again, each time so much later"),
    "escalate_after": RecordKey(duration, "tell more people"),
}


def _only_given(values: dict[str, Any], _: Table, __: Reading) -> dict[str, Any]:
    return values


_manual: Shape[dict[str, Any]] = ByForm(
    word=Converted(text, lambda words: {"text": words}),
    table=RecordShape(
        "manual",
        {
            "text": RecordKey(text, "what to do"),
            "instruction": RecordKey(text, "as `text`", into="text"),
            **_MANUAL,
        },
        _only_given,
    ),
)
_decision: Shape[dict[str, Any]] = ByForm(
    word=Converted(text, lambda words: {"question": words}),
    table=RecordShape(
        "decision",
        {
            "question": RecordKey(text, "what is to be decided"),
            **_DECISION,
            "options": RecordKey(_DECISION["options"].shape, "the choices"),
        },
        _only_given,
    ),
)


class _Name(Shape[str]):
    """Name of an action that exists."""

    expects = "the name of an action"

    def read(self, written: Written, reading: Reading) -> str | Wrong:
        """The name."""
        name = text.read(written, reading)
        if name is WRONG or name in BUILT_IN:
            return name
        hint = did_you_mean(name, BUILT_IN)
        return reading.wrong(written, f"unknown action '{name[:60]}'{hint}", code="unknown-action")

    def schema(self, _: Definitions) -> Schema:
        """An enumeration."""
        return {"enum": sorted(BUILT_IN)}


class _AsWritten(Shape[Written]):
    """Arguments, read once it is known what they belong to."""

    expects = "a mapping"

    def read(self, written: Written, _: Reading) -> Written | Wrong:
        """What was written."""
        return written

    def schema(self, _: Definitions) -> Schema:
        """An object; `action_schema` says more."""
        return {"type": "object"}


#: Keys of every mapping that contains an action.
ACTION: Mapping[str, RecordKey] = {
    "run": RecordKey(text, "shell text executed on each target"),
    "manual": RecordKey(_manual, "instruction to a person, who confirms or rejects"),
    **_MANUAL,
    "decision": RecordKey(_decision, "choice between named options, made by a person"),
    **{name: RecordKey(key.shape, key.about) for name, key in _DECISION.items()},
    "uses": RecordKey(_Name(), "a named action"),
    "with": RecordKey(_AsWritten(), "arguments of the named action"),
}


def action_schema(definitions: Definitions) -> Schema:
    """What the keys of an action demand of each other."""
    rules = [
        {
            "if": {"required": ["uses"], "properties": {"uses": {"const": name}}},
            "then": {"properties": {"with": with_schema(action, definitions)}},
        }
        for name, action in sorted(BUILT_IN.items())
    ]
    return {"oneOf": [{"required": [name]} for name in CHOICES], "allOf": rules}


def take_action(values: dict[str, Any], table: Table, reading: Reading) -> Action | Wrong:
    """Take the keys of ACTION out of `values` and make the action; findings for the rest."""
    given = {name: values.pop(name) for name in ACTION if name in values}
    written = [name for name in CHOICES if name in table.entries]
    if len(written) != 1:
        says = f"has {' and '.join(written)}" if written else "does nothing"
        return reading.wrong(
            reading.keys[-1] or table,
            f"{says}: exactly one action of {', '.join(CHOICES)}",
            code="one-action",
        )
    kind = written[0]
    _refuse_strays(kind, table, reading)
    if kind not in given:
        return WRONG
    match kind:
        case "run":
            return RunAction(given["run"])
        case "manual":
            return _make_manual(given, table, reading)
        case "decision":
            return _make_decision(given, table, reading)
        case _:
            return _make_uses(given, table, reading)


def _refuse_strays(kind: str, table: Table, reading: Reading) -> None:
    """Note keys that belong to another action, `input` beside `run`."""
    belongs = {"manual": _MANUAL, "decision": _DECISION, "uses": ("with",)}
    for name in dict.fromkeys(name for names in belongs.values() for name in names):
        owners = [owner for owner, names in belongs.items() if name in names]
        if name in table.entries and kind not in owners:
            whose = " or ".join(f"'{owner}'" for owner in owners)
            reading.wrong(table.entries[name].key, f"'{name}' belongs to {whose}")


def _make_manual(given: dict[str, Any], table: Table, reading: Reading) -> Action | Wrong:
    told = given["manual"] | {name: given[name] for name in _MANUAL if name in given}
    if "text" not in told:
        return reading.wrong(table.entries["manual"].value, "'text' is missing")
    for name in ("remind_after", "escalate_after"):
        if name in told:
            told[name] = str(told[name])
    return ManualAction(**told)


def _make_decision(given: dict[str, Any], table: Table, reading: Reading) -> Action | Wrong:
    told = given["decision"] | {name: given[name] for name in _DECISION if name in given}
    place = table.entries["decision"].value
    options = told.get("options")
    if not options:
        if "options" not in table.entries:
            reading.wrong(place, "'options' is missing: name the choices", code="missing-key")
        return WRONG
    default = told.get("default")
    if default is not None and default not in options:
        reading.wrong(
            place, f"default '{default}' is not an option{did_you_mean(default, options)}"
        )
    if "decide_by" in told and default is None:
        reading.wrong(place, "'decide_by' needs a 'default': what is taken when nobody decides?")
    for name in ("decide_by", "remind_after", "escalate_after"):
        if name in told:
            told[name] = str(told[name])
    return DecisionAction(**told)


def _make_uses(given: dict[str, Any], table: Table, reading: Reading) -> Action | Wrong:
    name = given["uses"]
    action: NamedAction = BUILT_IN[name]
    if "with" in given:
        arguments = read_at("with", _Arguments(name, action), given["with"], reading)
    else:
        nothing = Table({}, table.line, table.column)
        arguments = read_arguments(name, action, nothing, reading)
    return WRONG if arguments is WRONG else UsesAction(name, arguments)


class _Arguments(Shape[Mapping[str, Any]]):
    """Arguments of one named action."""

    def __init__(self, name: str, action: NamedAction) -> None:
        self._name, self._action = name, action

    expects = "a mapping of arguments"

    def read(self, written: Written, reading: Reading) -> Mapping[str, Any] | Wrong:
        """The arguments by name."""
        if not isinstance(written, Table):
            return self.refuse(written, reading)
        return read_arguments(self._name, self._action, written, reading)

    def schema(self, definitions: Definitions) -> Schema:
        """As declared."""
        return with_schema(self._action, definitions)

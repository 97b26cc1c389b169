"""Arguments of named actions (`with`), read as `BUILT_IN` declares them.

Rules:
- A text with a template in it is accepted for every kind: its value is known only in the run.
"""

from collections.abc import Mapping
from typing import Any

from drrun.core.model.actions import NamedAction
from drrun.files.runbook.probes_yaml import probe
from drrun.files.runbook.shared_probes import probes
from drrun.files.yaml.scalars import (
    AnyMapping,
    Boolean,
    Number,
    Text,
    anything,
    duration,
    literally,
    text,
)
from drrun.files.yaml.shape import (
    WRONG,
    ByForm,
    Definitions,
    ListOf,
    Reading,
    Schema,
    Shape,
    Wrong,
    read_at,
)
from drrun.files.yaml.written import Scalar, Table, Written

_SHAPES: Mapping[str, Shape[Any]] = {
    "text": literally,
    "path": text,
    "duration": duration,
    "mode": Text("permissions like '0644'", r"[0-7]{3,4}"),
    "bool": Boolean(),
    "number": Number(-1e12, 1e12, whole=False),
    "probes": probes,
    "mapping": AnyMapping(),
    "texts": ListOf(literally, or_one=True),
    "any": anything,
}


class _OrTemplate(Shape[Any]):
    """A shape, or a text whose template gives the value in the run."""

    def __init__(self, shape: Shape[Any]) -> None:
        self.expects = shape.expects
        self._shape = shape

    def read(self, written: Written, reading: Reading) -> Any:
        """The value, or the template."""
        if isinstance(written, Scalar) and "{{" in written.text:
            return written.text
        return self._shape.read(written, reading)

    def schema(self, definitions: Definitions) -> Schema:
        """As of the shape, or a text with braces."""
        template = {"type": "string", "pattern": r"\{\{"}
        return {"anyOf": [self._shape.schema(definitions), template]}


def _shape(name: str, kind: str) -> Shape[Any]:
    if name == "probe":
        return ByForm(table=probe)
    return _OrTemplate(_SHAPES[kind])


def read_arguments(
    name: str, action: NamedAction, table: Table, reading: Reading
) -> Mapping[str, Any] | Wrong:
    """Read the arguments of the action called `name`."""
    values: dict[str, Any] = {}
    known = action.parameters
    for key, entry in table.entries.items():
        if key not in known:
            reading.unknown(entry.key, f"argument of {name}", known)
            continue
        value = read_at(key, _shape(key, known[key].kind), entry.value, reading)
        if value is not WRONG:
            values[key] = value
    missing = [key for key, one in known.items() if one.required and key not in table.entries]
    for key in missing:
        reading.wrong(table, f"{name} needs '{key}'", code="missing-key")
    given = [key for key in action.one_of if key in table.entries]
    if action.one_of and len(given) != 1:
        found = f", not {' and '.join(given)}" if given else ""
        reading.wrong(table, f"{name} needs exactly one of {', '.join(action.one_of)}{found}")
    return values


def with_schema(action: NamedAction, definitions: Definitions) -> Schema:
    """JSON Schema of the arguments."""
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: {"description": one.about, "allOf": [_shape(key, one.kind).schema(definitions)]}
            for key, one in action.parameters.items()
        },
        "required": [key for key, one in action.parameters.items() if one.required],
    }
    if action.one_of:
        schema["oneOf"] = [{"required": [key]} for key in action.one_of]
    return schema

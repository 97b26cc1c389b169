"""Shapes: one description of a part of a file, which reads it and prints its JSON Schema.

Rules:
- A shape never raises for what a person wrote. It collects findings and goes on, so that all
  mistakes are reported at once; what could not be read is `WRONG`.
- One mistake gives one finding: alternatives are told apart by their form (word, list, mapping),
  never by trying one after the other.
- The schema (draft 7, which editors understand) may accept more than the reader, never less.
  Decision: docs/decisions/001-own-reader.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding, Place, Severity
from drrun.core.nearest import did_you_mean
from drrun.files.yaml.written import (
    Listing,
    Scalar,
    Table,
    TableItem,
    Written,
    describe,
    shortened,
)

T = TypeVar("T")
Schema = dict[str, Any]
#: Suggestions cost time; nobody reads more than so many of them.
_SUGGESTIONS: Final = 200


class Wrong(Enum):
    """Stands for a value that could not be read; the finding says why."""

    WRONG = "wrong"


WRONG: Final = Wrong.WRONG


class Reading:
    """What is known while one file is read: its name, the path to here, what was wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        #: Keys from the top of the file to where the reader stands.
        self.path: list[str] = []
        #: The same keys as they stand in the file; None for items of lists.
        self.keys: list[Scalar | None] = []
        #: What the file defines by a name for many places, and the names that are used.
        self.named: Mapping[str, Any] = {}
        self.used: set[str] = set()

    def place(self, written: Written) -> Place:
        """Where `written` begins."""
        return Place(self.file, written.line, written.column)

    def place_of_key(self) -> Place:
        """Where the key stands whose value is being read."""
        key = self.keys[-1] if self.keys else None
        return self.place(key) if key is not None else Place(self.file)

    def wrong(
        self,
        written: Written,
        message: str,
        *,
        code: str = "invalid",
        severity: Severity = Severity.ERROR,
    ) -> Literal[Wrong.WRONG]:
        """Note a finding about `written`; the message is put behind the path to it."""
        where = ".".join(self.path)
        text = f"{where}: {message}" if where else message
        self.findings.append(Finding(self.place(written), text, severity, code))
        return WRONG

    def unknown(self, key: Scalar, what: str, known: Iterable[str]) -> None:
        """Note a name that nobody knows, with the nearest one that is known."""
        hint = did_you_mean(key.text, known) if len(self.findings) < _SUGGESTIONS else ""
        self.wrong(key, f"unknown {what} {shortened(key.text)}{hint}", code=f"unknown-{what}")


class Definitions:
    """Schemas that are referred to by name, so that a file's schema stays small."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}

    def refer(self, name: str, make: Callable[[], Schema]) -> Schema:
        """A reference to the schema called `name`, which `make` prints once."""
        if name not in self.schemas:
            self.schemas[name] = {}
            self.schemas[name] = make()
        return {"$ref": f"#/definitions/{name}"}


class Shape(ABC, Generic[T]):
    """Reads one form of thing."""

    #: For "must be {this}".
    expects: str = "a value"

    @abstractmethod
    def read(self, written: Written, reading: Reading) -> T | Wrong:
        """The value, or WRONG with at least one finding in `reading`."""

    @abstractmethod
    def schema(self, definitions: Definitions) -> Schema:
        """JSON Schema, draft 7."""

    def refuse(self, written: Written, reading: Reading) -> Literal[Wrong.WRONG]:
        """Note that `written` has another form than this shape."""
        return reading.wrong(written, f"must be {self.expects}, not {describe(written)}")


@dataclass(frozen=True, slots=True)
class RecordKey:
    """One key of a record."""

    shape: Shape[Any]
    about: str = ""
    required: bool = False
    #: Name under which the value goes on; the key itself by default.
    into: str = ""
    #: Makes what stands in for a required value that is missing or wrong, so that reading goes on.
    instead: Callable[[], Any] | None = None
    #: What holds where the key is left out, as an author would write it; None: nothing.
    default: Any = None


#: Makes a record's value from those read; may note more findings.
Build = Callable[[dict[str, Any], Table, Reading], T | Wrong]


class RecordShape(Shape[T]):
    """A mapping with known keys."""

    def __init__(
        self,
        name: str,
        keys: Mapping[str, RecordKey],
        build: Build[T],
        *,
        about: str = "",
        extra: Callable[[Definitions], Schema] = lambda _: {},
    ) -> None:
        self.name = name
        self.keys = keys
        self.build = build
        self.expects = f"a mapping with keys like {', '.join(list(keys)[:3])}"
        self._about = about
        self._extra = extra
        self._required = {name: key for name, key in keys.items() if key.required}

    def read(self, written: Written, reading: Reading) -> T | Wrong:
        """The record as far as it is sound; unknown and missing keys are findings."""
        if not isinstance(written, Table):
            return self.refuse(written, reading)
        values: dict[str, Any] = {}
        for name, entry in written.entries.items():
            key = self.keys.get(name)
            if key is None:
                reading.unknown(entry.key, "key", self.keys)
                continue
            value = read_at(name, key.shape, entry.value, reading, entry.key)
            if value is not WRONG:
                values[key.into or name] = value
        for name in self._required:
            if name not in written.entries:
                reading.wrong(written, f"'{name}' is missing", code="missing-key")
        complete = all(self._has(name, key, values) for name, key in self._required.items())
        return self.build(values, written, reading) if complete else WRONG

    def _has(self, name: str, key: RecordKey, values: dict[str, Any]) -> bool:
        """Whether building can go on with this key, which it needs."""
        name = key.into or name
        if name not in values and key.instead is not None:
            values[name] = key.instead()
        return name in values

    def schema(self, definitions: Definitions) -> Schema:
        """An object that allows the known keys only."""
        return definitions.refer(self.name, lambda: self._schema(definitions))

    def _schema(self, definitions: Definitions) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": False}
        if self._about:
            schema["description"] = self._about
        schema["properties"] = {
            name: _described(key.shape.schema(definitions), key) for name, key in self.keys.items()
        }
        required = [name for name, key in self.keys.items() if key.required]
        if required:
            schema["required"] = required
        return schema | self._extra(definitions)


def into(cls: Callable[..., T]) -> Build[T]:
    """Build a record by calling `cls` with its keys as arguments."""

    def build(values: dict[str, Any], _: Table, __: Reading) -> T:
        return cls(**values)

    return build


def read_at(
    name: str, shape: Shape[T], written: Written, reading: Reading, key: Scalar | None = None
) -> T | Wrong:
    """Read `written` one step further down the path."""
    reading.path.append(name)
    reading.keys.append(key)
    value = shape.read(written, reading)
    reading.path.pop()
    reading.keys.pop()
    return value


class Converted(Shape[T]):
    """Another shape whose value is made into something else."""

    def __init__(self, shape: Shape[Any], convert: Callable[[Any], T]) -> None:
        self.expects = shape.expects
        self._shape = shape
        self._convert = convert

    def read(self, written: Written, reading: Reading) -> T | Wrong:
        """The converted value; ValueError becomes a finding."""
        value = self._shape.read(written, reading)
        if value is WRONG:
            return WRONG
        try:
            return self._convert(value)
        except ValueError as error:
            return reading.wrong(written, str(error))

    def schema(self, definitions: Definitions) -> Schema:
        """As of the shape that is read."""
        return self._shape.schema(definitions)


class ListOf(Shape[tuple[T, ...]]):
    """A list; with `or_one`, a single thing stands for a list of it."""

    def __init__(
        self, item: Shape[T], *, or_one: bool = False, or_mapping: bool = False, least: int = 0
    ) -> None:
        self._item = item
        forms = ((Scalar, or_one), (Table, or_mapping))
        self._one: tuple[type, ...] = tuple(form for form, wanted in forms if wanted)
        self._least = least
        self.expects = f"a list of {item.expects}"
        if self._one:
            self.expects = f"{item.expects}, or a list"

    def read(self, written: Written, reading: Reading) -> tuple[T, ...] | Wrong:
        """The items that could be read."""
        if isinstance(written, self._one) and not (
            isinstance(written, Scalar) and written.is_null
        ):
            one = self._item.read(written, reading)
            return WRONG if one is WRONG else (one,)
        if not isinstance(written, Listing):
            return self.refuse(written, reading)
        if len(written.items) < self._least:
            return reading.wrong(written, f"must have at least {self._least} item(s)")
        values: list[T] = []
        for number, item in enumerate(written.items, 1):
            value = read_at(str(number), self._item, item, reading)
            if value is not WRONG:
                values.append(value)
        return tuple(values)

    def schema(self, definitions: Definitions) -> Schema:
        """An array, or one item."""
        item = self._item.schema(definitions)
        array: Schema = {"type": "array", "items": item}
        if self._least:
            array["minItems"] = self._least
        return {"anyOf": [item, array]} if self._one else array


class MappingOf(Shape[dict[str, T]]):
    """A mapping from free names to things of one shape."""

    def __init__(self, value: Shape[T], *, name: Shape[str], what: str = "name") -> None:
        self._value = value
        self._name = name
        self.expects = f"a mapping of {what}s"

    def read(self, written: Written, reading: Reading) -> dict[str, T] | Wrong:
        """The entries that could be read."""
        if not isinstance(written, Table):
            return self.refuse(written, reading)
        values: dict[str, T] = {}
        for name, entry in written.entries.items():
            sound = self._name.read(entry.key, reading) is not WRONG
            value = read_at(name, self._value, entry.value, reading, entry.key)
            if sound and value is not WRONG:
                values[name] = value
        return values

    def schema(self, definitions: Definitions) -> Schema:
        """An object with names of one pattern."""
        return {
            "type": "object",
            "propertyNames": self._name.schema(definitions) | {"type": "string"},
            "additionalProperties": self._value.schema(definitions),
        }


class ByForm(Shape[Any]):
    """Alternatives that differ in form: a word, a list, or a mapping."""

    def __init__(
        self,
        *,
        word: Shape[Any] | None = None,
        listing: Shape[Any] | None = None,
        table: Shape[Any] | None = None,
    ) -> None:
        self._forms: dict[type, Shape[Any]] = {
            form: shape
            for form, shape in ((Scalar, word), (Listing, listing), (Table, table))
            if shape is not None
        }
        self.expects = " or ".join(shape.expects for shape in self._forms.values())

    def read(self, written: Written, reading: Reading) -> Any:
        """The value of the alternative that has the form of `written`."""
        shape = self._forms.get(type(written))
        if shape is None or (isinstance(written, Scalar) and written.is_null):
            return self.refuse(written, reading)
        return shape.read(written, reading)

    def schema(self, definitions: Definitions) -> Schema:
        """Any of the alternatives."""
        return {"anyOf": [shape.schema(definitions) for shape in self._forms.values()]}


def with_entries(table: Table, defaults: Mapping[str, TableItem]) -> Table:
    """`table` with entries of `defaults` where it has none of its own."""
    return Table({**defaults, **table.entries}, table.line, table.column)


def _described(schema: Schema, key: RecordKey) -> Schema:
    said: Schema = {"description": key.about} if key.about else {}
    if key.default is not None:
        said["default"] = key.default
    # Draft 7 ignores whatever stands beside a $ref.
    return said | ({"allOf": [schema]} if said and "$ref" in schema else schema)

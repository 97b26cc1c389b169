"""Values of the core as JSON, by columns, and back: thousands of steps in tenths of a second.

Rules:
- What comes back equals what went in, down to the types of values inside values. What cannot come
  back so, a function or a class from elsewhere, is refused when it is packed.
- Reading makes values of the core, or of a view, and nothing else: no other name is looked up, no
  code of a class is executed. This is why it is not `pickle`.
- Objects of one class are kept as one table, a column for each field, an object that several
  others refer to once. Most steps leave most keys at their defaults, and a column of one value
  costs nothing; a loop over 10,000 objects runs once for each column, in C.
"""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from itertools import chain, islice, repeat
from operator import attrgetter, is_
from types import MemberDescriptorType
from typing import Any

from drrun.core.model.values import Duration, Size

#: What JSON has itself.
_PLAIN = frozenset({str, int, float, bool, type(None)})
#: Several values in one, by the name under which they are kept.
_GROUPS: Mapping[str, Callable[[Iterable[Any]], Any]] = {
    "tuple": tuple,
    "list": list,
    "set": set,
    "frozenset": frozenset,
}
_MAPPINGS: Mapping[str, Callable[[Iterable[Any]], Any]] = {
    "dict": dict,
    "Counter": lambda pairs: Counter(dict(pairs)),
}
#: What reading a text meets that was not packed.
_WRONG = (LookupError, TypeError, ValueError, AttributeError, RecursionError, ImportError)
_NUMBERS: Mapping[str, type[Any]] = {"Duration": Duration, "Size": Size}
#: Whose classes are values, and have no code that makes them.
_HOMES = ("drrun.core.", "drrun.report.")


class NotPacked(Exception):
    """Something is no value of the core, or no packed one."""


def pack(value: Any) -> str:
    """`value` as one line of JSON.

    Raises:
        NotPacked: Something in it is no value of the core.
    """
    found = _Found()
    found.look([value])
    things = [
        [_name(kind), len(objects), {each: _column(found, objects, each) for each in _names(kind)}]
        for kind, objects in found.objects.items()
    ]
    packed = {"things": things, "value": found.column([value])}
    return json.dumps(packed, separators=(",", ":"))


def unpack(text: str | bytes) -> Any:
    """What was packed.

    Raises:
        NotPacked: This was not.
    """
    try:
        packed = json.loads(text)
        things = _Things()
        for name, count, _ in packed["things"]:
            things.make(name, count)
        for (kind, objects), (_, count, columns) in zip(
            things.made, packed["things"], strict=True
        ):
            for name, column in columns.items():
                _put(kind, name, objects, things.read(column, count))
        return things.read(packed["value"], 1)[0]
    except _WRONG as error:
        raise NotPacked(f"not what was packed: {error}") from error


def _put(kind: type, name: str, objects: Iterable[Any], values: Iterable[Any]) -> None:
    slot = getattr(kind, name, None)
    if isinstance(slot, MemberDescriptorType):  # twice as fast, and all big classes have them
        puts = map(slot.__set__, objects, values)
    else:
        puts = map(object.__setattr__, objects, repeat(name), values)
    deque(puts, maxlen=0)


def _names(kind: type) -> list[str]:
    return [each.name for each in fields(kind)]


def _column(found: "_Found", objects: Sequence[Any], name: str) -> Any:
    return found.column(list(map(attrgetter(name), objects)))


def _name(kind: type) -> str:
    if not kind.__module__.startswith(_HOMES):
        raise NotPacked(f"{kind.__module__}.{kind.__qualname__} is not a value of the core")
    return f"{kind.__module__}:{kind.__qualname__}"


def _named(name: str, wanted: Callable[[type], bool]) -> type[Any]:
    """The class of that name, if it is one of ours and of the wanted kind."""
    module, _, qualified = name.partition(":")
    found = vars(import_module(module))[qualified] if module.startswith(_HOMES) else None
    if not isinstance(found, type) or found.__module__ != module or not wanted(found):
        raise NotPacked(f"{name} is not a value of the core")
    return found


def _is_enum(kind: type) -> bool:
    return issubclass(kind, Enum)


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


class _Found:
    """All objects that are to be packed, each once, and how columns of values are written."""

    def __init__(self) -> None:
        self.objects: dict[type, list[Any]] = {}
        self._places: dict[int, int] = {}

    def look(self, values: Sequence[Any]) -> None:
        """Find the objects in `values`, and those in them."""
        for kind in set(map(type, values)) - _PLAIN:
            mine: list[Any] = [each for each in values if type(each) is kind]
            if is_dataclass(kind):
                self._look_into(kind, mine)
            elif issubclass(kind, dict):
                self.look(list(chain.from_iterable(mine)))
                self.look(list(chain.from_iterable(each.values() for each in mine)))
            elif issubclass(kind, tuple | list | set | frozenset):
                self.look(list(chain.from_iterable(mine)))

    def _look_into(self, kind: type, mine: Sequence[Any]) -> None:
        known, fresh = self.objects.setdefault(kind, []), []
        for each in mine:
            if id(each) not in self._places:
                self._places[id(each)] = len(known)
                known.append(each)
                fresh.append(each)
        for name in _names(kind) if fresh else ():
            self.look(list(map(attrgetter(name), fresh)))

    def column(self, values: Sequence[Any]) -> Any:
        """Values as JSON: a list of them, or a map of one key that says how they are made."""
        if len(values) > 1 and all(map(is_, values, repeat(values[0]))):
            return {"same": self.column(values[:1])}
        kinds = list(dict.fromkeys(map(type, values)))
        if len(kinds) == 1:
            return self._of_one_kind(kinds[0], values)
        if _PLAIN.issuperset(kinds):
            return values
        numbers = {kind: number for number, kind in enumerate(kinds)}
        parts = [
            self._of_one_kind(kind, [each for each in values if type(each) is kind])
            for kind in kinds
        ]
        which = [numbers[type(each)] for each in values]
        return {"mixed": [which, [which.count(number) for number in range(len(kinds))], parts]}

    def _of_one_kind(self, kind: type, values: Sequence[Any]) -> Any:
        if kind in _PLAIN:
            return {"same": values[:1]} if len(set(values)) == 1 < len(values) else values
        if is_dataclass(kind):
            number = list(self.objects).index(kind)
            return {"things": [number, _counted([self._places[id(each)] for each in values])]}
        if _is_enum(kind):
            return {"enum": [_name(kind), self.column([each.value for each in values])]}
        if _is_named_tuple(kind):
            parts = [self.column(list(each)) for each in zip(*values, strict=True)]
            return {"named": [_name(kind), parts]}
        return self._of_standard_kind(kind, values)

    def _of_standard_kind(self, kind: type, values: Sequence[Any]) -> Any:
        name = kind.__name__
        if kind is _NUMBERS.get(name):
            plain = float if issubclass(kind, float) else int
            return {"number": [name, self.column(list(map(plain, values)))]}
        if kind not in (tuple, list, set, frozenset, dict, Counter):
            raise NotPacked(f"{kind.__module__}.{kind.__qualname__} is not a value of the core")
        lengths = self.column(list(map(len, values)))
        if kind in (tuple, list, set, frozenset):
            members = list(chain.from_iterable(values))
            return {"group": [name, lengths, len(members), self.column(members)]}
        keys = list(chain.from_iterable(values))
        members = list(chain.from_iterable(each.values() for each in values))
        return {"mapping": [name, lengths, len(keys), self.column(keys), self.column(members)]}


def _counted(numbers: list[int]) -> Any:
    """Most objects are referred to one after another."""
    first = numbers[0] if numbers else 0
    return {"from": first} if numbers == list(range(first, first + len(numbers))) else numbers


class _Things:
    """Objects that are being made, and how columns of values are read."""

    def __init__(self) -> None:
        self.made: list[tuple[type, list[Any]]] = []

    def make(self, name: str, count: int) -> None:
        """Make `count` empty objects of a class."""
        kind = _named(name, is_dataclass)
        self.made.append((kind, list(map(object.__new__, repeat(kind, count)))))

    def read(self, column: Any, count: int) -> list[Any]:
        """The values of a column."""
        if isinstance(column, list):
            return _so_many(column, count)
        ((how, what),) = column.items()
        match how:
            case "same":
                return self.read(what, 1) * count
            case "from":
                return list(range(what, what + count))
            case "things":
                return list(map(self.made[what[0]][1].__getitem__, self.read(what[1], count)))
            case "enum":
                members = {each.value: each for each in _named(what[0], _is_enum)}
                return list(map(members.__getitem__, self.read(what[1], count)))
            case "named":
                parts = [self.read(each, count) for each in what[1]]
                return list(map(_named(what[0], _is_named_tuple), *parts))
            case "number":
                return list(map(_NUMBERS[what[0]], self.read(what[1], count)))
            case _:
                return self._read_several(how, what, count)

    def _read_several(self, how: str, what: Any, count: int) -> list[Any]:
        match how:
            case "group":
                name, lengths, total, members = what
                parts = iter(self.read(members, total))
                make = _GROUPS[name]
                return [make(islice(parts, each)) for each in self.read(lengths, count)]
            case "mapping":
                name, lengths, total, keys, members = what
                pairs = zip(self.read(keys, total), self.read(members, total), strict=True)
                make = _MAPPINGS[name]
                return [make(islice(pairs, each)) for each in self.read(lengths, count)]
            case "mixed":
                which, counts, columns = what
                sources = [
                    iter(self.read(each, size)) for each, size in zip(columns, counts, strict=True)
                ]
                return [next(sources[number]) for number in _so_many(which, count)]
            case _:
                raise NotPacked(f"{how!r} is no kind of column")


def _so_many(values: list[Any], count: int) -> list[Any]:
    if len(values) != count:
        raise NotPacked(f"{len(values)} values where {count} were packed")
    return values

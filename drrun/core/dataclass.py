"""`dataclass` with the meaning of the standard library's, at a tenth of what a class costs there.

Rules:
- The standard one compiles six functions for every class when its module is imported. drrun has
  some 300 such classes, and half of the start of a command was that. Here `__init__` is compiled
  when the first instance is made, and all classes share the other methods.
- What is supported: `slots=True`, which is also the default, `frozen`, `kw_only`, and of fields
  `default`, `default_factory`, `init`, `repr`, `compare`, `kw_only`. For anything else, `order` or
  `eq=False`, there is the standard one. Type checkers see the standard one here, too.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, *, slots: bool = True, **options: bool) -> object:
        """As `dataclasses.dataclass`."""
        if not slots:
            raise TypeError("only with slots; without them use dataclasses.dataclass")

        def make(cls: type) -> type:
            return _made(cls, **options)

        return make if cls is None else make(cls)


def _made(cls: type, *, frozen: bool = False, kw_only: bool = False) -> type:
    made = _standard(kw_only=kw_only)(cls)
    for name, value in _methods(made, frozen=frozen).items():
        # A class that defines __eq__ itself has a __hash__ of None.
        if vars(cls).get(name) is None:
            setattr(made, name, value)
    return made


def _standard(*, kw_only: bool) -> Callable[[type], type]:
    """Reads the fields and makes the slots; that is the cheap part."""
    return dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)


def _methods(cls: type, *, frozen: bool) -> Mapping[str, object]:
    fields = dataclasses.fields(cls)
    compared = [field.name for field in fields if field.compare] or ["__class__"]
    shared: dict[str, object] = {
        "__init__": _init_when_called(cls, frozen=frozen),
        "__repr__": _repr,
        "__eq__": _eq,
        "__hash__": _hash if frozen else None,
        # With one name it would be a bare value: two make a tuple, which compares as tuples do.
        "_compared": attrgetter(*compared, compared[0]),
        "_shown": tuple(field.name for field in fields if field.repr),
    }
    if frozen:
        shared |= {
            "__setattr__": _refuse_to_set,
            "__delattr__": _refuse_to_delete,
            "__getstate__": _state,
            "__setstate__": _set_state,
        }
    return shared


def _init_when_called(cls: type, *, frozen: bool) -> Callable[..., None]:
    def __init__(self: object, /, *args: object, **named: object) -> None:  # noqa: N807 - it is one
        made = _init(cls, frozen=frozen)
        type.__setattr__(cls, "__init__", made)
        made(self, *args, **named)

    return __init__


def _init(cls: type, *, frozen: bool) -> Callable[..., None]:
    """Compile the constructor."""
    known: dict[str, object] = {"_set": object.__setattr__, "_MISSING": MISSING}
    plain, named, body = ["self"], list[str](), list[str]()
    for field in dataclasses.fields(cls):
        name, value = field.name, _value(field, known)
        if field.init:
            default = "" if _required(field) else f"={_default(field)}"
            (named if field.kw_only else plain).append(f"{name}{default}")
        if field.init or value != name:
            body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join([*plain, *(["*", *named] if named else [])])
    text = f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"])
    exec(text, known)  # noqa: S102 - of names of fields and nothing else, as the standard one does
    made: Any = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made  # type: ignore[no-any-return]


def _value(field: Field[Any], known: dict[str, object]) -> str:
    """What is assigned, as source; what it refers to goes into `known`."""
    known[_default(field)] = field.default
    if field.default_factory is not MISSING:
        made = f"_make_{field.name}"
        known[made], known[_default(field)] = field.default_factory, MISSING
        given = f" if {field.name} is _MISSING else {field.name}" if field.init else ""
        return f"{made}(){given}"
    return field.name if field.init or field.default is MISSING else _default(field)


def _default(field: Field[Any]) -> str:
    return f"_default_{field.name}"


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


@recursive_repr()
def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
    return f"{type(self).__qualname__}({shown})"


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._compared(self) == self._compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _refuse_to_set(_self: object, name: str, _value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)

"""Lists of probes as written: each one written out, or by the name that `probes` gives it.

Rules:
- A definition is written out: it refers to no other, so that there are no circles.
- A place may ask elsewhere, or more patiently, than the definition says; never something else.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from drrun.core.model.probes import Invariant, Probe
from drrun.files.runbook.probes_yaml import build_probe, one_question, probe
from drrun.files.yaml.scalars import slug
from drrun.files.yaml.shape import (
    WRONG,
    Definitions,
    ListOf,
    MappingOf,
    Reading,
    RecordKey,
    RecordShape,
    Schema,
    Shape,
    Wrong,
)
from drrun.files.yaml.written import Listing, Scalar, Table, Written

#: What one place may want otherwise of a probe that has a name.
_OTHERWISE = ("on", "within", "every", "stable_for", "timeout")
#: What goes on being asked is never settled.
_UNTIL_IT_HOLDS = ("within", "stable_for")


class _Named(Shape[tuple[Probe, ...]]):
    """The probes that the runbook defines by a name under `probes`."""

    expects = "the name of a probe"

    def read(self, written: Written, reading: Reading) -> tuple[Probe, ...] | Wrong:
        """The probes of that name."""
        if not isinstance(written, Scalar) or written.is_null:
            return self.refuse(written, reading)
        found: tuple[Probe, ...] | None = reading.named.get(written.text)
        if found is None:
            reading.unknown(written, "probe", reading.named)
            return WRONG
        reading.used.add(written.text)
        return found

    def schema(self, definitions: Definitions) -> Schema:
        """As any word."""
        return slug.schema(definitions) | {"title": "a name of `probes`"}


_named = _Named()


def _used(values: dict[str, Any], _: Table, __: Reading) -> tuple[Probe, ...]:
    return tuple(replace(each, **values) for each in values.pop("use"))


_USE = {
    "use": RecordKey(_named, "a name of `probes` at the top of the runbook", required=True),
    **{name: replace(probe.keys[name], default=None) for name in _OTHERWISE},
}
_use: RecordShape[tuple[Probe, ...]] = RecordShape(
    "use",
    _USE,
    _used,
    about="A named probe, or a list of that name; what is written here replaces what the "
    "definition says.",
)


class _Probes(Shape[Any]):
    """One probe or several, each written out or by its name."""

    def __init__(
        self,
        written_out: RecordShape[Any] = probe,
        by_name: RecordShape[Any] = _use,
        kind: Callable[[Probe], Probe] = lambda each: each,
    ) -> None:
        self.expects = f"{written_out.expects}, the name of a probe, or a list"
        self._written_out = written_out
        self._by_name = by_name
        #: Makes of a probe what the list is of.
        self._kind = kind

    def read(self, written: Written, reading: Reading) -> tuple[Probe, ...] | Wrong:
        """The probes that could be read."""
        if not isinstance(written, Listing):
            return self._one(written, reading)
        found: list[Probe] = []
        for number, item in enumerate(written.items, 1):
            reading.path.append(str(number))
            one = self._one(item, reading)
            reading.path.pop()
            found += () if one is WRONG else one
        return tuple(found)

    def _one(self, written: Written, reading: Reading) -> tuple[Probe, ...] | Wrong:
        if isinstance(written, Scalar) and not written.is_null:
            found = _named.read(written, reading)
            return WRONG if found is WRONG else tuple(self._kind(each) for each in found)
        if not isinstance(written, Table):
            return self.refuse(written, reading)
        if "use" in written.entries:
            return self._by_name.read(written, reading)
        one = self._written_out.read(written, reading)
        return WRONG if one is WRONG else (one,)

    def schema(self, definitions: Definitions) -> Schema:
        """One of the forms, or a list of them."""
        shapes = (self._written_out, self._by_name, _named)
        forms = [each.schema(definitions) for each in shapes]
        return {"anyOf": [*forms, {"type": "array", "items": {"anyOf": forms}}]}


#: A list of probes, or one; each may be a name.
probes: Shape[tuple[Probe, ...]] = _Probes()


def _invariant(values: dict[str, Any], table: Table, reading: Reading) -> Invariant | Wrong:
    span = {name: values.pop(name) for name in _SPAN if name in values}
    one = build_probe(values, table, reading)
    return WRONG if one is WRONG else _kept(one, **span)


def _used_invariants(
    values: dict[str, Any], table: Table, reading: Reading
) -> tuple[Invariant, ...]:
    span = {name: values.pop(name) for name in _SPAN if name in values}
    return tuple(_kept(each, **span) for each in _used(values, table, reading))


def _kept(one: Probe, since: str = "", until: str = "") -> Invariant:
    asked = {each.name: getattr(one, each.name) for each in fields(Probe)}
    return Invariant(**asked, since=since, until=until)


_SPAN: Mapping[str, RecordKey] = {
    "since": RecordKey(slug, "watched once this step has passed, or was skipped"),
    "until": RecordKey(slug, "watched until this step begins to act"),
}
#: What must stay true.
invariants: Shape[tuple[Invariant, ...]] = _Probes(
    RecordShape(
        "invariant",
        {**probe.keys, **_SPAN},
        _invariant,
        about="A probe that must go on holding; broken, it pauses the run.",
        extra=one_question,
    ),
    RecordShape(
        "use-as-invariant",
        {**{name: key for name, key in _USE.items() if name not in _UNTIL_IT_HOLDS}, **_SPAN},
        _used_invariants,
        about="A named probe that must go on holding.",
    ),
    _kept,
)
#: Probes by name, for all steps. A definition is written out: it refers to no other.
named_probes: Shape[dict[str, tuple[Probe, ...]]] = MappingOf(
    ListOf(probe, or_mapping=True, least=1), name=slug, what="probe"
)

"""The top of a runbook: inputs, secrets, roles, services, locks, variants, waivers."""

from typing import Any

from drrun.core.model.runbook import RESPONSE, Input, Objectives, Role, SecretRef, Service
from drrun.files.runbook.inputs import TYPES, read_value
from drrun.files.yaml.scalars import (
    Number,
    Text,
    anything,
    boolean,
    duration,
    expiry,
    identifier,
    one_of,
    slug,
    text,
)
from drrun.files.yaml.shape import (
    WRONG,
    ByForm,
    Converted,
    ListOf,
    MappingOf,
    Reading,
    RecordKey,
    RecordShape,
    Shape,
    Wrong,
    into,
)
from drrun.files.yaml.written import Table

words: Shape[tuple[str, ...]] = ListOf(text, or_one=True)
objectives: RecordShape[Objectives] = RecordShape(
    "objectives",
    {
        "rto": RecordKey(duration, "how long it may be unavailable"),
        "rpo": RecordKey(duration, "how much data may be lost, as time"),
    },
    into(Objectives),
)


def _input(values: dict[str, Any], table: Table, reading: Reading) -> Input | Wrong:
    name = reading.path[-1]
    sound = True
    choices, typed = values.pop("choices", ()), []
    given = {"name": name, "place": reading.place_of_key(), **values}
    if given.get("type") == "choice" and not choices:
        return reading.wrong(table, "an input of type choice needs 'choices'")
    bare = Input(
        name, type="string" if given.get("type") == "list" else given.get("type", "string")
    )
    for one in choices:
        try:
            typed.append(read_value(one, bare))
        except ValueError as error:
            reading.wrong(table.entries["choices"].value, f"choice {error}")
            sound = False
    given["choices"] = tuple(typed)
    if given.get("default") is not None and sound:
        try:
            given["default"] = read_value(given["default"], Input(**given))
        except ValueError as error:
            reading.wrong(table.entries["default"].value, f"default {error}")
    given.setdefault("required", "default" not in values)
    return Input(**given)


_input_type: Shape[str] = one_of(*TYPES)
inputs: Shape[dict[str, Input]] = MappingOf(
    RecordShape(
        "input",
        {
            "type": RecordKey(_input_type, "what it must be", default="string"),
            "choices": RecordKey(ListOf(anything, least=1), "the values that are allowed"),
            "default": RecordKey(anything, "without one, the value must be given"),
            "required": RecordKey(
                boolean, "whether a run must be given it; true where there is no `default`"
            ),
            "description": RecordKey(text, "what it is, for the person who must give it"),
        },
        _input,
    ),
    name=identifier,
    what="input",
)


def _secret(values: dict[str, Any], table: Table, reading: Reading) -> SecretRef | Wrong:
    if len(values) != 1:
        if len(table.entries) == 1:
            return WRONG
        return reading.wrong(table, "needs exactly one of env, file, command")
    ((kind, where),) = values.items()
    return SecretRef(reading.path[-1], kind, where)


secrets: Shape[dict[str, SecretRef]] = MappingOf(
    RecordShape(
        "secret",
        {
            "env": RecordKey(
                Text("the name of an environment variable", r"[A-Za-z_][A-Za-z0-9_]*"),
                "environment variable of the controller",
            ),
            "file": RecordKey(text, "path on the controller"),
            "command": RecordKey(text, "command on the controller that prints it"),
        },
        _secret,
        about="Where a secret is found; never the secret itself.",
        extra=lambda _: {"minProperties": 1, "maxProperties": 1},
    ),
    name=identifier,
    what="secret",
)


def _role(values: dict[str, Any], _: Table, reading: Reading) -> Role:
    return Role(name=reading.path[-1], **values)


def _service(values: dict[str, Any], _: Table, reading: Reading) -> Service:
    return Service(name=reading.path[-1], place=reading.place_of_key(), **values)


class _People(Shape[Role]):
    """A role given by its people alone."""

    expects = "a list of people"
    _people = ListOf(text, or_one=True)

    def read(self, written: Any, reading: Reading) -> Role | Wrong:
        """A role without deputies."""
        people = self._people.read(written, reading)
        return WRONG if people is WRONG else Role(reading.path[-1], people)

    def schema(self, definitions: Any) -> dict[str, Any]:
        """A list of names."""
        return self._people.schema(definitions)


roles: Shape[dict[str, Role]] = MappingOf(
    ByForm(
        word=_People(),
        listing=_People(),
        table=RecordShape(
            "role",
            {
                "people": RecordKey(words, "who has the role"),
                "deputies": RecordKey(words, "their deputies"),
                "contact": RecordKey(text, "how to reach them"),
                "response": RecordKey(
                    duration, "how long an answer takes, for the plan", default=str(RESPONSE)
                ),
            },
            _role,
        ),
    ),
    name=slug,
    what="role",
)
services: Shape[dict[str, Service]] = MappingOf(
    RecordShape(
        "service",
        {
            "title": RecordKey(text, "one line for people"),
            "priority": RecordKey(Number(0, 1000), "1 comes first; 0: none is set", default=0),
            "objectives": RecordKey(
                objectives, "how long it may be unavailable, how much may be lost"
            ),
            "stores": RecordKey(words, "stores of the inventory that it lives on"),
        },
        _service,
    ),
    name=slug,
    what="service",
)
locks: Shape[dict[str, int]] = ByForm(
    listing=Converted(ListOf(slug), lambda names: dict.fromkeys(names, 1)),
    table=MappingOf(Number(1, 10_000), name=slug, what="lock"),
)
variants: Shape[dict[str, str]] = ByForm(
    listing=Converted(ListOf(slug), lambda names: dict.fromkeys(names, "")),
    table=MappingOf(
        ByForm(
            word=text,
            table=RecordShape(
                "variant",
                {"description": RecordKey(text, "when it is chosen")},
                lambda values, _, __: str(values.get("description", "")),
            ),
        ),
        name=slug,
        what="variant",
    ),
)
waivers: Shape[tuple[dict[str, Any], ...]] = ListOf(
    RecordShape(
        "waiver",
        {
            "rule": RecordKey(slug, "code of the finding: missing-verify", required=True),
            "steps": RecordKey(words, "only for these steps"),
            "reason": RecordKey(text, "why it is accepted", required=True),
            "owner": RecordKey(text, "who accepted it"),
            "expires": RecordKey(expiry, "until when"),
        },
        lambda values, table, reading: {**values, "place": reading.place(table)},
    ),
    or_mapping=True,
)
_public_key = Text(
    "an SSH public key like 'ssh-ed25519 AAAA…'",
    r"(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+(?: .*)?",
)
people: Shape[dict[str, dict[str, Any]]] = MappingOf(
    ByForm(
        word=Converted(_public_key, lambda key: {"keys": (key,)}),
        table=RecordShape(
            "person",
            {
                "keys": RecordKey(ListOf(_public_key, or_one=True), "SSH public keys"),
                "contact": RecordKey(text, "how to reach them"),
            },
            lambda values, _, __: values,
        ),
    ),
    name=slug,
    what="person",
)

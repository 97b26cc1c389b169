"""An inventory's text to the model: contract section 3, in drrun's own form.

Rules:
- Names and addresses are of strict patterns, because they reach SSH (CVE-2023-51385).
- What one file can tell is read here; what only all files together can tell is
  `drrun.files.inventory.merge`.
"""

from typing import Any

from drrun.core.model.inventory import (
    ADDRESS,
    Backup,
    Contact,
    Dependency,
    Group,
    Host,
    Inventory,
    Route,
    Site,
    Store,
)
from drrun.files.runbook.probes_yaml import probe
from drrun.files.yaml.scalars import (
    AnyMapping,
    Number,
    Text,
    boolean,
    day,
    dotted,
    duration,
    expiry,
    identifier,
    one_of,
    size,
    slug,
    text,
)
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
    into,
)
from drrun.files.yaml.written import Table, Written, plain_value

_words: Shape[tuple[str, ...]] = ListOf(text, or_one=True)
_names: Shape[tuple[str, ...]] = ListOf(dotted, or_one=True)
_vars = AnyMapping(identifier)
address = Text("a name or an IP address", ADDRESS.pattern)
_secret: RecordShape[dict[str, Any]] = RecordShape(
    "secret-address",
    {"secret": RecordKey(identifier, "a name of the runbook's `secrets`", required=True)},
    lambda values, _, __: values,
    about="An address that is shown and recorded nowhere.",
)
#: An address, or which secret it is: what of a route is known by that.
_whereto: Shape[dict[str, Any]] = ByForm(
    word=Converted(address, lambda word: {"address": word}), table=_secret
)
port = Number(1, 65535)
user = Text("a user name", r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?")
_work_dir = Text("an absolute path of plain characters", r"(/[A-Za-z0-9._@+-]+)+")
_host_key = Text(
    "a public key like 'ssh-ed25519 AAAA…'",
    r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( .*)?",
)


def _only_given(values: dict[str, Any], _: Table, __: Reading) -> dict[str, Any]:
    return values


def _named(cls: type) -> Any:
    """Build a record whose name is the key under which it stands."""
    return lambda values, _, reading: cls(name=reading.path[-1], **values)


def _placed(cls: type) -> Any:
    """As `_named`, and it knows where it stands."""
    return lambda values, table, reading: cls(
        name=reading.path[-1], place=reading.place(table), **values
    )


sites: Shape[dict[str, Site]] = MappingOf(
    RecordShape(
        "site",
        {
            "title": RecordKey(text, "one line for people"),
            "provider": RecordKey(text, "contact or dependency that runs it"),
            "roles": RecordKey(_words, "what it is for: primary, standby"),
            "jurisdiction": RecordKey(text, "whose law applies there"),
        },
        _named(Site),
    ),
    name=slug,
    what="site",
)
_route: Shape[Route] = ByForm(
    word=Converted(address, Route),
    table=RecordShape(
        "route",
        {
            "address": RecordKey(_whereto, "name or IP address, or which secret it is"),
            "name": RecordKey(dotted, "what people call it: oob"),
            "port": RecordKey(port, "else that of the host, or as the SSH configuration says"),
            "via": RecordKey(_names, "hosts to pass through, nearest first"),
        },
        lambda values, _, __: Route(**values.pop("address", {}), **values),
    ),
)


def _host(values: dict[str, Any], table: Table, reading: Reading) -> Host:
    direct = {name: values.pop(name) for name in ("address", "via") if name in values}
    if direct and "routes" in values:
        key = table.entries[next(iter(direct))].key
        reading.wrong(key, "cannot be used together with 'routes': put it into a route")
    elif direct:
        values["routes"] = (Route(**direct.pop("address", {}), **direct),)
    return Host(name=reading.path[-1], **values)


hosts: Shape[dict[str, Host]] = MappingOf(
    RecordShape(
        "host",
        {
            "site": RecordKey(slug, "where it stands"),
            "groups": RecordKey(_names, "groups that it belongs to"),
            "user": RecordKey(user, "else as the SSH configuration says"),
            "port": RecordKey(port, "else as the SSH configuration says"),
            "identity": RecordKey(text, "file with the private key"),
            "address": RecordKey(_whereto, "the only route"),
            "via": RecordKey(_names, "hosts to pass through, nearest first"),
            "routes": RecordKey(ListOf(_route, least=1), "tried in order"),
            "host_key": RecordKey(_host_key, "pinned public key; else known_hosts decides"),
            "become": RecordKey(one_of("sudo"), "how to become another user", default="sudo"),
            "max_sessions": RecordKey(Number(1, 1000), "commands at once on this host", default=8),
            "work_dir": RecordKey(_work_dir, "where it keeps what belongs to runs; else ~/.drrun"),
            "vars": RecordKey(_vars, "host.vars in templates"),
        },
        _host,
    ),
    name=dotted,
    what="host",
)
groups: Shape[dict[str, Group]] = MappingOf(
    RecordShape(
        "group",
        {
            "hosts": RecordKey(_names, "who belongs to it"),
            "vars": RecordKey(_vars, "`host.vars` of its hosts; those of a host win"),
        },
        _named(Group),
    ),
    name=dotted,
    what="group",
)


class _Age(Shape[dict[str, Any]]):
    """A probe that prints an age; checked as a probe, kept as written."""

    expects = "a probe that prints an age"

    def read(self, written: Written, reading: Reading) -> dict[str, Any] | Wrong:
        """The probe as plain values."""
        if probe.read(written, reading) is WRONG:
            return WRONG
        kept: dict[str, Any] = plain_value(written)
        return kept

    def schema(self, definitions: Definitions) -> Schema:
        """A probe."""
        return probe.schema(definitions)


_waiver: RecordShape[dict[str, Any]] = RecordShape(
    "store-waiver",
    {
        "reason": RecordKey(text, "why it is accepted", required=True),
        "owner": RecordKey(text, "who accepted it"),
        "expires": RecordKey(expiry, "until when"),
    },
    _only_given,
)
_backup: RecordShape[Backup] = RecordShape(
    "backup",
    {
        "to": RecordKey(text, "host or place that holds the copy", required=True),
        "max_age": RecordKey(duration, "how old the newest copy may be"),
        "age": RecordKey(_Age(), "probe that prints the age"),
        "domain": RecordKey(text, "what it is lost together with"),
    },
    into(Backup),
)
stores: Shape[dict[str, Store]] = MappingOf(
    RecordShape(
        "store",
        {
            "on": RecordKey(_words, "host that holds it"),
            "kind": RecordKey(text, "what it is, in your words: postgres, files, objects"),
            "size": RecordKey(size, "preflight compares it with the room where it is restored"),
            "owner": RecordKey(text, "who looks after it"),
            "backups": RecordKey(ListOf(_backup, or_mapping=True), "its copies"),
            "waiver": RecordKey(_waiver, "why it has no backup, or none elsewhere"),
        },
        _placed(Store),
    ),
    name=slug,
    what="store",
)
contacts: Shape[dict[str, Contact]] = MappingOf(
    RecordShape(
        "contact",
        {
            "channels": RecordKey(
                ListOf(AnyMapping(), or_mapping=True), "{kind: phone, number: …}"
            ),
            "hours": RecordKey(text, "14:00-22:00, UTC"),
            "verified": RecordKey(day, "when somebody last tried it"),
            "verify_every": RecordKey(duration, "how often somebody tries it"),
        },
        _placed(Contact),
    ),
    name=slug,
    what="contact",
)
dependencies: Shape[dict[str, Dependency]] = MappingOf(
    RecordShape(
        "dependency",
        {
            "provider": RecordKey(text, "its owner: a contact"),
            "alternate": RecordKey(text, "what takes its place, or none"),
            "accepted_risk": RecordKey(text, "why that is accepted"),
            "expires": RecordKey(expiry, "until when it is accepted"),
        },
        _placed(Dependency),
    ),
    name=slug,
    what="dependency",
)


def _inventory(values: dict[str, Any], _: Table, __: Reading) -> Inventory:
    return Inventory(**values)


inventory: RecordShape[Inventory] = RecordShape(
    "inventory",
    {
        "sites": RecordKey(sites, "places that can be lost as a whole"),
        "hosts": RecordKey(hosts, "machines reached over SSH"),
        "groups": RecordKey(groups, "named sets of hosts"),
        "stores": RecordKey(stores, "data that services live on, and their backups"),
        "contacts": RecordKey(contacts, "how to reach third parties and people"),
        "dependencies": RecordKey(dependencies, "what belongs to somebody else"),
        "vars": RecordKey(_vars, "variables of all hosts"),
        "rehearsal": RecordKey(
            boolean,
            "true: its hosts are there to rehearse on, live runs are refused; "
            "false: they are in use, rehearsals are refused",
        ),
        "stand_ins": RecordKey(
            boolean,
            "true: its hosts only play the parts of the real ones; nothing learns from their runs",
            default=False,
        ),
    },
    _inventory,
)

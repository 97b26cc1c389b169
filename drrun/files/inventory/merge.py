"""Several inventory files to one inventory.

Rules:
- Files add up; a name that two files define differently is an error that names both places,
  never a question of which was read last.
- What refers to another name is checked when all files are read: a site may stand in one file
  and its hosts in another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding, Place
from drrun.core.model.inventory import Group, Host, Inventory
from drrun.core.nearest import did_you_mean, nearest
from drrun.files.inventory import ansible_ini, ansible_yaml
from drrun.files.inventory.inventory_yaml import inventory as shape
from drrun.files.yaml.shape import WRONG, Reading
from drrun.files.yaml.written import Table, TableItem, describe
from drrun.files.yaml.yaml_reader import read_yaml

_SECTIONS: Final = ("sites", "hosts", "stores", "contacts", "dependencies")
#: Places of names: section, name -> where it is defined.
PlaceIndex = dict[tuple[str, str], Place]


@dataclass(slots=True)
class InventoryPart:
    """What one file says."""

    inventory: Inventory
    places: PlaceIndex = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_inventory(texts: Sequence[tuple[str, bytes]]) -> tuple[Inventory, list[Finding]]:
    """Read files of drrun's own form or of Ansible's, and merge them.

    Args:
        texts: Name and content of each file.

    Returns:
        The inventory as far as it could be read, and all findings, sorted by place. The inventory
        is to be used only if none of them is an error.
    """
    findings: list[Finding] = []
    merged, places = Inventory(), PlaceIndex()
    for file, raw in texts:
        part = _placed(_read_part(file, raw), file)
        findings += part.findings
        merged = _merge(merged, part, places, findings)
    merged = _with_implied_groups(merged)
    findings += _dangling(merged, places)
    findings.sort(key=lambda finding: finding.place)
    return merged, findings


def _read_part(file: str, raw: bytes) -> InventoryPart:
    if ansible_ini.looks_like_ini(file, raw):
        return InventoryPart(*ansible_ini.read_ini(raw, file))
    written, findings = read_yaml(raw, file)
    if written is None:
        return InventoryPart(Inventory(), findings=findings)
    reading = Reading(file)
    if not isinstance(written, Table):
        message = f"an inventory is a mapping with 'hosts', not {describe(written)}"
        return InventoryPart(
            Inventory(), findings=[*findings, Finding(reading.place(written), message)]
        )
    if ansible_yaml.looks_like_ansible(written):
        read, places = ansible_yaml.read_table(written, reading)
        return InventoryPart(read, places, findings + reading.findings)
    found = shape.read(written, reading)
    read = Inventory() if found is WRONG else found
    return InventoryPart(read, _places(written, reading), findings + reading.findings)


def _placed(part: InventoryPart, file: str) -> InventoryPart:
    """Every name and every finding stands in the file at least, whatever form that has."""
    names = {
        section: getattr(part.inventory, section) for section in (*_SECTIONS, "groups", "vars")
    }
    whole: PlaceIndex = {
        (section, name): Place(file) for section in names for name in names[section]
    }
    findings = [
        each if each.place.file else replace(each, place=Place(file)) for each in part.findings
    ]
    return InventoryPart(
        part.inventory, {**whole, ("", "rehearsal"): Place(file), **part.places}, findings
    )


def _places(table: Table, reading: Reading) -> PlaceIndex:
    places: PlaceIndex = {}
    if said := table.entries.get("rehearsal"):
        places["", "rehearsal"] = reading.place(said.key)
    for section in (*_SECTIONS, "groups", "vars"):
        entry = table.entries.get(section)
        if entry is None or not isinstance(entry.value, Table):
            continue
        inner: Mapping[str, TableItem] = entry.value.entries
        places |= {(section, name): reading.place(one.key) for name, one in inner.items()}
    return places


def _merge(
    into: Inventory, part: InventoryPart, places: PlaceIndex, findings: list[Finding]
) -> Inventory:
    """Add what a file says; a name keeps its first definition."""
    changed: dict[str, Any] = {}
    for section in (*_SECTIONS, "vars"):
        ours, theirs = getattr(into, section), getattr(part.inventory, section)
        findings += [
            _conflict(section, name, places, part.places)
            for name in theirs
            if name in ours and ours[name] != theirs[name]
        ]
        changed[section] = {**theirs, **ours}
    said = part.inventory.rehearsal
    if None not in (said, into.rehearsal) and said != into.rehearsal:
        findings.append(_conflict("", "rehearsal", places, part.places))
    groups = dict(into.groups)
    for name, group in part.inventory.groups.items():
        groups[name] = _merge_group(groups.get(name, Group(name)), group, findings, (places, part))
    for key, place in part.places.items():
        # A file that says nothing of the rehearsal is none that could be at odds with another.
        if key != ("", "rehearsal") or said is not None:
            places.setdefault(key, place)
    # Order of the files, then of the names in them: the order that plans show.
    changed = {
        section: {name: both[name] for name in (*getattr(into, section), *both)}
        for section, both in changed.items()
    }
    rehearsal = said if into.rehearsal is None else into.rehearsal
    stand_ins = into.stand_ins or part.inventory.stand_ins
    return replace(into, groups=groups, rehearsal=rehearsal, stand_ins=stand_ins, **changed)


def _merge_group(
    ours: Group, theirs: Group, findings: list[Finding], where: tuple[PlaceIndex, InventoryPart]
) -> Group:
    places, part = where
    for name, value in theirs.vars.items():
        if name in ours.vars and ours.vars[name] != value:
            found = _conflict("groups", theirs.name, places, part.places)
            findings.append(replace(found, message=f"{found.message} (variable '{name}')"))
    hosts = tuple(dict.fromkeys((*ours.hosts, *theirs.hosts)))
    return Group(theirs.name, hosts, {**theirs.vars, **ours.vars})


def _conflict(section: str, name: str, first: PlaceIndex, second: PlaceIndex) -> Finding:
    elsewhere, here = first[section, name], second[section, name]
    known = {"": "key", "vars": "variable", "dependencies": "dependency"}
    kind = known.get(section, section[:-1])
    message = f"{kind} '{name}' is defined differently in {elsewhere}"
    return Finding(here, message, code="inventory-conflict")


def _with_implied_groups(inventory: Inventory) -> Inventory:
    """Groups that only hosts name are groups too."""
    named = (group for host in inventory.hosts.values() for group in host.groups)
    implied = {name: Group(name) for name in named if name not in inventory.groups}
    return replace(inventory, groups={**inventory.groups, **implied}) if implied else inventory


def _dangling(inventory: Inventory, places: PlaceIndex) -> Iterator[Finding]:
    for host in inventory.hosts.values():
        place = places["hosts", host.name]
        if host.site and host.site not in inventory.sites:
            hint = did_you_mean(host.site, inventory.sites)
            message = f"hosts.{host.name}: unknown site '{host.site}'{hint}"
            yield Finding(place, message, code="unknown-site")
        yield from _dangling_via(host, inventory, place)
    for group in inventory.groups.values():
        for name in group.hosts:
            if name not in inventory.hosts:
                place = places["groups", group.name]
                yield _unknown_host(f"groups.{group.name}", name, inventory, place)
    yield from _dangling_stores(inventory, places)


def _dangling_stores(inventory: Inventory, places: PlaceIndex) -> Iterator[Finding]:
    for store in inventory.stores.values():
        place = places["stores", store.name]
        for name in store.on:
            if name not in inventory.hosts and name not in inventory.groups:
                yield _unknown_host(f"stores.{store.name}", name, inventory, place)
        for backup in store.backups:
            # A copy may be with somebody who is no host; a near miss is a slip of the pen.
            near = nearest(backup.to, inventory.hosts)
            if backup.to not in inventory.hosts and near is not None:
                yield _unknown_host(f"stores.{store.name}.backups", backup.to, inventory, place)


def _dangling_via(host: Host, inventory: Inventory, place: Place) -> Iterator[Finding]:
    for route in host.routes:
        for name in route.via:
            if name == host.name:
                message = f"hosts.{host.name}: '{route.label}' passes through the host itself"
                yield Finding(place, message, code="route-loop")
            elif name not in inventory.hosts:
                yield _unknown_host(f"hosts.{host.name}", name, inventory, place)


def _unknown_host(where: str, name: str, inventory: Inventory, place: Place) -> Finding:
    hint = did_you_mean(name, inventory.hosts)
    return Finding(place, f"{where}: unknown host '{name}'{hint}", code="unknown-host")

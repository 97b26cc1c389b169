"""Ansible inventories in YAML form, and what `ansible-inventory --list` prints.

Rules:
- Told apart from drrun's own form by content: every top key is a group.
- A file for an inventory plug-in is refused with the way out; drrun executes none.
"""

from typing import Any, Final, assert_never

from drrun.core.model.errors import Place
from drrun.core.model.inventory import Inventory
from drrun.files.inventory.ansible import AnsibleGroup, build_inventory, expand_ranges
from drrun.files.yaml.shape import Reading
from drrun.files.yaml.written import Listing, Scalar, Table, Written, plain_value, shortened

_GROUP_KEYS: Final = frozenset({"hosts", "children", "vars"})
_OWN_KEYS: Final = frozenset({"sites", "hosts", "groups", "stores", "contacts", "dependencies"})


def looks_like_ansible(table: Table) -> bool:
    """Whether a mapping is an Ansible inventory, or a file for one of its plug-ins."""
    entries = table.entries
    if "plugin" in entries or "_meta" in entries:
        return True
    if not entries or _OWN_KEYS & entries.keys():
        return False
    return all(_is_group(entry.value) for entry in entries.values())


def _is_group(written: Written) -> bool:
    if isinstance(written, Table):
        return bool(written.entries) and written.entries.keys() <= _GROUP_KEYS
    return isinstance(written, Scalar) and written.is_null


def read_table(table: Table, reading: Reading) -> tuple[Inventory, dict[tuple[str, str], Place]]:
    """Read an inventory whose top keys are groups; findings go to `reading`."""
    plugin = table.entries.get("plugin")
    if plugin is not None:
        reading.wrong(
            plugin.key,
            "is a file for an Ansible inventory plug-in, which drrun does not execute: save what"
            " 'ansible-inventory -i FILE --list' prints, and give that file",
            code="ansible-plugin",
        )
        return Inventory(), {}
    reader = _Reader(reading)
    for name, entry in table.entries.items():
        if name == "_meta":
            reader.take_meta(entry.value)
        else:
            reader.take_group(name, entry.key, entry.value)
    inventory, findings = build_inventory(reader.groups, reader.host_vars, reader.places)
    reading.findings += findings
    return inventory, reader.places


class _Reader:
    """Collects groups and hosts."""

    def __init__(self, reading: Reading) -> None:
        self.groups: dict[str, AnsibleGroup] = {}
        self.host_vars: dict[str, dict[str, Any]] = {}
        self.places: dict[tuple[str, str], Place] = {}
        self._reading = reading

    def take_group(self, name: str, key: Scalar, written: Written) -> None:
        """Read one group and the groups inside it."""
        group = self.groups.setdefault(name, AnsibleGroup())
        self.places.setdefault(("groups", name), self._reading.place(key))
        if isinstance(written, Scalar) and written.is_null:
            return
        if not isinstance(written, Table):
            self._reading.wrong(written, f"group '{name}' must be a mapping with hosts")
            return
        for part, entry in written.entries.items():
            if part == "hosts":
                self._take_hosts(group, entry.value)
            elif part == "children":
                self._take_children(group, entry.value)
            elif part == "vars":
                group.vars.update(_variables(entry.value))
            else:
                self._reading.unknown(entry.key, "key", _GROUP_KEYS)

    def take_meta(self, written: Written) -> None:
        """Read `_meta.hostvars` of a printed inventory."""
        meta = plain_value(written)
        told = meta.get("hostvars") if isinstance(meta, dict) else None
        for host, variables in (told if isinstance(told, dict) else {}).items():
            known = variables if isinstance(variables, dict) else {}
            self.host_vars.setdefault(host, {}).update(known)
            self.places.setdefault(("hosts", host), self._reading.place(written))

    def _take_hosts(self, group: AnsibleGroup, written: Written) -> None:
        for key, value in _members(written):
            try:
                hosts = expand_ranges(key.text)
            except ValueError as error:
                self._reading.wrong(key, f"{shortened(key.text)}: {error}")
                continue
            for host in hosts:
                group.hosts.append(host)
                self.places.setdefault(("hosts", host), self._reading.place(key))
                variables = _variables(value) if value is not None else {}
                self.host_vars.setdefault(host, {}).update(variables)

    def _take_children(self, group: AnsibleGroup, written: Written) -> None:
        for key, value in _members(written):
            group.children.append(key.text)
            if value is not None:
                self.take_group(key.text, key, value)


def _members(written: Written) -> list[tuple[Scalar, Written | None]]:
    match written:
        case Table(entries):
            return [(entry.key, entry.value) for entry in entries.values()]
        case Listing(items):
            return [(item, None) for item in items if isinstance(item, Scalar)]
        case Scalar():
            return []
        case _:
            assert_never(written)


def _variables(written: Written) -> dict[str, Any]:
    value = plain_value(written)
    return value if isinstance(value, dict) and isinstance(written, Table) else {}

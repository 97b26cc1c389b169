"""Ansible inventories in INI form: groups, children, variables, ranges of hosts.

Rules:
- Read as Ansible reads it, as far as connecting goes; what drrun does not do (other connection
  plug-ins, extra SSH arguments) is a warning, never silently different.
- Format: the Ansible documentation, "How to build your inventory", and plugin `ini`.
"""

import re
import shlex
from dataclasses import field
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding, Place
from drrun.core.model.inventory import Inventory
from drrun.files.inventory.ansible import AnsibleGroup, build_inventory, expand_ranges
from drrun.files.yaml.characters import decode
from drrun.files.yaml.written import Scalar, plain_value, shortened

_SECTION = re.compile(r"\[([^\[\]:\s]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_YAML_ENDS = (".yaml", ".yml", ".json")


def looks_like_ini(file: str, raw: bytes) -> bool:
    """Whether a file is to be read as INI: by its name, else by its first line."""
    name = file.lower()
    if name.endswith((".ini", ".cfg")):
        return True
    if name.endswith(_YAML_ENDS):
        return False
    for line in raw[:100_000].decode("utf-8", "replace").splitlines():
        text = line.strip().removeprefix("\ufeff")
        if text and not text.startswith(("#", ";")):
            if text.startswith("["):
                return _SECTION.fullmatch(text) is not None
            return re.match(r"[A-Za-z0-9_.-]+(\[[\w:]+\])?(\s+\w+=|\s*$)", text) is not None
    return False


def read_ini(
    raw: bytes, file: str
) -> tuple[Inventory, dict[tuple[str, str], Place], list[Finding]]:
    """Read an INI inventory: what it says, where, and what is wrong with it."""
    text, findings = decode(raw, file)
    if findings:
        return Inventory(), {}, findings
    reader = _Ini(file)
    for number, line in enumerate(text.split("\n"), 1):
        reader.take(line, number)
    inventory, found = build_inventory(reader.groups, reader.host_vars, reader.places)
    return inventory, reader.places, reader.findings + found


@dataclass(slots=True)
class _Ini:
    """Takes one line after the other."""

    file: str
    groups: dict[str, AnsibleGroup] = field(default_factory=dict)
    host_vars: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    group: str = "ungrouped"
    kind: str = "hosts"

    def take(self, line: str, number: int) -> None:
        """Account for one line."""
        text = line.strip()
        if not text or text.startswith(("#", ";")):
            return
        place = Place(self.file, number, len(line) - len(line.lstrip()) + 1)
        if text.startswith("["):
            self._begin(text, place)
        elif self.kind == "hosts":
            self._take_hosts(text, place)
        elif self.kind == "children":
            child = text.split("#")[0].strip()
            self._of(self.group, place).children.append(child)
        else:
            name, _, value = text.partition("=")
            self._of(self.group, place).vars[name.strip()] = _value(value)

    def _begin(self, text: str, place: Place) -> None:
        match = _SECTION.fullmatch(text)
        kind = (match and match[2]) or "hosts"
        if match is None or kind not in {"hosts", "children", "vars"}:
            message = f"{shortened(text)} is not a section: write [GROUP] or [GROUP:vars]"
            self.findings.append(Finding(place, message))
            return
        self.group, self.kind = match[1], kind
        self._of(self.group, place)

    def _take_hosts(self, text: str, place: Place) -> None:
        try:
            name, *words = shlex.split(text, comments=True)
            hosts = expand_ranges(name)
        except ValueError as error:
            self.findings.append(Finding(place, f"{shortened(text)}: {error}"))
            return
        variables = {}
        for word in words:
            key, equals, value = word.partition("=")
            if not equals:
                message = f"{shortened(word)} is not a variable: write NAME=VALUE"
                self.findings.append(Finding(place, message))
            variables[key] = _value(value)
        for host in hosts:
            self._of(self.group, place).hosts.append(host)
            self.host_vars.setdefault(host, {}).update(variables)
            self.places.setdefault(("hosts", host), place)

    def _of(self, name: str, place: Place) -> AnsibleGroup:
        self.places.setdefault(("groups", name), place)
        return self.groups.setdefault(name, AnsibleGroup())


def _value(word: str) -> Any:
    """A variable's value: a number or a boolean if it is unmistakably one, else text."""
    text = word.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return plain_value(Scalar(text, text != "", 0, 0))

"""What Ansible's groups and variables mean for drrun's inventory.

Rules:
- `ansible_host`, `_port`, `_user` and `_ssh_private_key_file` become the route and the login; they
  may be variables of a host, of its groups or of `all`, the nearest wins.
- A group holds the hosts of its children; variables of a child win over its parents'.
- `drrun_site` names a host's site, because Ansible has no word for it.
- group_vars and host_vars folders are not read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding, Place, Severity
from drrun.core.model.inventory import Group, Host, Inventory, Route
from drrun.files.inventory.inventory_yaml import address, port, user
from drrun.files.yaml.scalars import dotted
from drrun.files.yaml.shape import WRONG, Reading, Shape
from drrun.files.yaml.written import Scalar, shortened

_RANGE = re.compile(r"\[([A-Za-z]|[0-9]+):([A-Za-z]|[0-9]+)(?::([0-9]+))?\]")
_MOST_HOSTS: Final = 10_000
#: Groups inside groups; deeper nesting is ordered as written.
_DEEPEST: Final = 50
#: Variables that only say how to connect; all others stay variables.
_CONNECTING: Final[Mapping[str, tuple[str, Shape[Any]]]] = {
    "ansible_host": ("address", address),
    "ansible_ssh_host": ("address", address),
    "ansible_port": ("port", port),
    "ansible_ssh_port": ("port", port),
    "ansible_user": ("user", user),
    "ansible_ssh_user": ("user", user),
}
_IDENTITY: Final = "ansible_ssh_private_key_file"
_NOT_USED: Final = (
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_password",
    "ansible_ssh_pass",
    "ansible_become_password",
    "ansible_become_pass",
)


@dataclass(slots=True)
class AnsibleGroup:
    """A group as written."""

    hosts: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    vars: dict[str, Any] = field(default_factory=dict)


def expand_ranges(name: str) -> list[str]:
    """`db[01:03].phl` to db01.phl, db02.phl, db03.phl; `[a:c]` and steps `[0:10:2]` too.

    Raises:
        ValueError: A range is reversed or too long.
    """
    names = [name]
    while (match := _RANGE.search(names[0])) is not None:
        parts = _range(match)
        if len(names) * len(parts) > _MOST_HOSTS:
            raise ValueError(f"stands for more than {_MOST_HOSTS} hosts")
        names = [_RANGE.sub(part, one, count=1) for one in names for part in parts]
    return names


def _range(match: re.Match[str]) -> list[str]:
    first, last, step = match[1], match[2], int(match[3] or 1)
    if first.isdigit() != last.isdigit() or step < 1 or max(len(first), len(last)) > 9:
        raise ValueError(f"{match[0]} is not a range")
    if not first.isdigit():
        return [chr(code) for code in range(ord(first), ord(last) + 1, step)] or _upside(match)
    begin, end = int(first), int(last)
    if (end - begin) // step >= _MOST_HOSTS:
        raise ValueError(f"stands for more than {_MOST_HOSTS} hosts")
    width = len(first) if first.startswith("0") else 1
    return [str(number).zfill(width) for number in range(begin, end + 1, step)] or _upside(match)


def _upside(match: re.Match[str]) -> list[str]:
    raise ValueError(f"{match[0]} is reversed")


def build_inventory(
    groups: Mapping[str, AnsibleGroup],
    host_vars: Mapping[str, dict[str, Any]],
    places: dict[tuple[str, str], Place],
) -> tuple[Inventory, list[Finding]]:
    """Make the inventory of what was collected."""
    findings = _unknown_children(groups, places)
    # Parents first: later groups win in Inventory.vars_of, and a child is nearer to its hosts.
    order = _parents_first(groups)
    members = _members(groups, order)
    everyone = dict.fromkeys(host for group in groups.values() for host in group.hosts)
    of_all = groups["all"].vars if "all" in groups else {}
    hosts: dict[str, Host] = {}
    for name in dict.fromkeys((*host_vars, *everyone)):
        seen = dict(of_all)
        for group in order:
            if name in members[group]:
                seen |= groups[group].vars
        own = host_vars.get(name, {})
        place = places.get(("hosts", name), Place())
        host = _host(name, {**seen, **own}, own, place, findings)
        if host is not None:
            hosts[name] = host
    made = {
        name: Group(
            name, tuple(host for host in members[name] if host in hosts), _plain(groups[name].vars)
        )
        for name in order
        if name not in {"all", "ungrouped"}
    }
    return Inventory(hosts=hosts, groups=made, vars=_plain(of_all)), findings


def _unknown_children(
    groups: Mapping[str, AnsibleGroup], places: Mapping[tuple[str, str], Place]
) -> list[Finding]:
    return [
        Finding(
            places.get(("groups", name), Place()),
            f"group '{name}' has a child '{child}' that is not a group",
            code="unknown-group",
        )
        for name, group in groups.items()
        for child in group.children
        if child not in groups
    ]


def _parents_first(groups: Mapping[str, AnsibleGroup]) -> list[str]:
    """Names of groups so that children come later; inside a loop, in any order."""
    depth = dict.fromkeys(groups, 0)
    for _ in range(min(len(groups), _DEEPEST)):
        before = dict(depth)
        for name, group in groups.items():
            for child in group.children:
                if child in depth:
                    depth[child] = max(depth[child], depth[name] + 1)
        if depth == before:
            break
    return sorted(groups, key=depth.__getitem__)


def _members(
    groups: Mapping[str, AnsibleGroup], order: Sequence[str]
) -> dict[str, dict[str, None]]:
    """Hosts of each group, those of its children included; a set that keeps the order."""
    members: dict[str, dict[str, None]] = {}
    for name in reversed(order):
        members[name] = dict.fromkeys(groups[name].hosts)
        for child in groups[name].children:
            members[name] |= members.get(child, {})
    return members


def _host(
    name: str,
    seen: Mapping[str, Any],
    own: Mapping[str, Any],
    place: Place,
    findings: list[Finding],
) -> Host | None:
    reading = Reading(place.file)
    reading.path = ["hosts", name]
    told: dict[str, Any] = {}
    sound = _fits(dotted, name, place, reading) is not WRONG
    for variable, (part, shape) in _CONNECTING.items():
        if variable in seen:
            told[part] = _fits(shape, seen[variable], place, reading)
    for variable in _NOT_USED:
        if variable in seen:
            message = f"'{variable}' is not used by drrun: say it in ~/.ssh/config or in a route"
            reading.wrong(_scalar("", place), message, severity=Severity.WARNING)
    connection = str(seen.get("ansible_connection", "ssh"))
    if connection == "local":
        message = "is this machine for Ansible and left out: write 'on: local' in the runbook"
        reading.wrong(_scalar("", place), message, severity=Severity.WARNING)
        sound = False
    elif connection not in {"ssh", "smart", "paramiko", "paramiko_ssh"}:
        message = f"connection {shortened(connection)} is not SSH: drrun reaches hosts by SSH"
        reading.wrong(_scalar("", place), message)
    findings += reading.findings
    if not sound or WRONG in told.values():
        return None
    route = Route(address=told.get("address", ""))
    return Host(
        name=name,
        site=str(seen.get("drrun_site", "")),
        user=told.get("user"),
        port=told.get("port"),
        identity=str(seen[_IDENTITY]) if _IDENTITY in seen else None,
        routes=(route,),
        vars=_plain(own),
    )


def _fits(shape: Shape[Any], value: Any, place: Place, reading: Reading) -> Any:
    return shape.read(_scalar(str(value), place), reading)


def _scalar(text: str, place: Place) -> Scalar:
    return Scalar(text, plain=True, line=place.line, column=place.column)


def _plain(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in variables.items()
        if name not in _CONNECTING and name not in {_IDENTITY, "drrun_site", *_NOT_USED}
    }

"""A lab as an inventory of drrun.

Rules:
- What is written is what a person would write: addresses, the key to log in with, pinned keys.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.lab.host import LabHost
from tests.lab.topology import HostPlan, Topology


def hosts_of(
    topology: Topology, identity: Path, hosts: Iterable[LabHost], more: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Part `hosts:`; `more` adds keys to single hosts.

    The first route is the address of the first link; every further IPv4 address is a route with
    the name of its network.
    """
    written = {}
    for host in hosts:
        written[host.name] = {
            "site": host.plan.site,
            "user": "root",
            "identity": str(identity),
            "host_key": host.key,
            "routes": _routes(topology, host.plan),
            **more.get(host.name, {}),
        }
    return written


def write(
    path: Path, topology: Topology, hosts: Mapping[str, Any], parts: Mapping[str, Any]
) -> Path:
    """Write the file (JSON is YAML); gives back its path."""
    sites = {host.site: {"title": host.site} for host in topology.hosts}
    groups = {
        name: group if isinstance(group, Mapping) else {"hosts": list(group)}
        for name, group in parts.get("groups", {}).items()
    }
    whole = {"sites": sites, "hosts": dict(hosts), **parts, "groups": groups}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=1), "utf-8")
    return path


def _routes(topology: Topology, plan: HostPlan) -> list[dict[str, Any]]:
    first, *others = plan.links
    return [{"address": first[1]}] + [
        {"address": ipv4, "name": network}
        for network, ipv4, _ in others
        if topology.network(network).routed
    ]

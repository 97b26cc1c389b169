"""Where things are: sites, hosts and the routes to them, stores, contacts, dependencies.

Contract section 3. Values only: reading YAML or Ansible files is `drrun.files`.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Place
from drrun.core.model.values import Duration, Size


@dataclass(frozen=True, slots=True)
class Site:
    """A place that can be lost as a whole."""

    name: str
    title: str = ""
    provider: str = ""
    roles: tuple[str, ...] = ()
    jurisdiction: str = ""


#: A name or an IP address; no option, no metacharacter.
ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}")


@dataclass(frozen=True, slots=True)
class Route:
    """One way to reach a host: an address, and the hosts to pass through, nearest first."""

    #: Name or IP address; "" means the address of the SSH configuration, or the host's name.
    address: str = ""
    name: str = ""
    port: int | None = None
    via: tuple[str, ...] = ()
    #: Name of the runbook's secret that is the address; then `address` is "".
    secret: str = ""

    @property
    def label(self) -> str:
        """What people call this route: its name, its address, or the name of its secret."""
        return self.name or self.secret or self.address or "default"


@dataclass(frozen=True, slots=True)
class Host:
    """A machine reached over SSH."""

    name: str
    site: str = ""
    groups: tuple[str, ...] = ()
    #: None: as the user's SSH configuration says.
    user: str | None = None
    port: int | None = None
    identity: str | None = None
    #: Tried in order; never empty after loading.
    routes: tuple[Route, ...] = (Route(),)
    #: Pinned public key, `ssh-ed25519 AAAA…`; None: known_hosts decides.
    host_key: str | None = None
    #: How to become another user; only `sudo` (as `sudo -n`).
    become: str = "sudo"
    #: Label of the route that a person chose during the run; "" for the order above.
    chosen_route: str = ""
    #: How many commands may run on this host at once; sshd's MaxSessions is 10 by default.
    max_sessions: int = 8
    #: Where it keeps what belongs to runs, absolute; "" for `.drrun` in the user's home.
    work_dir: str = ""
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of hosts."""

    name: str
    hosts: tuple[str, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a store."""

    to: str
    max_age: Duration | None = None
    #: A probe that prints the copy's age, as written.
    age: Mapping[str, Any] | None = None
    #: What the copy is lost together with: a site, a provider, an account.
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """Data that services live on; what is restored, and what RPO is measured on."""

    name: str
    on: tuple[str, ...] = ()
    kind: str = ""
    size: Size | None = None
    owner: str = ""
    backups: tuple[Backup, ...] = ()
    #: `{reason, owner, expires}` where somebody accepted that a rule is not met.
    waiver: Mapping[str, Any] | None = None
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a third party, or a person."""

    name: str
    channels: tuple[Mapping[str, Any], ...] = ()
    hours: str = ""
    verified: str = ""
    verify_every: Duration | None = None
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that belongs to somebody else and that recovery needs."""

    name: str
    provider: str = ""
    alternate: str = ""
    accepted_risk: str = ""
    expires: str = ""
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Inventory:
    """All of the above, by name."""

    sites: Mapping[str, Site] = field(default_factory=dict)
    hosts: Mapping[str, Host] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    stores: Mapping[str, Store] = field(default_factory=dict)
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    #: True: its hosts are there to rehearse on, no run on them is ever a live one. False: they are
    #: in use, nobody rehearses on them. None: nobody said.
    rehearsal: bool | None = None
    #: Its hosts only play the parts of the real ones: nothing is learnt from what they do.
    stand_ins: bool = False

    def hosts_of_group(self, group: str) -> tuple[str, ...]:
        """Names of the hosts in `group`, in the order of the inventory."""
        named = set(self.groups[group].hosts) if group in self.groups else set()
        return tuple(
            name for name, host in self.hosts.items() if name in named or group in host.groups
        )

    def vars_of(self, host: Host) -> dict[str, Any]:
        """Variables that `host` sees: the inventory's, its groups' in order, then its own."""
        seen: dict[str, Any] = dict(self.vars)
        for name, group in self.groups.items():
            if host.name in group.hosts or name in host.groups:
                seen.update(group.vars)
        seen.update(host.vars)
        return seen

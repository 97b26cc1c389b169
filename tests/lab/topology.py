"""What a lab consists of: networks, hosts in them, and who routes what. Values only.

Rules:
- Addresses are those of `inventory/sites.yml` (documentation addresses); a lab's network is its
  own, so that all labs use the same ones.
- A site may have several networks; losing the site means losing those of its name, so a second
  way in (out of band) is a network of another site.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any


@dataclass(frozen=True)
class Network:
    """One Ethernet; the router has its first address, unless nobody routes it."""

    name: str
    site: str
    ipv4: str
    #: "" for none.
    ipv6: str = ""
    #: False: no way in or out but through hosts that forward.
    routed: bool = True

    @property
    def gateway(self) -> str:
        """The router's IPv4 address here."""
        return str(next(IPv4Network(self.ipv4).hosts()))

    @property
    def gateway6(self) -> str:
        """The router's IPv6 address here; "" without IPv6."""
        return str(next(IPv6Network(self.ipv6).hosts())) if self.ipv6 else ""

    def with_length(self, address: str) -> str:
        """`address` as `ip address add` wants it: with the length of the prefix."""
        network = self.ipv6 if ":" in address else self.ipv4
        return f"{address}/{network.split('/')[1]}"


@dataclass(frozen=True)
class HostPlan:
    """One host: where it is, and its addresses in the order of its links (eth0 first)."""

    name: str
    site: str
    #: (network, IPv4 address, IPv6 address or "").
    links: tuple[tuple[str, str, str], ...]
    #: Next hop instead of the router, for hosts in networks that nobody routes.
    gateway: str = ""

    @property
    def address(self) -> str:
        """Its first IPv4 address."""
        return self.links[0][1]


@dataclass(frozen=True)
class Topology:
    """All of a lab."""

    networks: tuple[Network, ...]
    hosts: tuple[HostPlan, ...]
    #: Where drrun runs: a place in the network, with the machine's own disk.
    operator: HostPlan
    #: Prefix -> host that the router sends it to (an address that moves, or one for NAT).
    routes: Mapping[str, str] = field(default_factory=dict)

    def network(self, name: str) -> Network:
        """The network of that name."""
        return next(network for network in self.networks if network.name == name)

    def host(self, name: str) -> HostPlan:
        """The host of that name, or of that first part (`client` for `client.net`).

        Raises:
            KeyError: there is none, or there are several; it names those that there are.
        """
        exact = [host for host in self.hosts if host.name == name]
        found = exact or [host for host in self.hosts if host.name.split(".")[0] == name]
        if len(found) != 1:
            raise KeyError(
                f"no one host {name}; there are {', '.join(h.name for h in self.hosts)}"
            )
        return found[0]

    def networks_of(self, site: str) -> tuple[Network, ...]:
        """The networks that are lost with `site`.

        Raises:
            KeyError: it has none; names the sites that there are.
        """
        found = tuple(network for network in self.networks if network.site == site)
        if not found:
            sites = sorted({network.site for network in self.networks})
            raise KeyError(f"no site {site}; there are {', '.join(sites)}")
        return found

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> "Topology":
        """The opposite of `as_json`."""
        return cls(
            tuple(Network(**network) for network in read["networks"]),
            tuple(_host_from(host) for host in read["hosts"]),
            _host_from(read["operator"]),
            dict(read["routes"]),
        )


def _host_from(read: Mapping[str, Any]) -> HostPlan:
    return HostPlan(**{**read, "links": tuple(tuple(link) for link in read["links"])})


def host(name: str, network: str, ipv4: str, ipv6: str = "", **more: Any) -> HostPlan:
    """A host with one link, in the site that its name ends with or that `site=` says."""
    site = more.pop("site", None) or name.rpartition(".")[2]
    also = more.pop("also", ())
    return HostPlan(name, site, ((network, ipv4, ipv6), *also), **more)


def _phl(name: str, last: int) -> HostPlan:
    """In Philadelphia, with a second way in."""
    oob = ("phl-oob", f"198.51.100.{last}", "")
    return host(f"{name}.phl", "phl", f"192.0.2.{last}", f"2001:db8:1::{last}", also=(oob,))


def _ams(name: str, last: int) -> HostPlan:
    return host(f"{name}.ams", "ams", f"198.18.2.{last}", f"2001:db8:a::{last}")


#: The sites of the examples: the ones of `inventory/sites.yml` and `switchover.yml`.
SITES = Topology(
    networks=(
        Network("phl", "phl", "192.0.2.0/24", "2001:db8:1::/64"),
        Network("phl-oob", "phl-oob", "198.51.100.0/27"),
        Network("ams", "ams", "198.18.2.0/24", "2001:db8:a::/64"),
        Network("fre", "fre", "203.0.113.0/27", "2001:db8:f::/64"),
        Network("ovh", "ovh", "203.0.113.32/28", "2001:db8:e::/64"),
        Network("dns", "dns", "203.0.113.48/29"),
        Network("dns2", "dns2", "198.51.100.48/29"),
        Network("ops", "ops", "203.0.113.56/29", "2001:db8:d::/64"),
        Network("net", "net", "198.51.100.64/28", "2001:db8:c::/64"),
    ),
    hosts=(
        _phl("db1", 11),
        _phl("git1", 12),
        _phl("s3", 13),
        _phl("web1", 14),
        host("db1.fre", "fre", "203.0.113.11", "2001:db8:f::11"),
        host("bk1.fre", "fre", "203.0.113.12", "2001:db8:f::12"),
        _ams("db1", 11),
        _ams("git1", 12),
        _ams("hg1", 13),
        _ams("web1", 14),
        _ams("s3", 15),
        _ams("chat1", 16),
        host("gw.ovh", "ovh", "203.0.113.41", "2001:db8:e::41"),
        host("build1.ovh", "ovh", "203.0.113.42", "2001:db8:e::42"),
        host("build2.ovh", "ovh", "203.0.113.43", "2001:db8:e::43"),
        host("ns1", "dns", "203.0.113.51", site="dns"),
        host("ns2", "dns2", "198.51.100.52", site="dns"),
        host("desk.ops", "ops", "203.0.113.61", "2001:db8:d::61"),
        host("client.net", "net", "198.51.100.71", "2001:db8:c::71"),
    ),
    operator=host("operator.ops", "ops", "203.0.113.62", "2001:db8:d::62"),
    routes={"203.0.113.80/32": "gw.ovh"},
)

#: Two sites with two hosts each, for tests that need no more.
SMALL = Topology(
    networks=tuple(n for n in SITES.networks if n.name in {"phl", "phl-oob", "ams", "ops"}),
    hosts=tuple(SITES.host(n) for n in ("db1.phl", "git1.phl", "db1.ams", "git1.ams")),
    operator=SITES.operator,
)

TOPOLOGIES: Mapping[str, Topology] = {"sites": SITES, "small": SMALL}

"""How a topology becomes links, addresses and routes: text for `ip -batch` and `nft -f`.

Rules:
- Each network is a bridge without an address; a pair of links (`u-X` in the bridge, `r-X` with
  the router's address) joins it to the router, so that both directions can be shaped and dropped.
- A host's port is created by the host when it boots and dies with it; its name stays the same,
  so that a fault outlives a reboot of the host, as a pulled cable does.
- A bridge talks to nobody (chain `input`): Linux answers ARP for the router's addresses on every
  interface, and what entered by the bridge passed by the rules of a null-routed site.
- A card keeps its address: neighbours remember it, also while the host boots.
- Faults are elements of nft sets made here: see `faults`.
"""

from tests.lab.topology import HostPlan, Network, Topology

#: Sets and what they stand for are listed in `faults`.
ROUTER_RULES = """\
table inet lab {
  set lost { type ifname; }
  chain forward { type filter hook forward priority -300; iifname @lost drop; oifname @lost drop; }
  chain input { type filter hook input priority -300; iifname @lost drop; }
  chain output { type filter hook output priority -300; oifname @lost drop; }
}
table bridge lab {
  set cut { type ifname; }
  set mute { type ifname; }
  set deaf { type ifname; }
  chain forward {
    type filter hook forward priority -300;
    iifname @cut drop; oifname @cut drop;
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname @mute ether type { ip, ip6 } drop
    oifname @deaf ether type { ip, ip6 } drop
  }
  chain input { type filter hook input priority -300; policy drop; }
}
"""


#: For a host whose connections are to be reset: in the host, so that both ends are told.
#: The resets themselves must pass.
RESET_RULES = """\
table inet lab_reset {
  chain in {
    type filter hook input priority -200;
    iifname != "lo" tcp flags & rst == 0 reject with tcp reset
  }
  chain out {
    type filter hook output priority -200;
    oifname != "lo" tcp flags & rst == 0 reject with tcp reset
  }
}
"""


def uplinks(network: Network) -> tuple[str, str]:
    """The two ends between a network and the router: in its bridge, and the router's."""
    return f"u-{network.name}", f"r-{network.name}"


def ports(topology: Topology, host: HostPlan) -> tuple[str, ...]:
    """The bridge's ends of a host's links."""
    everybody = [*topology.hosts, topology.operator]
    return tuple(f"p{everybody.index(host)}-{link}" for link in range(len(host.links)))


def router_batch(topology: Topology) -> str:
    """For `ip -batch` in the router: the networks, and the routes to what hosts stand for."""
    lines = []
    for network in topology.networks:
        bridge, (inner, outer) = f"b-{network.name}", uplinks(network)
        lines += [f"link add {bridge} type bridge forward_delay 0", f"link set {bridge} up"]
        if not network.routed:
            continue
        lines += [
            f"link add {inner} type veth peer name {outer}",
            f"link set {inner} master {bridge} up",
            f"link set {outer} up",
        ]
        gateways = filter(None, (network.gateway, network.gateway6))
        lines += [f"addr add {network.with_length(each)} dev {outer}" for each in gateways]
    lines += [
        f"route add {prefix} via {topology.host(name).address}"
        for prefix, name in topology.routes.items()
    ]
    return "\n".join(lines) + "\n"


def _card(port: str) -> str:
    """The Ethernet address at the host's end of a port; locally administered."""
    host, link = port[1:].split("-")
    return f"02:00:00:00:{int(host):02x}:{int(link):02x}"


def port_batch(topology: Topology, host: HostPlan) -> str:
    """For `ip -force -batch` in the router, by the host's PID 1 (SELF): plugs its cables in."""
    lines = []
    for index, (port, link) in enumerate(zip(ports(topology, host), host.links, strict=True)):
        # An earlier life's port may still be on its way out.
        lines += [
            f"link del {port}",
            f"link add {port} type veth peer name eth{index} address {_card(port)} netns SELF",
            f"link set {port} master b-{link[0]} up",
        ]
    return "\n".join(lines) + "\n"


def host_batch(topology: Topology, host: HostPlan) -> str:
    """For `ip -batch` in the host: addresses and routes; answers leave the way they came."""
    lines = []
    for index, (name, ipv4, ipv6) in enumerate(host.links):
        network, device = topology.network(name), f"eth{index}"
        lines += [f"link set {device} up", f"addr add {network.with_length(ipv4)} dev {device}"]
        if ipv6:
            lines.append(f"addr add {network.with_length(ipv6)} dev {device} nodad")
        if index and network.routed:
            table = 100 + index
            lines += [
                f"rule add from {ipv4} table {table}",
                f"route add default via {network.gateway} dev {device} table {table}",
            ]
    first = topology.network(host.links[0][0])
    if host.gateway or first.routed:
        lines.append(f"route add default via {host.gateway or first.gateway}")
    if host.links[0][2] and first.gateway6:
        lines.append(f"route add default via {first.gateway6}")
    return "\n".join(lines) + "\n"

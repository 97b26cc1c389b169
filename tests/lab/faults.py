"""What can go wrong in a lab, as verbs.

Rules:
- Network faults are elements of sets in the router's rules (`network.ROUTER_RULES`), so they are
  the lab's own, can be listed, and no host can see or lift them.
- A fault of a site takes both directions: with inbound packets dropped only, data leaked out.
- What this machine's kernel cannot do raises `NotHere`; nothing is silently left out.
"""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab.host import LabHost
from tests.lab.namespaces import (
    Done,
    LabBroken,
    NotHere,
    enter,
    finish,
    is_still,
    kill,
    must,
    program,
    start,
    until,
)
from tests.lab.network import RESET_RULES, ports, uplinks
from tests.lab.topology import Topology

#: Family and set of each kind of loss.
_SETS = {"lost": "inet", "cut": "bridge", "mute": "bridge", "deaf": "bridge"}


@dataclass(frozen=True)
class Faults:
    """Breaks things and mends them; get it from `Lab.faults`."""

    topology: Topology
    keeper: int
    host: Callable[[str], LabHost]

    def null_route(self, site: str) -> None:
        """Lose a site: the router drops all to it and all from it; inside it all goes on."""
        self._add("lost", [uplinks(network)[1] for network in self.topology.networks_of(site)])

    def cut(self, host: str) -> None:
        """Pull all cables of a host: not even its neighbours find it any more."""
        self._add("cut", self._ports(host))

    def drop_silently(self, host: str, direction: str = "both") -> None:
        """Drop its packets without a word: `both` directions, or only its `replies`."""
        if direction not in {"both", "replies"}:
            raise ValueError(f"direction is both or replies, not {direction}")
        self._add("mute", self._ports(host))
        if direction == "both":
            self._add("deaf", self._ports(host))

    def restore(self, name: str) -> None:
        """Lift every network fault of a site or of a host."""
        sites = {network.site for network in self.topology.networks}
        if name in sites:
            links = [uplinks(network) for network in self.topology.networks_of(name)]
            gone = {each for pair in links for each in pair}
            for link in gone:
                self._router("tc", "qdisc", "del", "dev", link, "root")
        else:
            gone = set(self._ports(name))
            self.host(name).run("nft delete table inet lab_reset 2>/dev/null")
        for which, family in _SETS.items():
            for link in gone & set(self.now(which)):
                self._must("nft", "delete", "element", family, "lab", which, f"{{ {link} }}")

    def now(self, which: str) -> list[str]:
        """Links that a set holds: `lost`, `cut`, `mute` or `deaf`."""
        listed = json.loads(self._must("nft", "-j", "list", "set", _SETS[which], "lab", which))
        return [
            link for each in listed["nftables"] for link in each.get("set", {}).get("elem", [])
        ]

    def reset(self, host: str) -> None:
        """Answer every TCP packet from and to a host with a reset, old connections too.

        A connection on which nothing is sent learns of it with its next packet.
        """
        done = self.host(host).run(["nft", "-f", "-"], given=RESET_RULES)
        if not done.ok:
            raise NotHere(f"this kernel cannot reset connections: {done.err.strip()}")

    def reboot(self, host: str) -> None:
        """Kill everything in it at once; it boots with the same disk and a new boot id."""
        self.host(host).reboot()

    def power_off(self, host: str) -> None:
        """Kill everything in it; it stays off."""
        self.host(host).power_off()

    def power_on(self, host: str) -> None:
        """Boot a host that is off."""
        self.host(host).power_on()

    def fill_disk(self, host: str, leave: int = 0) -> None:
        """Let a host's disk (all but /run and /dev) have `leave` bytes free, and no more."""
        disk = self._disk(host)
        usage = self._must("df", "--output=used", "-B1", str(disk)).split()[-1]
        # The kernel counts in pages, and 0 would mean no limit.
        size = max(1, (int(usage) + leave) // 4096) * 4096
        self._must("mount", "-o", f"remount,size={size}", str(disk))

    def free_disk(self, host: str) -> None:
        """Undo `fill_disk`."""
        self._must("mount", "-o", "remount,size=4g", str(self._disk(host)))

    def freeze(self, host: str) -> None:
        """Stop every process of a host; its kernel still answers, nobody else does.

        Raises:
            LabBroken: somebody goes on.
        """

        def stopped() -> bool:
            # Processes may start others while they are stopped, and a stop takes its time.
            awake = [pid for pid in self.host(host).processes() if not is_still(pid)]
            kill(awake, signal.SIGSTOP)
            return not awake

        if not until(stopped, 20):
            raise LabBroken(f"{host} does not stop")

    def thaw(self, host: str) -> None:
        """Undo `freeze`."""
        kill(self.host(host).processes(), signal.SIGCONT)

    def skew_clock(self, host: str, seconds: float) -> None:
        """Let a host's clock be wrong, for all that begins from now on; 0 undoes it.

        That is: commands over ssh and from outside, and services started or started again.
        Kernels cannot give a namespace its own wall clock (time namespaces shift only the
        monotonic ones), so this is libfaketime in the environment: what runs already, file
        times of the kernel, and programs that change user with sudo see the true time.

        Raises:
            NotHere: libfaketime is not installed.
        """
        settings: dict[str, str] = {}
        if seconds:
            library = next(
                iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None
            )
            if library is None:
                raise NotHere(
                    "a clock can be skewed with libfaketime only: apt-get install libfaketime"
                )
            settings = {
                "LD_PRELOAD": str(library),
                "FAKETIME": f"{seconds:+g}s",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        self.host(host).set_environment(settings)

    def slow(self, site: str, rate: str) -> None:
        """Let a site's way to the rest carry `rate` (`1mbit`) in each direction.

        Raises:
            NotHere: the kernel has no tbf.
        """
        self._shape(site, "tbf", "rate", rate, "burst", "16kb", "latency", "400ms")

    def delay(self, site: str, milliseconds: int) -> None:
        """Let packets to and from a site take longer, by this much in each direction.

        Raises:
            NotHere: the kernel has no netem.
        """
        self._shape(site, "netem", "delay", f"{milliseconds}ms")

    def shapes(self, site: str) -> list[str]:
        """What tc says of the two ends of a site's uplinks."""
        links = [link for each in self.topology.networks_of(site) for link in uplinks(each)]
        return [self._must("tc", "qdisc", "show", "dev", link, "root").strip() for link in links]

    def possible(self) -> dict[str, bool]:
        """What depends on the machine, tried out: `tbf`, `netem`, `faketime`."""
        found = {"faketime": any(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))}
        for kind, words in (("tbf", "rate 1mbit burst 16kb latency 1s"), ("netem", "delay 1ms")):
            add = ["tc", "qdisc", "add", "dev", "lo", "root", kind, *words.split()]
            found[kind] = self._router(*add).ok
            self._router("tc", "qdisc", "del", "dev", "lo", "root")
        return found

    def _shape(self, site: str, kind: str, *words: str) -> None:
        for network in self.topology.networks_of(site):
            for link in uplinks(network):
                command = ["tc", "qdisc", "replace", "dev", link, "root", kind, *words]
                done = self._router(*command)
                if not done.ok and "kind is unknown" in done.err:
                    raise NotHere(f"this kernel has no {kind}; `possible` says what it has")
                if not done.ok:
                    raise LabBroken(f"{' '.join(command)}: {done.err.strip()}")

    def links(self, host: str) -> list[str]:
        """The links that faults of a host, and of its sites, are about."""
        plan = self.topology.host(host)
        routers = [uplinks(self.topology.network(link[0]))[1] for link in plan.links[:1]]
        return [*self._ports(host), *routers]

    def _ports(self, host: str) -> list[str]:
        return list(ports(self.topology, self.topology.host(host)))

    def _add(self, which: str, links: list[str]) -> None:
        family = _SETS[which]
        self._must("nft", "add", "element", family, "lab", which, f"{{ {', '.join(links)} }}")

    def _disk(self, host: str) -> Path:
        return self.host(host).folder.parents[1] / "disk" / "hosts" / self.topology.host(host).name

    def _router(self, *command: str) -> Done:
        inside = enter(self.keeper, "net", "mount")
        return finish(start([*inside, program(command[0]), *command[1:]], cwd="/"), 20)

    def _must(self, *command: str) -> str:
        return must([*enter(self.keeper, "net", "mount"), program(command[0]), *command[1:]])

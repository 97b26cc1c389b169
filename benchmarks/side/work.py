"""What everybody who is compared has to do: steps on hosts, in an order.

Rules:
- Plain values; each contestant translates them into its own language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Host:
    """A host as clients see it."""

    name: str
    address: str
    port: int


@dataclass(frozen=True)
class Step:
    """One command on one or more hosts."""

    id: str
    on: tuple[str, ...]
    command: str = "true"
    needs: tuple[str, ...] = ()
    #: A second command that must succeed after the first.
    verify: str = ""


@dataclass(frozen=True)
class Work:
    """Steps in an order that respects what they need."""

    hosts: Sequence[Host]
    steps: Sequence[Step]
    #: Whether what the commands print is to be kept in a file.
    keep_output: bool = False

    def lanes(self) -> list[dict[str, Any]]:
        """The same, host by host, for clients that have no graph: a thread or a task each.

        A host goes on without waiting for the others, except for steps on a single host.
        """
        single = {step.id: step.on[0] for step in self.steps if len(step.on) == 1}
        return [
            {
                "address": host.address,
                "port": host.port,
                "steps": [
                    {
                        "id": step.id,
                        "commands": [step.command, *filter(None, [step.verify])],
                        "needs": [n for n in step.needs if single.get(n, host.name) != host.name],
                    }
                    for step in self.steps
                    if host.name in step.on
                ],
            }
            for host in self.hosts
        ]


def chain(host: Host, length: int, verify: str = "") -> Work:
    """Steps one after another on one host."""
    return Work(
        [host],
        [
            Step(f"s{n}", (host.name,), needs=(f"s{n - 1}",) if n else (), verify=verify)
            for n in range(length)
        ],
    )


def fan_out(hosts: Sequence[Host], length: int) -> Work:
    """Steps one after another, each on all hosts."""
    everywhere = tuple(host.name for host in hosts)
    return Work(
        hosts,
        [Step(f"s{n}", everywhere, needs=(f"s{n - 1}",) if n else ()) for n in range(length)],
    )


def layers(hosts: Sequence[Host], depth: int, seconds: float) -> Work:
    """A graph: each layer has one step a host, which needs two of the layer before.

    No host has more than one step of a layer, and no step needs another of its layer: with any
    number of free hands the whole takes `depth * seconds`, and no less.
    """
    steps = []
    for layer in range(depth):
        for n, host in enumerate(hosts):
            needs = {f"l{layer - 1}-{(n * k) % len(hosts)}" for k in (1, 7)} if layer else set()
            steps.append(
                Step(f"l{layer}-{n}", (host.name,), f"sleep {seconds}", tuple(sorted(needs)))
            )
    return Work(hosts, steps)

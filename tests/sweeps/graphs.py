"""Random runbooks whose every execution leaves a line on the host that it ran on."""

import random
from collections import Counter
from dataclasses import dataclass, field

HEAD = """
drrun: 1
name: sweep
defaults: {chdir: "{{ host.vars.home }}"}
steps:
"""


@dataclass
class Graph:
    """A runbook, and what has to be found on each host after it has succeeded."""

    text: str
    expected: dict[str, Counter[str]] = field(default_factory=dict)


def graph(chance: random.Random, hosts: tuple[str, ...], longest: float = 0.3) -> Graph:
    """A runbook of four to nine steps.

    Args:
        chance: Decides everything.
        hosts: Where steps may run.
        longest: Seconds that a slow step takes.
    """
    made = Graph(HEAD, {host: Counter() for host in hosts})
    names: list[str] = []
    for number in range(chance.randint(4, 9)):
        name = f"s{number}"
        needs = chance.sample(names, min(len(names), chance.randint(0, 2)))
        on = list(hosts) if chance.random() < 0.3 else [chance.choice(hosts)]
        made.text += _step(chance, name, needs, on, longest)
        for host in on:
            made.expected[host][name] += 1
        names.append(name)
    return made


def _step(
    chance: random.Random, name: str, needs: list[str], on: list[str], longest: float
) -> str:
    needed = f"needs: [{', '.join(needs)}], on: [{', '.join(on)}]"
    verify = f"verify: {{run: grep -qx {name} $HOME/effects}}"
    effect = f"echo {name} >>$HOME/effects"
    match chance.choice(("quick", "slow", "talks", "late", "fails first")):
        case "slow":
            effect = f"sleep {chance.uniform(0.05, longest):.2f}; {effect}"
        case "talks":
            effect = f"seq 1 2000; {effect}; seq 1 2000 >&2"
        case "late":
            verify = f"verify: {{run: grep -qx {name} $HOME/effects, within: 5s, every: 100ms}}"
            effect = f"{effect}; sleep 0.1"
        case "fails first":
            # A first attempt that does nothing but fail; the second has the effect.
            effect = f"[ -e {name}.tried ] || {{ touch {name}.tried; exit 1; }}; {effect}"
            return (
                f'  {name}: {{run: "{effect}", retry: {{attempts: 9, delay: 50ms}}, '
                f"{needed}, {verify}}}\n"
            )
        case _:
            pass
    return f'  {name}: {{run: "{effect}", {needed}, {verify}}}\n'

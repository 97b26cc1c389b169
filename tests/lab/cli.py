"""The lab by hand: `python -m tests.lab up|down|status|enter|fault|sweep`.

Rules:
- Labs started by hand stay until `down`; commands mean the only one that is up, or `--lab ID`.
- What a person did wrong ends with a sentence and exit 2, what the machine cannot do with 1.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.lab.faults import Faults
from tests.lab.lab import Lab
from tests.lab.namespaces import LabBroken, NotHere
from tests.lab.sweep import running, sweep
from tests.lab.topology import TOPOLOGIES

#: Verb -> (what its words are, what it does).
FAULTS: dict[str, tuple[str, Callable[..., None]]] = {
    "null-route": ("SITE", Faults.null_route),
    "cut": ("HOST", Faults.cut),
    "drop": ("HOST [both|replies]", Faults.drop_silently),
    "reset": ("HOST", Faults.reset),
    "restore": ("SITE|HOST", Faults.restore),
    "reboot": ("HOST", Faults.reboot),
    "power-off": ("HOST", Faults.power_off),
    "power-on": ("HOST", Faults.power_on),
    "fill-disk": ("HOST [BYTES LEFT]", lambda f, h, left="0": f.fill_disk(h, int(left))),
    "free-disk": ("HOST", Faults.free_disk),
    "skew-clock": ("HOST SECONDS", lambda f, h, seconds: f.skew_clock(h, float(seconds))),
    "slow": ("SITE RATE", Faults.slow),
    "delay": ("SITE MILLISECONDS", lambda f, s, ms: f.delay(s, int(ms))),
    "freeze": ("HOST", Faults.freeze),
    "thaw": ("HOST", Faults.thaw),
}


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words say; gives back the exit code."""
    given = _parser().parse_args(words)
    try:
        return int(given.do(given) or 0)
    except (NotHere, LabBroken, TimeoutError) as problem:
        return complain(str(problem), 1)
    except (KeyError, ValueError, TypeError) as problem:
        return complain(f"{problem.args[0] if problem.args else problem}", 2)


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def complain(text: str, code: int) -> int:
    """Print a line where errors go; gives back `code`."""
    sys.stderr.write(f"{text}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.lab", description="A lab, by hand.")
    parser.add_argument("--lab", default="", metavar="ID", help="if several are up")
    verbs = parser.add_subparsers(required=True)
    up = verbs.add_parser("up", help="start a lab that stays")
    up.add_argument("topology", nargs="?", choices=sorted(TOPOLOGIES), default="sites")
    up.add_argument("--inventory", type=Path, metavar="FILE", help="write its hosts for drrun")
    up.set_defaults(do=_up)
    down = verbs.add_parser("down", help="end it; nothing is left")
    down.set_defaults(do=_down)
    status = verbs.add_parser("status", help="its hosts, addresses and faults")
    status.set_defaults(do=_status)
    enter = verbs.add_parser("enter", help="a shell, or a command, in a host or as operator")
    enter.add_argument("host", metavar="HOST|operator")
    enter.add_argument("--user", default="root")
    enter.add_argument("command", nargs=argparse.REMAINDER)
    enter.set_defaults(do=_enter)
    table = "\n".join(f"  {name} {words}" for name, (words, _) in FAULTS.items())
    fault = verbs.add_parser(
        "fault",
        help="break something, or mend it",
        epilog=f"faults:\n{table}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fault.add_argument("fault", choices=FAULTS, metavar="FAULT")
    fault.add_argument("words", nargs="*")
    fault.set_defaults(do=_fault)
    swept = verbs.add_parser("sweep", help="remove what killed labs have left")
    swept.set_defaults(do=_sweep)
    return parser


def _lab(given: argparse.Namespace) -> Lab:
    """The lab that is meant."""
    up = running()
    if given.lab:
        return Lab.attach(given.lab)
    if not up:
        raise LabBroken("no lab is up; start one: python -m tests.lab up")
    if len(up) > 1:
        raise ValueError(f"several labs are up ({', '.join(up)}): say which with --lab ID")
    return Lab.attach(up[0])


def _up(given: argparse.Namespace) -> None:
    lab = Lab(TOPOLOGIES[given.topology], kept=True).up()
    if given.inventory:
        lab.write_inventory(given.inventory)
    say(f"lab {lab.id} is up with {len(lab.hosts)} hosts; its key is {lab.identity}")
    say(f"next: python -m tests.lab --lab {lab.id} enter {lab.hosts[0].name}")


def _down(given: argparse.Namespace) -> None:
    lab = _lab(given)
    name = lab.id
    lab.down()
    say(f"lab {name} is gone")


def _status(given: argparse.Namespace) -> None:
    lab = _lab(given)
    lost = {name: lab.faults.now(name) for name in ("lost", "cut", "mute", "deaf")}
    say(f"lab {lab.id}, process {lab.keeper}, operator at {lab.operator.address}")
    for host in lab.hosts:
        addresses = " ".join(each for _, *both in host.plan.links for each in both if each)
        broken = [
            name for name, links in lost.items() if set(lab.faults.links(host.name)) & {*links}
        ]
        state = "up" if host.is_up else "down"
        say(f"  {host.name:<12} {state:<5} {' '.join(broken):<10} {addresses}".rstrip())


def _enter(given: argparse.Namespace) -> None:
    lab = _lab(given)
    words = given.command or ["bash", "-l"]
    if given.host == "operator":
        command = lab.operator.command(words)
        os.execvp(command[0], command)
    host = lab.host(given.host)
    command = host.command(words, given.user, {"TERM": os.environ.get("TERM", "dumb")})
    os.chdir("/")
    os.execvp(command[0], command)


def _fault(given: argparse.Namespace) -> None:
    usage, fault = FAULTS[given.fault]
    needed = [word for word in usage.split("[")[0].split() if word]
    if len(given.words) < len(needed):
        raise ValueError(f"use: fault {given.fault} {usage}")
    fault(_lab(given).faults, *given.words)


def _sweep(_given: argparse.Namespace) -> None:
    gone = sweep()
    say(f"removed: {', '.join(gone)}" if gone else "nothing was left over")

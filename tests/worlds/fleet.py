"""Many hosts from few sshds, each with its own address, home, PATH and login.

Use the fixture `enter`::

    world = enter({"db1": Lane(), "db2": Lane(login="sleep 11")})
    done = world.run(world.steps(retry="{attempts: 2, delay: 1s}"))
    assert (done.exit, world.lies()) == (0, []), done.err

Rules:
- What a host did is counted in the file `effects` beside its home, one line for each execution;
  it is on another file system where the home is a small one.
- Every host has a loopback address of its own, so that limits for each server address do not
  make them wait for one another.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.sshd import Sshd, SshdFactory

#: What sshd gives to a command where nothing else is said.
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

#: On so many addresses can one sshd listen.
_LISTENS = 16


def seconds(name: str, default: float) -> float:
    """A length that the environment may change: DRRUN_WORLDS_STALL=2 for a quick look."""
    return float(os.environ.get(f"DRRUN_WORLDS_{name}", default))


@dataclass(frozen=True)
class Lane:
    """What is special about one host."""

    #: Shell text between the login and the command that was asked for.
    login: str = ""
    #: The start-up file of the account's shell.
    bashrc: str = ""
    #: Folders in front of PATH, below the host's own folder.
    path: Sequence[str] = ()

    def match(self, host: Sshd) -> str:
        """Its part of sshd_config."""
        path = ":".join((*(str(host.folder / each) for each in self.path), PATH))
        lines = [
            f"Match LocalAddress {host.address}",
            f"  SetEnv HOME={host.home} PATH={path}",
        ]
        if self.login:
            lines.append(f'  ForceCommand {self.login}; eval "$SSH_ORIGINAL_COMMAND"')
        return "\n".join([*lines, ""])


@dataclass
class Fleet:
    """Hosts by name, and the servers behind them."""

    hosts: dict[str, Sshd] = field(default_factory=dict)
    servers: list[Sshd] = field(default_factory=list)

    def __getitem__(self, name: str) -> Sshd:
        return self.hosts[name]

    @property
    def server(self) -> Sshd:
        """The server behind all of them, where there is but one."""
        [server] = self.servers
        return server

    def effects(self, name: str) -> Path:
        """The file that counts what was executed on a host."""
        return self.hosts[name].folder / "effects"

    def start(self) -> None:
        """Start all servers."""
        for each in self.servers:
            each.start()


def fleet(
    factory: SshdFactory, lanes: Mapping[str, Lane], *lines: str, addresses: Sequence[str] = ()
) -> Fleet:
    """Make the hosts; nothing is started yet."""
    assert len(lanes) < 255
    addresses = addresses or [f"127.0.1.{number}" for number in range(1, len(lanes) + 1)]
    made, names = Fleet(), list(lanes)
    for first in range(0, len(names), _LISTENS):
        here, there = names[first : first + _LISTENS], addresses[first : first + _LISTENS]
        _serve(made, factory, {name: lanes[name] for name in here}, lines, there)
    return made


def _serve(
    made: Fleet,
    factory: SshdFactory,
    lanes: Mapping[str, Lane],
    lines: Sequence[str],
    addresses: Sequence[str],
) -> None:
    """Add one server, and the hosts behind it."""
    others = (f"ListenAddress {each}" for each in addresses[1:])
    server = factory.make("MaxStartups 1000", *lines, *others, address=addresses[0])
    made.servers.append(server)
    text = ""
    for (name, lane), address in zip(lanes.items(), addresses, strict=True):
        host = replace(server, address=address, folder=server.folder / name)
        host.home.mkdir(parents=True)
        if lane.bashrc:
            (host.home / ".bashrc").write_text(lane.bashrc, "utf-8")
        made.hosts[name] = host
        text += lane.match(host)
    with server.config.open("a", encoding="utf-8") as config:
        config.write(text)


def boxed(script: str, *options: str) -> tuple[str, ...]:
    """What starts a server in a mount namespace of its own, where `script` was executed before."""
    text = f'set -e; {script}\nexec "$@"'
    return ("unshare", "--mount", *options, "--", "sh", "-c", text, "sh")


def tmpfs(where: Path, options: str) -> str:
    """A line for `boxed`: an empty file system over a folder."""
    return f"mount -t tmpfs -o {options} none {shlex.quote(str(where))}; "

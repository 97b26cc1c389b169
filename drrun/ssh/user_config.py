"""The user's SSH configuration, as OpenSSH itself reads it: `ssh -G NAME`, once for each name.

Rules:
- Include, Match and tokens are OpenSSH's business; paramiko gets them wrong (LIBRARIES A).
- The inventory wins over what stands here; the callers see to that.
- Names are checked before they reach a command line: CVE-2023-51385 was a host name that held
  shell metacharacters, and a name that begins with `-` is an option.
"""

import getpass
import re
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from drrun.core.dataclass import dataclass
from drrun.ssh.options import SshOptions

#: Seconds that `ssh -G` may take; `Match exec` may run a command.
_DEADLINE = 10.0
_NAME = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,254}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\+-]{0,254}\$?")
_JUMP = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?P<name>\[[^]]+\]|[^:@\[\]]+)(?::(?P<port>\d+))?"
)


class BadConfig(Exception):
    """The SSH configuration, or a name in it, cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Jump:
    """One host of a ProxyJump."""

    name: str
    user: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """What OpenSSH would do for a name."""

    address: str
    user: str
    port: int = 22
    identities: tuple[Path, ...] = ()
    #: Keys of the agent are wanted only where they match an identity file.
    identities_only: bool = False
    agent: bool = True
    #: Hosts to pass through, nearest first.
    jumps: tuple[Jump, ...] = ()
    proxy_command: str = ""
    known_hosts: tuple[Path, ...] = ()
    host_key_alias: str = ""


def proper_name(name: str) -> str:
    """Give back a host name or address that is safe to use.

    Raises:
        BadConfig: It holds characters that no host name has.
    """
    if not _NAME.fullmatch(name):
        raise BadConfig(f"{name!r} is no host name or address; correct it in the inventory")
    return name


def proper_user(user: str) -> str:
    """Give back a user name that is safe to use.

    Raises:
        BadConfig: It holds characters that no user name has.
    """
    if not _USER.fullmatch(user):
        raise BadConfig(f"{user!r} is no user name; correct `user` in the inventory")
    return user


class UserConfig:
    """Answers of `ssh -G`, kept for the life of the process."""

    def __init__(self, options: SshOptions) -> None:
        self._options = options
        self._known: dict[str, Configured] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Configured:
        """What OpenSSH would do for `name`.

        Raises:
            BadConfig: The name or the configuration is wrong.
        """
        with self._lock:
            if name not in self._known:
                self._known[name] = _read(self._ask(proper_name(name)), name)
            return self._known[name]

    def _ask(self, name: str) -> Mapping[str, list[str]]:
        file = self._options.config
        choice = ["-F", str(file)] if file else []
        command = [self._options.client, "-G", *choice, "--", name]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_DEADLINE,
                check=False,
            )
        except FileNotFoundError:
            if file:
                raise BadConfig(
                    f"{file} can only be read by OpenSSH's client, and there is no "
                    f"{self._options.client!r} here: install it, or put all into the inventory"
                ) from None
            return _without_client()
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BadConfig(f"`{' '.join(command)}` gave no answer: {error}") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise BadConfig(f"OpenSSH cannot read the SSH configuration for {name}: {said}")
        return _values(done.stdout.decode("utf-8", "replace"))


def _values(text: str) -> Mapping[str, list[str]]:
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        values.setdefault(key, []).append(value)
    return values


def _without_client() -> Mapping[str, list[str]]:
    """OpenSSH's defaults, for a machine without its client."""
    keys = [f"~/.ssh/id_{kind}" for kind in ("ed25519", "ecdsa", "rsa")]
    files = ["~/.ssh/known_hosts ~/.ssh/known_hosts2"]
    system = ["/etc/ssh/ssh_known_hosts"]
    return {"identityfile": keys, "userknownhostsfile": files, "globalknownhostsfile": system}


def _read(values: Mapping[str, list[str]], name: str) -> Configured:
    def one(key: str, default: str = "") -> str:
        value = values.get(key, [default])[0]
        return "" if value == "none" else value

    known = [*one("userknownhostsfile").split(), *one("globalknownhostsfile").split()]
    return Configured(
        address=proper_name(one("hostname", name)),
        user=one("user") or getpass.getuser(),
        port=int(one("port", "22")),
        identities=tuple(_path(each) for each in values.get("identityfile", ()) if each != "none"),
        identities_only=one("identitiesonly") == "yes",
        agent=values.get("identityagent", [""])[0] != "none",
        jumps=tuple(_jump(each) for each in one("proxyjump").split(",") if each),
        proxy_command=one("proxycommand"),
        known_hosts=tuple(_path(each) for each in known if each != "none"),
        host_key_alias=one("hostkeyalias"),
    )


def _path(text: str) -> Path:
    """A file as OpenSSH names it; of its tokens only the home folder is of use here."""
    return Path(text.replace("%d", "~").strip('"')).expanduser()


def _jump(text: str) -> Jump:
    match = _JUMP.fullmatch(text.strip())
    if not match:
        raise BadConfig(f"ProxyJump {text!r} of the SSH configuration cannot be read")
    name = proper_name(match["name"].strip("[]"))
    user = proper_user(match["user"]) if match["user"] else None
    return Jump(name, user, int(match["port"]) if match["port"] else None)

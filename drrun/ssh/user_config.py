"""The user's SSH configuration, as OpenSSH itself reads it: `ssh -G NAME`, once for each name.

Rules:
- Include, Match and tokens are OpenSSH's business; paramiko gets them wrong (fact L18).
- The inventory wins over what stands here; the callers see to that.
- What is said of every host is asked first, of a name that nobody has. It is the answer for all
  names where no file that OpenSSH read uses a keyword that matters here, and none is asked then.
- A host whose address stands in the inventory is asked for by its name and by that address. What
  is said of the name wins, then what is said of the address. Said is what differs from what is
  said of every host. Identity files of both are tried.
- Names are checked before they reach a command line: CVE-2023-51385 was a host name that held
  shell metacharacters, and a name that begins with `-` is an option.
"""

import asyncio
import functools
import getpass
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from drrun.core.dataclass import dataclass
from drrun.engine.environment import for_helpers
from drrun.ssh.loop import in_thread
from drrun.ssh.options import SshOptions

Values = Mapping[str, list[str]]

#: What is said of it is said of every host (RFC 2606: no host is called so).
_NOBODY = "drrun.invalid"
#: How many clients may run at once.
_AT_ONCE = 8
#: Seconds that `ssh -G` may take; `Match exec` may run a command.
_DEADLINE = 10.0
#: Keywords whose values are read here, and those that decide for which hosts others hold.
_KEYWORDS = frozenset(
    {
        "hostname",
        "user",
        "port",
        "identityfile",
        "identitiesonly",
        "identityagent",
        "proxyjump",
        "proxycommand",
        "userknownhostsfile",
        "globalknownhostsfile",
        "hostkeyalias",
        "match",
        "canonicalizehostname",
    }
)
_KEYWORD = re.compile(r'\s*"?([A-Za-z]+)')
#: How OpenSSH tells each file that it reads when it is asked to talk.
_FILE_READ = re.compile(r"debug1: Reading configuration data (.+?)\r?$", re.MULTILINE)
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
        raise BadConfig(f"{name!r} is not a host name or address; correct it in the inventory")
    return name


def proper_user(user: str) -> str:
    """Give back a user name that is safe to use.

    Raises:
        BadConfig: It holds characters that no user name has.
    """
    if not _USER.fullmatch(user):
        raise BadConfig(f"{user!r} is not a user name; correct `user` in the inventory")
    return user


class UserConfig:
    """Answers of `ssh -G`, kept for the life of the process. Belongs to one loop."""

    def __init__(self, options: SshOptions) -> None:
        self._options = options
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._asked: dict[str, asyncio.Task[Values]] = {}
        self._general: asyncio.Task[tuple[Values, bool]] | None = None

    async def of(self, name: str, address: str = "") -> Configured:
        """What OpenSSH would do for `name`.

        Args:
            name: What people call it.
            address: Where the inventory says it is; "" if it does not.

        Raises:
            BadConfig: A name or the configuration is wrong.
        """
        names = [proper_name(name)]
        if address and address != name:
            names.append(proper_name(address))
        if self._general is None:
            self._general = asyncio.create_task(self._of_every_host())
        every, decides = await asyncio.shield(self._general)
        if decides:
            return _read({**every, "hostname": [name]}, name)
        answers = await asyncio.gather(*(self._answer(each) for each in names))
        return _read(_merged(every, *answers), name)

    def without(self, name: str) -> Configured:
        """What holds where the configuration is not asked at all: OpenSSH's defaults."""
        return _read(_without_client(), proper_name(name))

    async def _of_every_host(self) -> tuple[Values, bool]:
        """What is said of every host, and whether nothing is said of any one."""
        values, files = await in_thread(lambda: self._ask(_NOBODY, "-v"))
        return values, files is not None and not any(_matters(file) for file in files)

    async def _answer(self, name: str) -> Values:
        if name not in self._asked:
            self._asked[name] = asyncio.create_task(self._asked_for(name))
        return await asyncio.shield(self._asked[name])

    async def _asked_for(self, name: str) -> Values:
        async with self._turns:
            values, _ = await in_thread(lambda: self._ask(name))
            return values

    def _ask(self, name: str, *options: str) -> tuple[Values, list[Path] | None]:
        """What the client answers, and the files that it says it read; None if it does not say."""
        file = self._options.config
        choice = ["-F", str(file)] if file else []
        command = [self._options.client, *options, "-G", *choice, "--", name]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=for_helpers(),
                timeout=_DEADLINE,
                check=False,
            )
        except FileNotFoundError:
            if file:
                raise BadConfig(
                    f"{file} can only be read by OpenSSH's client, and there is no "
                    f"{self._options.client!r} here: install it, or put all into the inventory"
                ) from None
            return _without_client(), []
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BadConfig(f"`{' '.join(command)}` gave no answer: {error}") from None
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode != 0:
            why = " ".join(line for line in said.splitlines() if not line.startswith("debug"))
            raise BadConfig(f"OpenSSH cannot read the SSH configuration: {why}")
        files = [Path(name) for name in _FILE_READ.findall(said)]
        return _values(done.stdout.decode("utf-8", "replace")), files or None


def _matters(file: Path) -> bool:
    """Whether a file says anything that is read here, or might."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return True
    words = (_KEYWORD.match(line) for line in lines)
    return any(word[1].lower() in _KEYWORDS for word in words if word)


def _merged(every: Values, name: Values, address: Values | None = None) -> Values:
    """What is said of a name, then of its address, then of every host."""
    if address is None:
        return name
    merged = {}
    for key in {*name, *address}:
        said = [
            each[key] for each in (name, address) if key in each and each[key] != every.get(key)
        ]
        if key == "identityfile" and said:
            merged[key] = list(dict.fromkeys(file for files in said for file in files))
        else:
            merged[key] = (said or [name.get(key, [])])[0]
    return {**merged, "hostname": name.get("hostname", [])}


def _values(text: str) -> Values:
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        values.setdefault(key, []).append(value)
    return values


def _without_client() -> Values:
    """OpenSSH's defaults, for a machine without its client."""
    keys = [f"~/.ssh/id_{kind}" for kind in ("ed25519", "ecdsa", "rsa")]
    files = ["~/.ssh/known_hosts ~/.ssh/known_hosts2"]
    system = ["/etc/ssh/ssh_known_hosts"]
    return {"identityfile": keys, "userknownhostsfile": files, "globalknownhostsfile": system}


def _read(values: Values, name: str) -> Configured:
    def one(key: str, default: str = "") -> str:
        value = next(iter(values.get(key, ())), default)
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


@functools.cache
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

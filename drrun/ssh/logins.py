"""Which keys are tried at a login: those that were named, one by one, never a guess.

Rules:
- With an `identity` in the inventory that key alone is tried. Else the agent's keys, then the
  identity files of the SSH configuration: a server cuts off after a few (MaxAuthTries), and some
  lock out (fault F29).
- The agent is asked only where one of its keys may be needed: not for a key file that can be read.
- A key file is read once, for all hosts, and again when it, or a certificate beside it, changed.
- An encrypted key is usable through an agent only; nobody is there to type a passphrase.
- Passwords are never used.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late

from drrun.core.dataclass import dataclass
from drrun.core.model.inventory import Host
from drrun.ssh.faults import LoginError
from drrun.ssh.known_hosts import PublicKey
from drrun.ssh.user_config import Configured

#: When a key file and what paramiko reads beside it were changed, and how long they are.
_Stamp = tuple[tuple[int, int] | None, ...]


class KeyFiles:
    """Private keys that were read from files. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[_Stamp, paramiko.PKey]] = {}

    def key(self, file: Path) -> paramiko.PKey:
        """The key in a file.

        Raises:
            Exception: What `paramiko.PKey.from_path` raises.
        """
        stamp = tuple(_stamp(Path(f"{file}{end}")) for end in ("", "-cert.pub"))
        with self._lock:
            known = self._read.get(file)
            if known is None or known[0] != stamp:
                known = self._read[file] = (stamp, paramiko.PKey.from_path(file))
            return known[1]


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@dataclass(frozen=True, slots=True)
class Login:
    """Logs in over a transport whose host key was accepted. An `auth_strategy` of paramiko."""

    user: str
    #: From the inventory; None: as configured.
    identity: Path | None
    configured: Configured
    keys: KeyFiles
    agent: bool

    @classmethod
    def of(
        cls, host: Host, user: str, configured: Configured, keys: KeyFiles, *, agent: bool
    ) -> "Login":
        """How to log in to `host` as `user`."""
        identity = Path(host.identity).expanduser() if host.identity else None
        return cls(user, identity, configured, keys, agent and configured.agent)

    def authenticate(self, transport: paramiko.Transport) -> None:
        """Try the keys in turn.

        Raises:
            LoginError: None was accepted.
        """
        agent = _Agent() if self.agent else None
        tried: list[str] = []
        try:
            for label, key in self._keys(agent, tried):
                if self._accepted(transport, key):
                    return
                tried.append(label)
                if not transport.is_active():
                    raise LoginError(
                        f"the server ended the login of {self.user} after {_list(tried)}; name "
                        "the right key as `identity` in the inventory"
                    )
        finally:
            if agent is not None:
                agent.close()
        raise LoginError(
            f"login as {self.user} was refused; tried {_list(tried)}. Set `user` and `identity` "
            "in the inventory, or put the key's public half into authorized_keys there"
        )

    def _accepted(self, transport: paramiko.Transport, key: paramiko.PKey) -> bool:
        try:
            more = transport.auth_publickey(self.user, key)
        except paramiko.BadAuthenticationType as error:
            raise LoginError(
                f"the server takes no keys for {self.user}, only {', '.join(error.allowed_types)}"
            ) from None
        except paramiko.AuthenticationException:
            return False
        if more:
            raise LoginError(
                f"the server requires more than a key of {self.user}: {', '.join(more)}"
            )
        return True

    def _keys(
        self, agent: "_Agent | None", tried: list[str]
    ) -> Iterator[tuple[str, paramiko.PKey]]:
        if agent and self.identity is None and not self.configured.identities_only:
            for key in agent.held():
                yield f"agent key {key.comment or key.get_name()}", key
        for file in self.identities:
            try:
                yield str(file), self.keys.key(file)
            except (FileNotFoundError, IsADirectoryError):
                if self.identity:
                    raise LoginError(f"there is no key file {file}; correct `identity`") from None
            except (paramiko.PasswordRequiredException, TypeError):
                yield from self._by_agent(file, agent, tried)
            except (OSError, ValueError, paramiko.SSHException) as error:
                if self.identity:
                    raise LoginError(f"the key file {file} cannot be read: {error}") from None
                tried.append(f"{file} (unreadable)")

    def _by_agent(
        self, file: Path, agent: "_Agent | None", tried: list[str]
    ) -> Iterator[tuple[str, paramiko.PKey]]:
        """An encrypted key, if the agent holds it; without its public half that is not known."""
        try:
            public = PublicKey.parse(file.with_name(file.name + ".pub").read_text("utf-8")).blob
        except (OSError, ValueError):
            public = b""
        for key in agent.held() if agent else ():
            if key.asbytes() == public:
                yield f"{file} (by the agent)", key
                return
        if self.identity:
            raise LoginError(
                f"the key {file} is encrypted and no agent holds it: run `ssh-add {file}`"
            )
        tried.append(f"{file} (encrypted, not in an agent)")

    @property
    def identities(self) -> tuple[Path, ...]:
        """Key files to try."""
        return (self.identity,) if self.identity else self.configured.identities


class _Agent:
    """The agent, asked for its keys when they are needed."""

    def __init__(self) -> None:
        self._agent: paramiko.Agent | None = None

    def held(self) -> tuple[paramiko.AgentKey, ...]:
        """What it holds."""
        if self._agent is None:
            self._agent = paramiko.Agent()
        return self._agent.get_keys()

    def close(self) -> None:
        """Leave it."""
        if self._agent is not None:
            self._agent.close()


def _list(tried: list[str]) -> str:
    return ", ".join(tried) or "no key, because there is none"

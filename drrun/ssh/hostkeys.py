"""Whether a host is who it says it is: a pinned key, else known_hosts. Contract guarantee 10.

Rules:
- An unknown, changed or revoked key is refused before anything about the user is sent.
- Only the explicit option `record_new_keys` takes an unknown key on first use, and records it.
- A host is asked for a key of a type that it is known by; another type is no way around a check.
- The message shows both fingerprints and the very line that would make the key known.
"""

import os
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import assert_never

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late

from drrun.core.dataclass import dataclass
from drrun.core.model.inventory import Host
from drrun.ssh.faults import HostIdentityError, Way
from drrun.ssh.known_hosts import HostKeyVerdict, KeyStanding, KnownFiles, KnownHosts, PublicKey
from drrun.ssh.options import SshOptions
from drrun.ssh.user_config import BadConfig, Configured

#: What a server signs with for a key of this type.
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}


@dataclass(slots=True)
class Identity(paramiko.MissingHostKeyPolicy):
    """What is known of one host, and the judgement of the key that it offers."""

    way: Way
    #: From the inventory; these alone decide where there are any.
    pinned: tuple[PublicKey, ...]
    known: KnownHosts
    #: Names under which known_hosts may speak of it; the first that it speaks of decides.
    names: tuple[str, ...]
    record: Path | None = None
    #: Fingerprint of the key that was accepted.
    accepted: str = field(default="", init=False)

    @classmethod
    def of(
        cls,
        host: Host,
        configured: Configured,
        way: Way,
        options: SshOptions,
        known: KnownFiles,
    ) -> "Identity":
        """Gather what is known of `host`.

        Raises:
            BadConfig: The inventory's `host_key` is no key.
        """
        files = [*configured.known_hosts]
        if options.record_new_keys:
            files.append(options.record_new_keys)
        names = (configured.host_key_alias,) if configured.host_key_alias else ()
        return cls(
            way,
            _pinned(host),
            known.of(files),
            (*names, way.address, host.name),
            options.record_new_keys,
        )

    def wanted(self, offered: Sequence[str]) -> list[str]:
        """Algorithms to ask for, those of known keys first."""
        keys = self.pinned or [
            line.key for line in self.known.about(self.names, self.way.port) if not line.marker
        ]
        types = [key.type for key in keys]
        first = [name for kind in types for name in _SIGNATURES.get(kind, (kind,))]
        kept = [name for name in dict.fromkeys(first) if name in offered]
        return [*kept, *(name for name in offered if name not in kept)]

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """Judge; paramiko asks here for every host, because it is given no known hosts itself.

        Raises:
            HostIdentityError: The key is not accepted.
        """
        del client, hostname
        offered = PublicKey(key.get_name(), key.asbytes())
        verdict = self._judge(offered)
        match verdict.standing:
            case KeyStanding.KNOWN:
                pass
            case KeyStanding.UNKNOWN if self.record:
                self._record(self.record, offered)
            case (
                KeyStanding.UNKNOWN
                | KeyStanding.CHANGED
                | KeyStanding.REVOKED
                | KeyStanding.AUTHORITY
            ):
                raise HostIdentityError(self._message(verdict, offered))
            case _:
                assert_never(verdict.standing)
        self.accepted = offered.fingerprint

    def _judge(self, offered: PublicKey) -> HostKeyVerdict:
        if not self.pinned:
            return self.known.verdict(self.names, self.way.port, offered)
        if revoked := self.known.revoked(self.names, self.way.port, offered):
            return HostKeyVerdict(KeyStanding.REVOKED, revoked)
        return HostKeyVerdict(KeyStanding.KNOWN if offered in self.pinned else KeyStanding.CHANGED)

    def _message(self, verdict: HostKeyVerdict, offered: PublicKey) -> str:
        way, line = self.way, f'host_key: "{offered}"'
        shown = f"it offered {offered.type} {offered.fingerprint}"
        places = ", ".join(each.place for each in verdict.lines)
        known = "; ".join(
            f"{key.type} {key.fingerprint} ({at})" for key, at in self._expected(verdict)
        )
        match verdict.standing:
            case KeyStanding.REVOKED:
                return f"the key of {way} is revoked ({places}): {shown}. Nothing was sent."
            case KeyStanding.CHANGED:
                return (
                    f"the key of {way} has CHANGED: {shown}, known is {known}. Nothing was sent. "
                    "If the host was rebuilt, compare with a fingerprint read at its console, "
                    f"then put this into the inventory under {way.host}: {line}"
                )
            case KeyStanding.AUTHORITY:
                return (
                    f"{way} is known only by a certificate authority ({places}), and host "
                    f"certificates are not supported: {shown}. Nothing was sent. Compare it, then "
                    f"put this into the inventory under {way.host}: {line}"
                )
            case KeyStanding.UNKNOWN | KeyStanding.KNOWN:
                return (
                    f"the key of {way} is unknown: {shown}. Nothing was sent. Compare with a "
                    "fingerprint read elsewhere, then put this into the inventory under "
                    f"{way.host}: {line}"
                )

    def _expected(self, verdict: HostKeyVerdict) -> list[tuple[PublicKey, str]]:
        if self.pinned:
            return [(key, "inventory") for key in self.pinned]
        return [(line.key, line.place) for line in verdict.lines]

    def _record(self, file: Path, offered: PublicKey) -> None:
        # No address that is a secret stands in a file that others may read.
        name = (self.way.host if self.way.hidden else self.way.address).lower()
        if self.way.port != 22:
            name = f"[{name}]:{self.way.port}"
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # One write of one line at the end: other processes may record at the same time.
        number = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(number, f"{name} {offered}\n".encode())
        finally:
            os.close(number)


def _pinned(host: Host) -> tuple[PublicKey, ...]:
    try:
        return tuple(
            PublicKey.parse(line) for line in (host.host_key or "").splitlines() if line.strip()
        )
    except ValueError as error:
        raise BadConfig(f"host_key of {host.name} in the inventory: {error}") from None

"""Our own reader of known_hosts: hashed, wildcard, negated, `@cert-authority`, `@revoked`.

Rules:
- The user's file is never handed to paramiko: one line it does not understand makes it reject the
  whole file, and it matches no wildcards (fact L2, fault F32).
- A line that cannot be read is passed over with a remark, and never makes a host known.
- A revoked key is refused whatever else is said about it.
- Files are read once for all hosts, and again when they changed. Where a key is given, lines are
  compared by the key first: a hashed name costs a digest.
- The format is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
"""

import base64
import binascii
import functools
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from enum import Enum
from pathlib import Path

from drrun.core.dataclass import dataclass


class KeyStanding(Enum):
    """What the files say about a key that a host offered."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    #: The host is known by other keys.
    CHANGED = "changed"
    REVOKED = "revoked"
    #: Only a certificate of an authority would make the host known.
    AUTHORITY = "authority"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: its type and its bytes."""

    type: str
    blob: bytes

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """Read `ssh-ed25519 AAAA… comment`.

        Raises:
            ValueError: The text is no public key.
        """
        kind, _, rest = text.strip().partition(" ")
        try:
            blob = base64.b64decode(rest.split()[0], validate=True)
        except (IndexError, binascii.Error):
            raise ValueError(f"{text!r} is not a public key: write `ssh-ed25519 AAAA…`") from None
        if not blob.startswith(len(kind).to_bytes(4, "big") + kind.encode()):
            raise ValueError(f"the public key {text[:40]!r}… is not of the type it names")
        return cls(kind, blob)

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as ssh-keygen prints it."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.type} {base64.b64encode(self.blob).decode()}"


@dataclass(frozen=True, slots=True)
class KnownHostsLine:
    """One usable line of a file."""

    patterns: tuple[str, ...]
    key: PublicKey
    #: "", `@cert-authority` or `@revoked`.
    marker: str = ""
    #: `file:line`.
    place: str = ""

    def speaks_of(self, name: str) -> bool:
        """Whether it is about `name`: a host, or `[host]:port`."""
        found = False
        for pattern in self.patterns:
            if _match(pattern.removeprefix("!"), name):
                if pattern.startswith("!"):
                    return False
                found = True
        return found


@dataclass(frozen=True, slots=True)
class HostKeyVerdict:
    """What is known about an offered key, and the lines that say so."""

    standing: KeyStanding
    lines: tuple[KnownHostsLine, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """The lines of all files, in order."""

    lines: tuple[KnownHostsLine, ...] = ()
    #: Lines that were passed over: `file:line: why`.
    remarks: tuple[str, ...] = field(default=(), compare=False)
    #: Lines by the name that they were asked for.
    _spoken: dict[str, tuple[KnownHostsLine, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @classmethod
    def read(cls, paths: Iterable[Path]) -> "KnownHosts":
        """Read files; one that is not there says nothing, one that is closed is remarked."""
        lines: list[KnownHostsLine] = []
        remarks: list[str] = []
        for path in paths:
            try:
                text = path.read_text("utf-8", "replace")
            except FileNotFoundError:
                continue
            except OSError as error:
                remarks.append(f"{path}: {error.strerror}")
                continue
            for found in parse(text, str(path)):
                if isinstance(found, KnownHostsLine):
                    lines.append(found)
                else:
                    remarks.append(found)
        return cls(tuple(lines), tuple(remarks))

    def about(self, names: Sequence[str], port: int) -> tuple[KnownHostsLine, ...]:
        """Lines about a host; the first of its names that any line speaks of decides.

        Lines that only revoke do not make a name one that is spoken of.
        """
        for name in names:
            spoken = self._of(_listed(name, port))
            if any(line.marker != "@revoked" for line in spoken):
                return spoken
        return ()

    def verdict(self, names: Sequence[str], port: int, key: PublicKey) -> HostKeyVerdict:
        """What is known about `key`, offered by a host of these names."""
        if revoked := self.revoked(names, port, key):
            return HostKeyVerdict(KeyStanding.REVOKED, revoked)
        about = self.about(names, port)
        plain = tuple(line for line in about if not line.marker)
        same = tuple(line for line in plain if line.key == key)
        if plain:
            return HostKeyVerdict(
                KeyStanding.KNOWN if same else KeyStanding.CHANGED, same or plain
            )
        if about:
            return HostKeyVerdict(KeyStanding.AUTHORITY, about)
        portless = self._portless(names, key) if port != 22 else ()
        return HostKeyVerdict(KeyStanding.KNOWN if portless else KeyStanding.UNKNOWN, portless)

    def revoked(
        self, names: Sequence[str], port: int, key: PublicKey
    ) -> tuple[KnownHostsLine, ...]:
        """Lines that revoke `key` for a host of these names."""
        called = [*(_listed(name, port) for name in names), *names]
        lines = (line for line in self.lines if line.marker == "@revoked" and line.key == key)
        return tuple(line for line in lines if any(line.speaks_of(name) for name in called))

    def _portless(self, names: Sequence[str], key: PublicKey) -> tuple[KnownHostsLine, ...]:
        """As OpenSSH does: a host unknown on its port may have the key known for its name."""
        lines = (line for line in self.lines if not line.marker and line.key == key)
        return tuple(line for line in lines if any(line.speaks_of(name) for name in names))

    def _of(self, name: str) -> tuple[KnownHostsLine, ...]:
        if name not in self._spoken:
            self._spoken[name] = tuple(line for line in self.lines if line.speaks_of(name))
        return self._spoken[name]


class KnownFiles:
    """Keeps what was read of files until one of them changes."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, ...], tuple[tuple[object, ...], KnownHosts]] = {}

    def of(self, paths: Sequence[Path]) -> KnownHosts:
        """What the files say."""
        files, stamp = tuple(paths), tuple(_stamp(path) for path in paths)
        known = self._read.get(files)
        if known is None or known[0] != stamp:
            known = self._read[files] = (stamp, KnownHosts.read(files))
        return known[1]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def parse(text: str, file: str) -> Iterator[KnownHostsLine | str]:
    """The lines of a file; a text is a remark on one that was passed over."""
    for number, written in enumerate(text.splitlines(), 1):
        words = written.split(None, 3)
        if not words or words[0].startswith("#"):
            continue
        place = f"{file}:{number}"
        marker = ""
        if words[0].startswith("@"):
            marker, *words = written.split(None, 4)
        if marker not in {"", "@cert-authority", "@revoked"} or len(words) < 3:
            yield f"{place}: not a line of known_hosts; passed over"
            continue
        try:
            key = PublicKey.parse(f"{words[1]} {words[2]}")
        except ValueError as error:
            yield f"{place}: {error}; passed over"
            continue
        yield KnownHostsLine(tuple(words[0].split(",")), key, marker, place)


def _listed(name: str, port: int) -> str:
    """How known_hosts names a host on a port."""
    return name.lower() if port == 22 else f"[{name.lower()}]:{port}"


def _match(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        return _match_hashed(pattern, name)
    if "*" in pattern or "?" in pattern:
        return _wild(pattern.lower()).fullmatch(name.lower()) is not None
    return pattern.lower() == name.lower()


@functools.cache
def _wild(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))


def _match_hashed(pattern: str, name: str) -> bool:
    try:
        salt, wanted = _salted(pattern)
    except ValueError:
        return False
    # The format fixes SHA-1; it hides names, it does not vouch for keys.
    return hmac.compare_digest(hmac.digest(salt, name.lower().encode(), "sha1"), wanted)


@functools.cache
def _salted(pattern: str) -> tuple[bytes, bytes]:
    _, _, salt, wanted = pattern.split("|")
    return base64.b64decode(salt), base64.b64decode(wanted)

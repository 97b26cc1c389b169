"""A network namespace for drrun, with one wire to the servers here that can be cut silently.

Use the fixture `wire`::

    def test_something(wire, sshd_factory):
        server = sshd_factory.start(address=wire.far)
        program = Program(folder, prefix=wire.prefix)   # drrun runs behind the wire
        with wire.cut():        # or wire.cut(replies_only=True)
            ...

Rules:
- Packets are dropped, not refused: nobody is told (method M3).
- Without root there are no namespaces. Then the test is skipped, but never in CI.
"""

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

_BOTH = "add chain inet cut out { type filter hook output priority 0 ; policy drop ; }"
_REPLIES = "add chain inet cut in { type filter hook input priority 0 ; policy drop ; }"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass(frozen=True)
class Wire:
    """Two ends of a wire; drrun is at the near one."""

    namespace: str
    far: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """Starts a program at the near end."""
        return ("ip", "netns", "exec", self.namespace)

    @contextmanager
    def cut(self, *, replies_only: bool = False, reset: bool = False) -> Iterator[None]:
        """Drop everything, or only what comes back; or let both ends be told that it is over."""
        if reset:
            self.reset()
        else:
            self.drop(replies_only=replies_only)
        try:
            yield
        finally:
            self.heal()

    def drop(self, *, replies_only: bool = False) -> None:
        """Begin to drop."""
        self._nft("add table inet cut")
        self._nft(_REPLIES)
        if not replies_only:
            self._nft(_BOTH)

    def reset(self) -> None:
        """Begin to answer every packet with a TCP reset."""
        self._nft("add table inet cut")
        for hook in ("input", "output"):
            chain = "{ type filter hook %s priority 0 ; }"
            self._nft(f"add chain inet cut {hook} {chain % hook}")
            self._nft(f"add rule inet cut {hook} tcp flags & rst == rst accept")
            self._nft(f"add rule inet cut {hook} meta l4proto tcp reject with tcp reset")

    def heal(self) -> None:
        """Drop and refuse nothing any more."""
        self._nft("delete table inet cut")

    def _nft(self, rule: str) -> None:
        subprocess.run([*self.prefix, "nft", rule], check=True, capture_output=True)


@contextmanager
def wires() -> Iterator[Wire]:
    """A wire of its own, gone at the end. Needs root."""
    name = f"dr{uuid.uuid4().hex[:8]}"
    number = int.from_bytes(os.urandom(4))
    net = f"10.{200 + number % 50}.{number // 50 % 250}"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b")
        _ip("link", "set", f"{name}b", "netns", name)
        _ip("addr", "add", f"{net}.1/24", "dev", f"{name}a")
        _ip("link", "set", f"{name}a", "up")
        _ip("-n", name, "addr", "add", f"{net}.2/24", "dev", f"{name}b")
        _ip("-n", name, "link", "set", f"{name}b", "up")
        _ip("-n", name, "link", "set", "lo", "up")
        yield Wire(name, f"{net}.1")
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", f"{name}a"], check=False, capture_output=True)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A wire of its own."""
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("network namespaces need root")
        pytest.skip("network namespaces need root")
    with wires() as made:
        yield made

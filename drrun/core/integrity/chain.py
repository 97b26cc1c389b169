"""The hash chain: every entry of a journal vouches for all entries before it.

Rules:
- The text that is hashed is canonical: sorted keys, no spaces, ASCII only (which is UTF-8, and
  lets a lone surrogate from an odd byte pass), numbers as Python prints them, no NaN.
- `hash = SHA-256(previous hash, newline, canonical entry without its hash)`, in hex. The hash
  before the first entry is the run's `genesis`: the run's unchanging facts and its documents.
- A chain finds what was altered, taken out or put in between (`drrun.core.integrity.flaws`). It
  cannot find a tail that was cut together with the head kept beside it, nor a chain that was
  rewritten as a whole: for that the head hash is printed and kept elsewhere (rule T5).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from drrun.core.dataclass import dataclass

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


class ChainLink(Protocol):
    """An entry as the chain sees it; `drrun.ports.journal.Entry` is one."""

    @property
    def run(self) -> str:
        """Id of the run."""
        ...

    @property
    def seq(self) -> int:
        """Counts from 1 without a gap."""
        ...

    @property
    def at(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    @property
    def actor(self) -> str:
        """Who."""
        ...

    @property
    def epoch(self) -> int:
        """Fencing token of the writer."""
        ...

    @property
    def kind(self) -> str:
        """What happened."""
        ...

    @property
    def version(self) -> int:
        """Of the body's form."""
        ...

    @property
    def body(self) -> Mapping[str, Any]:
        """Plain JSON values."""
        ...

    @property
    def hash(self) -> str:
        """As stored."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends. `seq` 0 is the genesis."""

    seq: int
    hash: str


def canonical(value: Any) -> str:
    """The one spelling of a JSON value.

    Raises:
        ValueError: A number is NaN or infinite.
        TypeError: Something is no JSON value.
    """
    return _CANONICAL.encode(value)


def genesis(facts: Mapping[str, Any], documents: Iterable[tuple[str, str, str]]) -> Head:
    """The head of an empty chain.

    Args:
        facts: What never changes in a run: its id, mode, who started it when.
        documents: Kind, path and SHA-256 of each text the run is pinned to.
    """
    born = {"facts": facts, "documents": [list(document) for document in documents]}
    return Head(0, hashlib.sha256(canonical(born).encode()).hexdigest())


def link(previous: str, entry: ChainLink, seq: int | None = None) -> str:
    """The hash of `entry` behind one with hash `previous`; its own `hash` is not looked at.

    Args:
        previous: Hash of the entry before it.
        entry: Which.
        seq: The number it was written with; None: the one that it bears.
    """
    envelope = {
        "run": entry.run,
        "seq": entry.seq if seq is None else seq,
        "at": float(entry.at),
        "actor": entry.actor,
        "epoch": entry.epoch,
        "kind": entry.kind,
        "version": entry.version,
        "body": entry.body,
    }
    return hashlib.sha256(f"{previous}\n{canonical(envelope)}".encode()).hexdigest()

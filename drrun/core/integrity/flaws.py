"""All that is wrong with a chain: entries that were altered, added or moved, or are missing.

Rules:
- An entry fits if its hash is its own behind the last one that fitted, by its place in the chain
  and not by the number that it bears now. What stands between the two was added; one that bears
  another number was moved.
- An entry that fits behind one that did not fit shows that this one was altered, and not added.
  Where several in a row do not fit, which of them were altered cannot be told.
- Behind a gap the next entry is taken as it is: whether it was altered cannot be told.
- `Found.sound` is the last entry that, with all before it, is what was written to every byte.
- Where nothing is wrong the cost is one hash an entry, and it is bounded for each where all is.
"""

from collections.abc import Iterable, Sequence
from typing import TypeGuard

from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import ChainLink, Head, link

#: So many entries that fit nowhere are remembered, to be recognised where they belong.
REACH = 16


@dataclass(frozen=True, slots=True)
class TornEntry:
    """An entry of which so much was altered that it is none any more."""

    #: 0: not even that can be read.
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with entries next to each other."""

    first: int
    last: int
    #: Completes 'entry 7 …' and 'entries 7 to 9 …'.
    one: str
    several: str

    @property
    def is_there(self) -> bool:
        """Whether these are entries that are there, and were not written so."""
        return self.one in {how for how, _ in (_ALTERED, _ADDED, _MOVED, _BEHIND, _STALE)}

    def __str__(self) -> str:
        if self.first == self.last:
            return f"entry {self.first} {self.one}"
        return f"entries {self.first} to {self.last} {self.several}"


@dataclass(frozen=True, slots=True)
class ChainReading:
    """What became of a chain."""

    flaws: tuple[Flaw, ...]
    sound: Head


def inspect(
    entries: Iterable[ChainLink | TornEntry], start: Head, head: Head | None = None
) -> ChainReading:
    """All that is wrong with the entries behind `start`.

    Args:
        entries: In the order of their numbers.
        start: The run's genesis, or an entry that is known to be sound.
        head: Where the chain must end; None if that is not known.
    """
    look = Inspection(start)
    for entry in entries:
        look.add(entry)
    return look.close(head)


def told(flaws: Iterable[Flaw]) -> str:
    """All of them in one sentence."""
    return "; ".join(map(str, flaws))


class Inspection:
    """A look at a chain, entry by entry."""

    def __init__(self, start: Head) -> None:
        """Begin behind `start`."""
        #: The number that the last entry bears.
        self.number = start.seq
        self._last = start
        self._sound = start
        self._epoch = 0
        #: Entries behind the last that fitted, each with its hash as it should be.
        self._apart: list[tuple[ChainLink | TornEntry, str]] = []
        #: Entries that stood where others belong.
        self._astray: list[ChainLink] = []
        self._flaws: list[Flaw] = []

    def add(self, entry: ChainLink | TornEntry) -> None:
        """Look at the next entry."""
        if fitting := self._fitting(entry):
            self._put_aside()
            self._settle(fitting)
        elif following := self._following(entry):
            self._altered()
            self._settle(following)
        elif entry.seq > self.number + 1:
            self._altered()
            self._jump(entry)
        else:
            before = self._apart[-1][1] if self._apart else self._last.hash
            due = "" if isinstance(entry, TornEntry) else link(before, entry)
            self._apart.append((entry, due))
        self.number = max(self.number, entry.seq)

    def close(self, head: Head | None) -> ChainReading:
        """What was found, once there is no more entry.

        Args:
            head: Where the chain must end; None if that is not known.
        """
        self._recognised()
        apart = [entry for entry, _ in self._apart]
        if head is not None:
            for entry in (each for each in apart if each.seq > head.seq):
                self._flaw(entry.seq, _BEHIND)
            apart = [entry for entry in apart if entry.seq <= head.seq]
        for entry in apart:
            self._flaw(entry.seq, _ALTERED)
        for stray in self._astray:
            self._flaw(stray.seq, _ADDED)
        if head is not None:
            self._end(head, fits=not self._apart)
        return ChainReading(_joined(self._flaws), self._sound)

    def _settle(self, entry: ChainLink) -> None:
        """An entry fits behind the last."""
        place = self._last.seq + 1
        if entry.seq != place:
            self._flaw(entry.seq, _MOVED)
        if entry.epoch < self._epoch:
            self._flaw(entry.seq, _STALE)
        self._epoch = max(self._epoch, entry.epoch)
        self._last = Head(place, entry.hash)
        if not self._flaws and not self._astray:
            self._sound = self._last

    def _recognised(self) -> bool:
        """Settle what stood where others belong, and belongs behind the last; whether any did."""
        any_did = False
        while not self._apart and (found := self._belongs_here()):
            self._astray.remove(found)
            self._settle(found)
            any_did = True
        return any_did

    def _belongs_here(self) -> ChainLink | None:
        return next((each for each in self._astray if _fits(each, self._last)), None)

    def _fitting(self, entry: ChainLink | TornEntry) -> ChainLink | None:
        """The entry, if it fits behind the last that did."""
        if _fits(entry, self._last):
            return entry
        return entry if self._recognised() and _fits(entry, self._last) else None

    def _following(self, entry: ChainLink | TornEntry) -> ChainLink | None:
        """The entry, if it fits behind the last that did not, as that is, or as it should be."""
        for before, due in self._apart[-1:]:
            place = self._last.seq + len(self._apart)
            for each in (before.hash, due):
                if _fits(entry, Head(place, each)):
                    return entry
        return None

    def _altered(self) -> None:
        for entry, _ in self._apart:
            self._flaw(entry.seq, _ALTERED)
        if self._apart:
            place = self._last.seq + len(self._apart)
            self._last = Head(place, self._apart[-1][0].hash)
        self._apart.clear()

    def _put_aside(self) -> None:
        for entry, _ in self._apart:
            if isinstance(entry, TornEntry):
                self._flaw(entry.seq, _ADDED)
            else:
                self._astray.append(entry)
        self._apart.clear()
        while len(self._astray) > REACH:
            self._flaw(self._astray.pop(0).seq, _ADDED)

    def _jump(self, entry: ChainLink | TornEntry) -> None:
        gap = (
            f"missing, so nobody can tell whether entry {entry.seq} is what was written"
            if not isinstance(entry, TornEntry)
            else "missing"
        )
        self._flaws.append(Flaw(self.number + 1, entry.seq - 1, f"is {gap}", f"are {gap}"))
        if isinstance(entry, TornEntry):
            self._flaw(entry.seq, _ALTERED)
        self._last = Head(entry.seq, entry.hash)

    def _end(self, head: Head, *, fits: bool) -> None:
        if self.number < head.seq:
            cut = "missing: the end was cut"
            self._flaws.append(Flaw(self.number + 1, head.seq, f"is {cut}", f"are {cut}"))
        elif self._sound.seq > head.seq:
            for seq in range(head.seq + 1, self._sound.seq + 1):
                self._flaw(seq, _BEHIND)
            self._sound = head
        elif fits and self._last.seq == head.seq and self._last.hash != head.hash:
            self._flaw(head.seq, _NOT_THE_END)

    def _flaw(self, seq: int, how: tuple[str, str]) -> None:
        self._flaws.append(Flaw(seq, seq, *how))


_ALTERED = "was altered", "were altered: one of them, or more"
_ADDED = "was added", "were added"
_MOVED = "was moved: it was written with another number", "were moved"
_BEHIND = "was added behind the recorded end", "were added behind the recorded end"
_STALE = "was written by a controller that had been replaced", "were written by a replaced one"
_NOT_THE_END = ("is not the one that the recorded end names",) * 2


def _fits(entry: ChainLink | TornEntry, last: Head) -> TypeGuard[ChainLink]:
    return not isinstance(entry, TornEntry) and entry.hash == link(last.hash, entry, last.seq + 1)


def _joined(flaws: Sequence[Flaw]) -> tuple[Flaw, ...]:
    """The same in order, with neighbours of one kind as one."""
    found: list[Flaw] = []
    for flaw in sorted(flaws, key=lambda each: each.first):
        if found and found[-1].last + 1 == flaw.first and found[-1].one == flaw.one:
            before = found.pop()
            found.append(Flaw(before.first, flaw.last, flaw.one, flaw.several))
        else:
            found.append(flaw)
    return tuple(found)

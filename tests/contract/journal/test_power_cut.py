"""The power goes at every call that a commit makes: what was committed is there afterwards.

Rules:
- What a real process writes is watched by strace and played again on a disk that keeps nothing for
  sure but what was synchronised: of all else, any part may have got there or not. A new file is
  there for sure once its folder was synchronised.
"""

import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drrun.core.model.ids import RunId
from drrun.journal.store import open_store
from drrun.testing.manual_clock import ManualClock
from tests.contract.journal.benches import RUN

ROOT = Path(__file__).parents[3]
SEED = 20240111
#: Commits that are watched, and random disks for each moment of a cut.
COMMITS, DISKS = 4, 5
SCRIPT = """\
import os, sys
sys.path.insert(0, sys.argv[2])
from tests.contract.journal.benches import *
from drrun.journal.store import open_store
with open_store(sys.argv[1], ManualClock()) as store:
    store.journal.create(record(), [document()])
    lease = store.leases.take(RUN)
    for number in range(int(sys.argv[3])):
        # Sizes that reuse pages, and add some.
        store.journal.append(lease, [draft(text="x" * (3000 * number))] * 2)
        os.write(1, b"committed")
"""
CALLS = "openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink"
LINE = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)\) += (-?\d+)")


@dataclass
class File:
    """What is on the disk for sure, and what was written since, in order."""

    content: bytes = b""
    #: Position and bytes; None for the bytes: cut off there.
    loose: list[tuple[int, bytes | None]] = field(default_factory=list)
    listed: bool = False

    def with_some(self, chosen: Iterator[bool]) -> bytes:
        found = bytearray(self.content)
        for (position, data), there in zip(self.loose, chosen, strict=False):
            if not there:
                continue
            if data is None:
                del found[position:]
                continue
            found.extend(bytes(max(0, position - len(found))))
            found[position : position + len(data)] = data
        return bytes(found)

    def settle(self) -> None:
        self.content = self.with_some(iter([True] * len(self.loose)))
        self.loose = []


@dataclass
class Disk:
    """A folder on a disk without batteries."""

    folder: str
    files: dict[str, File] = field(default_factory=dict)
    committed: int = 0

    def play(self, name: str, rest: str) -> None:
        """One call of the process."""
        if name == "openat" and "O_CREAT" in rest and (path := _quoted(rest)):
            self._file(path)
            return
        if name == "write" and '"\\x63\\x6f\\x6d\\x6d\\x69\\x74\\x74\\x65\\x64"' in rest:
            self.committed += 1
            return
        path = _described(rest)
        file = self._file(path)
        if name in ("fsync", "fdatasync") and path == self.folder:
            for each in self.files.values():
                each.listed = True
        elif file is None:
            return
        elif name in ("fsync", "fdatasync"):
            file.settle()
        elif name == "pwrite64":
            file.loose.append((int(rest.rpartition(", ")[2]), _bytes(rest)))
        elif name == "ftruncate":
            file.loose.append((int(rest.rpartition(", ")[2]), None))
        else:
            raise AssertionError(f"a call that is not played: {name}({rest[:200]}")

    def _file(self, path: str) -> File | None:
        name = Path(path).name
        if Path(path).parent != Path(self.folder) or not name.startswith("journal.sqlite"):
            return None
        return self.files.setdefault(name, File())

    def after_a_cut(self, chance: random.Random) -> Iterator[Mapping[str, bytes]]:
        """Disks as they may be found: nothing loose got there, all of it, any part of it."""
        yield self._found(lambda: False)
        yield self._found(lambda: True)
        for _ in range(DISKS):
            yield self._found(lambda: chance.random() < 0.5)

    def _found(self, there: Callable[[], bool]) -> Mapping[str, bytes]:
        return {
            name: file.with_some(iter([there() for _ in file.loose]))
            for name, file in self.files.items()
            if file.listed or there()
        }


def _quoted(rest: str) -> str:
    found = re.search(r'"((?:\\x..)*)"', rest)
    return _plain(found[1]).decode() if found else ""


def _described(rest: str) -> str:
    found = re.match(r"\d+<([^>]*)>", rest)
    return _plain(found[1]).decode() if found else ""


def _bytes(rest: str) -> bytes:
    found = re.search(r'"((?:\\x..)*)"(\.\.\.)?', rest)
    assert found is not None
    assert not found[2]
    return _plain(found[1])


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()


@pytest.mark.faults(88)
def test_no_cut_of_the_power_takes_a_commit_back(tmp_path: Path) -> None:
    state, trace = tmp_path / "state", tmp_path / "trace"
    watched = f"strace -f -y -xx -s 65536 -e trace={CALLS} -o {trace}".split()
    given = [sys.executable, "-c", SCRIPT, str(state), str(ROOT), str(COMMITS)]
    subprocess.run([*watched, *given], check=True, capture_output=True)
    disk, chance, seen = Disk(str(state)), random.Random(SEED), 0
    for line in trace.read_text().splitlines():
        if (call := LINE.match(line)) and int(call[3]) >= 0:
            disk.play(call[1], call[2])
            if disk.committed and call[1] != "openat":
                seen += 1
                for number, found in enumerate(disk.after_a_cut(chance)):
                    place = tmp_path / f"{seen}-{number}"
                    look(place, found, disk.committed)
    assert (disk.committed, seen > 10 * COMMITS) == (COMMITS, True)


def look(place: Path, found: Mapping[str, bytes], committed: int) -> None:
    """Open what was found after a cut: whole, and with all that was committed."""
    place.mkdir(mode=0o700)
    for name, content in found.items():
        (place / name).write_bytes(content)
        (place / name).chmod(0o600)
    with open_store(place, ManualClock()) as store:
        entries = list(store.journal.read(RunId(RUN)))
        assert len(entries) >= 2 * committed
        store.journal.verify(RunId(RUN))
    with sqlite3.connect(place / "journal.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()

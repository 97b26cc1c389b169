"""Disks that are full, read-only, failing or not ours (faults F84 to F86)."""

import contextlib
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drrun.core.model.errors import StateUnusable
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.journal.folder import RESERVE, StatePlace, network_filesystem, size_of_database
from drrun.journal.store import open_store
from drrun.ports.journal import Entry
from drrun.testing.manual_clock import ManualClock
from tests.contract.journal.benches import RUN, SqliteBench, document, draft, record

NEW = RunId("20240112-090000-migration-0000")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    point = tmp_path / "disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", point], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", point], check=True)


def fill(disk: Path, leave: int = 0) -> None:
    """Fill the disk but for `leave` bytes."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            filler.truncate(max(0, filler.tell() - leave))


@pytest.mark.faults(84)
def test_a_full_disk_loses_nothing_that_was_written(tiny_disk: Path) -> None:
    with open_store(tiny_disk / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
        lease = store.leases.take(RUN)
        durable: list[Entry] = []

        def write_on() -> None:
            while True:
                durable.extend(store.journal.append(lease, [draft(text="x" * 2000)] * 5))

        with pytest.raises(StateUnusable, match=r"is full\. Nothing was written.*drrun resume"):
            write_on()
        assert list(store.journal.read(RUN)) == durable
        store.journal.verify(RUN)


@pytest.mark.faults(84)
def test_after_a_full_disk_the_pause_can_still_be_recorded(tiny_disk: Path) -> None:
    with open_store(tiny_disk / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
        lease = store.leases.take(RUN)
        fill(tiny_disk)
        with pytest.raises(StateUnusable, match="A reserve was freed"):
            store.journal.append(lease, [draft(text="x" * 20000)])
        (pause,) = store.journal.append(lease, [draft("RunPaused", why="the disk is full")])
        assert pause.seq == 1


@pytest.mark.faults(84)
def test_a_run_goes_on_once_there_is_room_again(tiny_disk: Path) -> None:
    with open_store(tiny_disk / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
        lease = store.leases.take(RUN)
        fill(tiny_disk)
        with pytest.raises(StateUnusable):
            store.journal.append(lease, [draft(text="x" * 600_000)])
        (tiny_disk / "filler").unlink()
        (entry,) = store.journal.append(lease, [draft()])
        assert store.journal.verify(RUN) == entry.hash


@pytest.mark.faults(84)
@pytest.mark.parametrize("room", range(0, 20 * 4096, 4096))
def test_however_little_room_there_is_a_write_is_whole_or_not_there(
    tiny_disk: Path, room: int
) -> None:
    with open_store(tiny_disk / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
        lease = store.leases.take(RUN)
        (tiny_disk / "state" / "reserve").unlink()
        fill(tiny_disk, leave=room)
        durable = 0
        for _ in range(3):
            with contextlib.suppress(StateUnusable):
                durable += len(store.journal.append(lease, [draft(text="x" * 3000)] * 4))
        assert len(list(store.journal.read(RUN))) == durable
        store.journal.verify(RUN)


def test_a_run_cannot_begin_on_a_full_disk_and_leaves_nothing_half_made(tiny_disk: Path) -> None:
    with open_store(tiny_disk / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
        fill(tiny_disk)
        (tiny_disk / "state" / "reserve").unlink()
        fill(tiny_disk)
        with pytest.raises(StateUnusable, match="full"):
            store.journal.create(record(NEW), [document("x" * 5000)])
        assert [each.id for each in store.journal.runs()] == [RUN]
        assert store.journal.documents(NEW) == ()


def test_a_first_run_on_a_full_disk_is_refused(tiny_disk: Path) -> None:
    fill(tiny_disk)
    with (
        open_store(tiny_disk / "state", ManualClock()) as store,
        pytest.raises(StateUnusable, match=r"full|No space left"),
    ):
        store.journal.create(record(), [document()])


def test_a_full_disk_ends_the_keeping_of_output_but_not_the_run(tiny_disk: Path) -> None:
    with open_store(tiny_disk / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
        output = store.spool.open(RUN, StepId("copy"), TargetName("db1"), 1)
        for _ in range(64):
            output.write("stdout", bytes(32768))
        account = output.close()
        assert account["stdout"]["bytes"] == 64 * 32768
        assert 0 < account["stdout"]["kept"] < 64 * 32768
        assert account["stdout"]["truncated"] is True
        assert "disk: No space left on device" in account["stdout"]["reason"]


@pytest.mark.faults(85)
def test_a_read_only_folder_is_refused_before_anything_starts(tiny_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    with (
        open_store(tiny_disk / "state", ManualClock()) as store,
        pytest.raises(
            StateUnusable, match=r"Read-only file system\. Nothing was started.*--state"
        ),
    ):
        store.journal.create(record(), [document()])


def test_a_journal_on_a_read_only_disk_can_be_read_but_not_written(tiny_disk: Path) -> None:
    with open_store(tiny_disk / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
        lease = store.leases.take(RUN)
        (entry,) = store.journal.append(lease, [draft()])
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    with open_store(tiny_disk / "state", ManualClock()) as store:
        assert store.journal.verify(RUN) == entry.hash
        with pytest.raises(StateUnusable, match="Nothing was written"):
            store.journal.append(lease, [draft()])


@pytest.mark.faults(86)
def test_after_an_io_error_nothing_is_tried_again_by_that_process(disk: SqliteBench) -> None:
    """Fault F86: a write fails; then the disk works again, and still nothing is written."""
    other = disk.other("disk-fails", RUN)
    first, second = other.hear()["outcome"], other.hear()["outcome"]
    assert first.startswith("StateUnusable: the disk with ")
    assert "does not try the disk again" in first
    assert second == first
    assert [entry.body for entry in disk.mine.journal.read(RUN)] == [{"number": 1}]
    disk.mine.journal.verify(RUN)


def modes(folder: Path) -> set[tuple[bool, int]]:
    found = [folder, *folder.rglob("*")]
    return {(each.is_dir(), stat.S_IMODE(each.stat().st_mode)) for each in found}


def test_nobody_else_can_read_the_state_whatever_the_umask(tmp_path: Path) -> None:
    subprocess.run(
        ["sh", "-c", 'umask 000; exec "$@"', "sh", *_begin_command(tmp_path / "a" / "state")],
        check=True,
    )
    assert modes(tmp_path / "a") == {(True, 0o700), (False, 0o600)}


def _begin_command(folder: Path) -> list[str]:
    text = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from tests.contract.journal.benches import *\n"
        "from drrun.journal.store import open_store\n"
        "with open_store(sys.argv[1], ManualClock()) as store:\n"
        "    store.journal.create(record(), [document()])\n"
        "    store.journal.append(store.leases.take(RUN), [draft()])\n"
        "    output = store.spool.open(RUN, 'step', '../x', 1)\n"
        "    output.write('stdout', b'x')\n"
        "    output.close()\n"
    )
    root = str(Path(__file__).parents[3])
    return [sys.executable, "-c", text, str(folder), root]


def test_looking_creates_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "state", ManualClock()) as store:
        assert store.journal.runs() == []
        assert list(store.journal.read(RUN)) == []
        assert store.leases.holder(RUN) is None
        assert store.inbox.pending(RUN) == []
        assert store.inbox.version() == 0
        assert store.spool.attempts(RUN, StepId("a"), TargetName("b")) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "something").touch()
    folder.chmod(0o777)
    with (
        open_store(folder, ManualClock()) as store,
        pytest.raises(StateUnusable, match=f"others can write the folder {folder}.*chmod go-rwx"),
    ):
        store.journal.create(record(), [document()])


@pytest.mark.faults(85)
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    subprocess.run(["chown", "nobody", folder], check=True)
    with (
        open_store(folder, ManualClock()) as store,
        pytest.raises(StateUnusable, match="belongs to another user"),
    ):
        store.journal.create(record(), [document()])


@pytest.mark.parametrize("name", ["journal.sqlite", "journal.sqlite-journal"])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, name: str) -> None:
    target = tmp_path / "target"
    target.touch()
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / name).symlink_to(target)
    with (
        open_store(folder, ManualClock()) as store,
        pytest.raises(StateUnusable, match=f"{name} is not a plain file"),
    ):
        store.journal.create(record(), [document()])
    assert target.read_bytes() == b""


def test_an_empty_folder_that_is_given_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    with open_store(tmp_path / "state", ManualClock()) as store:
        store.journal.create(record(), [document()])
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


MOUNTS = """\
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
30 22 0:30 / /home rw - nfs4 filer:/home rw
31 30 0:31 / /home/drew/local rw - tmpfs tmpfs rw
32 22 0:32 / /mnt/with\\040space rw,relatime shared:1 - cifs //win/share rw
"""


@pytest.mark.faults(85)
@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/state", ""),
        ("/home/drew/.local/state", "nfs4"),
        ("/home/drew/local/state", ""),
        ("/homes/state", ""),
        ("/mnt/with space/state", "cifs"),
    ],
)
def test_a_network_file_system_is_recognised(folder: str, kind: str) -> None:
    assert network_filesystem(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize(
    ("name", "database", "folder"),
    [
        ("/s/state", "/s/state/journal.sqlite", "/s/state"),
        ("/s/x.sqlite", "/s/x.sqlite", "/s/x.sqlite.d"),
        ("sqlite:///s/x.db", "/s/x.db", "/s/x.db.d"),
    ],
)
def test_a_state_is_named_by_its_folder_or_its_file(name: str, database: str, folder: str) -> None:
    assert StatePlace.named(name) == StatePlace(Path(database), Path(folder))


def test_a_state_that_is_one_file_works(tmp_path: Path) -> None:
    with open_store(tmp_path / "x.sqlite", ManualClock()) as store:
        store.journal.create(record(), [document()])
    assert size_of_database(StatePlace.named(tmp_path / "x.sqlite"))
    assert (tmp_path / "x.sqlite.d" / "reserve").stat().st_size == RESERVE

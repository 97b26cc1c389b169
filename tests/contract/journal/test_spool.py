"""Outputs on disk: whole where they fit, marked where not, never with a secret."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from drrun.core.integrity.masking import Mask
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.runbook import Capture
from drrun.core.rules.capturing import capture_all
from drrun.journal.spool import FileOutput, FileSpool
from tests.contract.journal.benches import RUN

STEP, TARGET = StepId("copy"), TargetName("db1.phl")
MARK = b"\n[drrun: 70 bytes were left out here]\n"


@pytest.fixture
def spool(tmp_path: Path) -> FileSpool:
    return FileSpool(tmp_path / "state")


@pytest.fixture
def small(tmp_path: Path) -> FileSpool:
    """Keeps 40 bytes of a stream: a head of 20, and segments of 10."""
    return FileSpool(tmp_path / "state", limit=80)


def begin(spool: FileSpool, *secrets: str, attempt: int = 1) -> FileOutput:
    return spool.open(RUN, STEP, TARGET, attempt, Mask(secrets))


def kept(spool: FileSpool, stream: str = "stdout") -> bytes:
    return b"".join(spool.kept(RUN, STEP, TARGET, 1, stream).chunks())


def test_bytes_are_on_disk_as_soon_as_they_are_written(spool: FileSpool, tmp_path: Path) -> None:
    begin(spool).write("stdout", b"line\n\xff\x00")
    file = tmp_path / "state" / "outputs" / RUN / "copy@db1.phl" / "1.stdout"
    assert file.read_bytes() == b"line\n\xff\x00"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_streams_are_kept_apart_and_counted(spool: FileSpool) -> None:
    output = begin(spool)
    output.write("stdout", b"out")
    output.write("stderr", b"error")
    output.write("stdout", b"put")
    account = output.close()
    assert (kept(spool), kept(spool, "stderr")) == (b"output", b"error")
    assert account["stdout"] == {
        "bytes": 6,
        "masked": 6,
        "kept": 6,
        "sha256": hashlib.sha256(b"output").hexdigest(),
        "truncated": False,
        "reason": "",
    }


@pytest.mark.faults(74)
def test_a_secret_that_is_cut_in_two_does_not_reach_the_disk(
    spool: FileSpool, tmp_path: Path
) -> None:
    """Fault F74."""
    output = begin(spool, "hunter2-hunter2")
    for byte in b"password hunter2-hunter2, base64 aHVudGVyMi1odW50ZXIy, end hunter2-hun":
        output.write("stdout", bytes([byte]))
    output.close()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert kept(spool) == b"password ***, base64 ***, end hunter2-hun"
    assert not [file for file in files if b"hunter2-hunter2" in file.read_bytes()]


def test_captures_see_all_bytes_so_far_also_those_held_back(spool: FileSpool) -> None:
    output = begin(spool, "hunter2-hunter2")
    output.write("stdout", b"lag=12 \xff hunter2")
    # A byte that is no text stays one that a capture can refuse.
    assert output.text("stdout").encode("utf-8", "surrogateescape") == b"lag=12 \xff hunter2"


def test_captures_see_beginning_and_end_of_a_large_output(spool: FileSpool) -> None:
    output = begin(spool)
    output.write("stdout", b"begin" + b"x" * 5_000_000 + b"end")
    text = output.text("stdout")
    assert text.startswith("begin")
    assert text.endswith("end")
    assert f"{5_000_008 - 2 * 1024 * 1024} bytes were left out" in text


@pytest.mark.faults(67)
def test_too_much_output_keeps_its_beginning_and_its_end(small: FileSpool) -> None:
    """Fault F67, in small."""
    whole = bytes(range(48, 48 + 75)) + b"_" * 30
    output = begin(small)
    for start in range(0, len(whole), 7):
        output.write("stdout", whole[start : start + 7])
    account = output.close()["stdout"]
    # 105 bytes: a head of 20; segments of 10 from there, the last two from offset 90 on.
    assert kept(small) == whole[:20] + MARK + whole[90:]
    assert (account["bytes"], account["kept"], account["reason"]) == (105, 35, "limit")
    assert account["sha256"] == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("size", [*range(60), 100, 1000])
def test_what_is_kept_never_exceeds_the_limit_nor_falls_below_its_share(
    small: FileSpool, size: int
) -> None:
    whole = bytes(n % 251 for n in range(size))
    output = begin(small)
    output.write("stdout", whole)
    output.close()
    stream = small.kept(RUN, STEP, TARGET, 1, "stdout")
    assert stream.size() <= 40
    assert stream.head(20) == whole[:20]
    assert stream.tail(10) == whole[-10:] or size < 10
    assert stream.size() == size or size > 40 - 10


def test_an_output_that_was_never_closed_can_be_read(small: FileSpool) -> None:
    begin(small).write("stdout", b"a" * 20 + b"b" * 75)
    assert kept(small) == b"a" * 20 + b"\n[drrun: 60 bytes were left out here]\n" + b"b" * 15


@pytest.mark.parametrize("target", ["../../etc", "a/b@c", ".", "..", "", "ü\n\x00", "x" * 5000])
def test_any_name_of_a_target_stays_inside_the_state(
    spool: FileSpool, tmp_path: Path, target: str
) -> None:
    output = spool.open(RUN, STEP, TargetName(target), 1)
    output.write("stdout", b"x")
    output.close()
    (folder,) = (tmp_path / "state" / "outputs" / RUN).iterdir()
    assert sorted(file.name for file in folder.iterdir()) == [
        "1.stdout",
        "1.stdout.times",
    ]
    assert spool.attempts(RUN, STEP, TargetName(target)) == [1]


def test_long_names_that_begin_alike_are_told_apart(spool: FileSpool) -> None:
    for ending in ("a", "b"):
        spool.open(RUN, STEP, TargetName("x" * 300 + ending), 1).write("stdout", b"x")
    names = [TargetName("x" * 300 + ending) for ending in ("a", "b", "c")]
    assert [spool.attempts(RUN, STEP, name) for name in names] == [[1], [1], []]


def test_attempts_are_listed_in_order(spool: FileSpool) -> None:
    for attempt in (10, 2, 1):
        begin(spool, attempt=attempt).write("stderr", b"x")
    assert spool.attempts(RUN, STEP, TARGET) == [1, 2, 10]


def test_a_second_look_at_an_attempt_puts_the_first_output_aside(
    spool: FileSpool, tmp_path: Path
) -> None:
    begin(spool).write("stdout", b"what the first controller saw")
    begin(spool).write("stdout", b"what the second one saw")
    folder = tmp_path / "state" / "outputs" / RUN / "copy@db1.phl"
    assert kept(spool) == b"what the second one saw"
    assert (folder / "1.stdout.before-1").read_bytes() == b"what the first controller saw"


def test_a_second_look_that_sees_nothing_leaves_the_first_output(spool: FileSpool) -> None:
    first = begin(spool)
    first.write("stdout", b"what the first controller saw")
    account = first.close()
    second = begin(spool)
    assert second.text("stdout") == "what the first controller saw"
    assert second.close() == account
    assert kept(spool) == b"what the first controller saw"


def test_a_stream_costs_one_fsync_and_one_that_printed_nothing_none(
    spool: FileSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    output = begin(spool)
    output.write("stdout", b"some")
    output.write("stdout", b"thing")
    output.close()
    begin(spool, attempt=2).close()
    assert len(synced) == 1


def test_no_output_leaves_no_file(spool: FileSpool, tmp_path: Path) -> None:
    account = begin(spool).close()
    assert (account["stdout"]["bytes"], account["stderr"]["bytes"]) == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_in_the_way_is_not_followed(spool: FileSpool, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "outputs" / RUN / "copy@db1.phl"
    folder.mkdir(parents=True)
    (folder / "1.stdout").symlink_to(tmp_path / "victim")
    output = begin(spool)
    output.write("stdout", b"x")
    account = output.close()
    assert not (tmp_path / "victim").exists()
    assert account["stdout"]["truncated"] is True
    assert account["stdout"]["reason"].startswith("disk: ")


def test_an_output_of_another_run_is_another_output(spool: FileSpool) -> None:
    begin(spool).write("stdout", b"x")
    assert spool.attempts(RunId("other"), STEP, TARGET) == []


def test_a_value_is_not_captured_from_an_output_that_is_not_seen_whole(spool: FileSpool) -> None:
    output = begin(spool)
    output.write("stdout", b"first=0\n" + b"x" * 1_500_000 + b"\nv=1\n")
    output.write("stdout", b"x" * 2_500_000 + b"\nv=2\n")
    streams = {"stdout": output.text("stdout")}
    for wanted in (Capture("v", regex=r"v=(\d+)"), Capture("all"), Capture("v", json="v")):
        values, missing = capture_all([wanted], streams)
        assert values == {}
        assert "longer than 2 MiB" in missing
    assert capture_all([Capture("v", regex=r"first=(\d+)")], streams) == ({"v": 0}, "")

"""When each part of an output came: told to the tenth of a second, and never at its expense."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.ids import StepId, TargetName
from drrun.journal.arrivals import Arrivals, read_marks, split_by_arrival
from drrun.journal.spool import FileOutput, FileSpool
from tests.contract.journal.benches import RUN

STEP, TARGET = StepId("copy"), TargetName("db1.phl")


class Watch:
    """A clock that somebody sets."""

    at = 1000.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


def spool(folder: Path, watch: Watch, limit: int = 1000) -> FileSpool:
    return FileSpool(folder / "state", limit, watch.now)


def begin(spool: FileSpool) -> FileOutput:
    return spool.open(RUN, STEP, TARGET, 1)


def came(spool: FileSpool, start: int = 0) -> list[tuple[float | None, bytes]]:
    pieces = spool.kept(RUN, STEP, TARGET, 1, "stdout").pieces(start)
    return [(piece.came, piece.data) for piece in pieces]


def test_every_part_has_the_time_at_which_it_came(tmp_path: Path, watch: Watch) -> None:
    kept = spool(tmp_path, watch)
    output = begin(kept)
    for text in (b"first\n", b"second\n"):
        output.write("stdout", text)
        watch.at += 60
    output.close()
    assert came(kept) == [(1000, b"first\n"), (1060, b"second\n")]


def test_what_comes_within_a_tenth_of_a_second_has_one_time(tmp_path: Path, watch: Watch) -> None:
    kept = spool(tmp_path, watch)
    output = begin(kept)
    for text in (b"a", b"b", b"c"):
        output.write("stdout", text)
        watch.at += 0.06
    output.close()
    assert came(kept) == [(1000, b"ab"), (1000.12, b"c")]


def test_what_is_fetched_again_keeps_the_time_of_its_first_coming(
    tmp_path: Path, watch: Watch
) -> None:
    kept = spool(tmp_path, watch)
    begin(kept).write("stdout", b"before\n")  # and then the controller was killed
    watch.at += 500
    again = begin(kept)
    again.write("stdout", b"before\n")
    watch.at += 500
    again.write("stdout", b"behind\n")
    again.close()
    assert came(kept) == [(1000, b"before\n"), (2000, b"behind\n")]


def test_what_came_meanwhile_is_not_dated_back(tmp_path: Path, watch: Watch) -> None:
    kept = spool(tmp_path, watch)
    begin(kept).write("stdout", b"before\n")
    watch.at += 500
    again = begin(kept)
    again.write("stdout", b"before\nmeanwhile\n")  # fetched at once, as one piece
    again.close()
    assert came(kept) == [(1000, b"before\n"), (1500, b"meanwhile\n")]


@pytest.mark.parametrize("mark", ["0 nan", "0 inf", "0 1e300", "0 -1", "x 5", "-3 5"])
def test_a_moment_that_is_none_is_passed_over(tmp_path: Path, watch: Watch, mark: str) -> None:
    file = tmp_path / "times"
    file.write_text(f"{mark}\n10 1000\n")
    assert read_marks(file) == [(10, 1000)]


def test_behind_what_was_left_out_times_are_right_again(tmp_path: Path, watch: Watch) -> None:
    kept = spool(tmp_path, watch, limit=80)  # 40 of a stream: a head of 20, and segments of 10
    output = begin(kept)
    for letter in b"abcdefghij":
        output.write("stdout", bytes([letter]) * 10)
        watch.at += 60
    output.close()
    assert came(kept) == [
        (1000, b"a" * 10),
        (1060, b"b" * 10),
        (None, b"\n[drrun: 60 bytes were left out here]\n"),
        (1480, b"i" * 10),
        (1540, b"j" * 10),
    ]


def test_reading_goes_on_where_it_stopped(tmp_path: Path, watch: Watch) -> None:
    kept = spool(tmp_path, watch)
    output = begin(kept)
    output.write("stdout", b"shown already, ")
    watch.at += 60
    output.write("stdout", b"new")
    assert came(kept, len(b"shown already, ")) == [(1060, b"new")]


def test_an_output_is_kept_where_its_times_cannot_be(tmp_path: Path, watch: Watch) -> None:
    kept = spool(tmp_path, watch)
    folder = tmp_path / "state" / "outputs" / RUN / "copy@db1.phl"
    (folder / "1.stdout.times").mkdir(parents=True)
    output = begin(kept)
    output.write("stdout", b"text")
    assert output.close()["stdout"]["reason"] == ""
    assert came(kept) == [(None, b"text")]


def test_a_mark_that_a_crash_cut_short_is_passed_over(tmp_path: Path, watch: Watch) -> None:
    file = tmp_path / "times"
    file.write_bytes(b"0 1000.000\n20 10")
    for position in (30, 40):
        arrivals = Arrivals(file, watch.now)
        arrivals.begin(before=0)
        arrivals.note(position, 5)
        arrivals.close()
        watch.at += 1
    assert read_marks(file) == [(0, 1000), (40, 1001)]


@given(
    data=st.binary(max_size=60),
    start=st.integers(0, 40),
    positions=st.sets(st.integers(0, 100), max_size=8),
)
def test_every_byte_has_the_time_of_the_last_mark_before_it(
    data: bytes, start: int, positions: set[int]
) -> None:
    marks = [(position, float(position)) for position in sorted(positions)]
    parts = list(split_by_arrival(marks, start, data))
    assert b"".join(part for _, part in parts) == data
    at = start
    for time, part in parts:
        for _ in part:
            assert time == max((mark for mark in positions if mark <= at), default=None)
            at += 1

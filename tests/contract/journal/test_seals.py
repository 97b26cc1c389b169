"""Marks of secrets, and streams that only former values open."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drrun.core.integrity.masking import OPEN, Mask
from drrun.core.model.errors import InputError, JournalDamaged
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.journal.seals import FileSeals
from drrun.journal.spool import FileSpool

RUN, STEP, TARGET = RunId("r-1"), StepId("copy"), TargetName("db1")
OLD, OTHER = "correct-horse-battery", "staple-of-another"


def sealed(folder: Path, *pieces: bytes, limit: int = 1 << 20) -> FileSeals:
    """An output of two former values."""
    seals = FileSeals(folder)
    marks = {name: seals.mark(RUN, name, value) for name, value in values().items()}
    output = FileSpool(folder, limit).open(RUN, STEP, TARGET, 1, OPEN, marks)
    for piece in pieces:
        output.write("stdout", piece)
    output.close()
    return seals


def values() -> dict[str, str]:
    return {"token": OLD, "other": OTHER}


def read(folder: Path) -> bytes:
    return b"".join(FileSpool(folder).kept(RUN, STEP, TARGET, 1, "stdout").chunks())


def the_file(folder: Path) -> Path:
    (found,) = folder.rglob("*.sealed")
    return found


def test_a_mark_is_the_same_for_the_same_value_and_for_nothing_else(tmp_path: Path) -> None:
    seals, elsewhere = FileSeals(tmp_path / "a"), FileSeals(tmp_path / "b")
    mark = seals.mark(RUN, "token", OLD)
    assert FileSeals(tmp_path / "a").mark(RUN, "token", OLD) == mark
    others = {
        seals.mark(RUN, "token", OTHER),
        seals.mark(RUN, "other", OLD),
        seals.mark(RunId("r-2"), "token", OLD),
        elsewhere.mark(RUN, "token", OLD),
    }
    assert len(others | {mark}) == 5


def test_the_key_of_the_marks_is_for_its_user_alone(tmp_path: Path) -> None:
    FileSeals(tmp_path / "state").mark(RUN, "token", OLD)
    key = tmp_path / "state" / "secrets.key"
    assert (key.stat().st_mode & 0o777, len(key.read_bytes())) == (0o600, 32)
    assert [path.name for path in key.parent.iterdir()] == ["secrets.key"]


def test_what_is_sealed_shows_nothing_and_opens_masked(tmp_path: Path) -> None:
    seals = sealed(tmp_path, b"one corr", b"ect-horse-battery\n", b"two staple-of-another\n")
    assert b"one" not in the_file(tmp_path).read_bytes()
    assert b"sealed: it may show a former value of other, token" in read(tmp_path)
    done = seals.unseal(RUN, [*values().items()], Mask(values().values()))
    assert (done.opened, done.wanted) == (1, ())
    assert read(tmp_path) == b"one ***\ntwo ***\n"
    assert list(tmp_path.rglob("*.sealed")) == []


@pytest.mark.parametrize("missing", ["token", "other"])
def test_it_takes_every_former_value_to_open_it(tmp_path: Path, missing: str) -> None:
    seals = sealed(tmp_path, b"one\n")
    some = [(name, value) for name, value in values().items() if name != missing]
    done = seals.unseal(RUN, some, OPEN)
    assert (done.opened, done.wanted) == (0, (missing,))


def test_a_value_that_was_not_used_opens_nothing(tmp_path: Path) -> None:
    seals = sealed(tmp_path, b"one\n")
    with pytest.raises(InputError, match="not the value of token"):
        seals.unseal(RUN, [("other", OTHER), ("token", "a-guess")], OPEN)
    assert the_file(tmp_path).exists()


def test_a_secret_that_changed_twice_opens_with_both_of_its_former_values(tmp_path: Path) -> None:
    seals = FileSeals(tmp_path)
    for attempt, value in enumerate((OLD, OTHER), 1):
        marks = {"token": seals.mark(RUN, "token", value)}
        output = FileSpool(tmp_path).open(RUN, STEP, TARGET, attempt, OPEN, marks)
        output.write("stdout", value.encode())
        output.close()
    assert seals.unseal(RUN, [("token", OLD)], Mask([OLD])).wanted == ("token",)
    assert seals.unseal(RUN, [("token", OTHER)], Mask([OTHER])).wanted == ()


def test_what_was_kept_before_a_controller_died_can_be_opened(tmp_path: Path) -> None:
    seals = sealed(tmp_path, b"one\n", b"two\n")
    file = the_file(tmp_path)
    file.write_bytes(file.read_bytes()[:-30])
    assert seals.unseal(RUN, [*values().items()], OPEN).opened == 1
    assert read(tmp_path) == b"one\n"


@settings(max_examples=10, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@example(at=0.75, bit=0)
def test_a_sealed_file_that_was_altered_is_never_taken_for_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, at: float, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("altered")
    seals = sealed(folder, b"one\n", b"two\n")
    file = the_file(folder)
    raw = bytearray(file.read_bytes())
    raw[int(at * len(raw))] ^= 1 << bit
    file.write_bytes(raw)
    try:
        done = seals.unseal(RUN, [*values().items()], OPEN)
    except (JournalDamaged, InputError):
        return
    # What is left is a beginning of it, as after a death, or asks for secrets that never were.
    assert not done.opened or b"one\ntwo\n".startswith(read(folder))


def test_a_sealed_output_keeps_to_its_limit_and_says_so(tmp_path: Path) -> None:
    seals = FileSeals(tmp_path)
    marks = {"token": seals.mark(RUN, "token", OLD)}
    output = FileSpool(tmp_path, limit=200).open(RUN, STEP, TARGET, 1, OPEN, marks)
    output.write("stdout", b"x" * 300)
    told = output.close()["stdout"]
    assert (told["bytes"], told["kept"], told["truncated"]) == (300, 100, True)
    assert told["reason"] == "sealed"
    assert output.text("stdout") == ""


def test_a_stream_that_came_again_in_the_clear_needs_no_sealed_one(tmp_path: Path) -> None:
    sealed(tmp_path, b"one\n")
    output = FileSpool(tmp_path).open(RUN, STEP, TARGET, 1, Mask(values().values()))
    output.write("stdout", b"one\n")
    output.close()
    assert read(tmp_path) == b"one\n"
    assert list(tmp_path.rglob("*.sealed")) == []

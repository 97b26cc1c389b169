"""Lines of an output: the same however it was cut, and found again where one stopped reading."""

from hypothesis import given
from hypothesis import strategies as st

from drrun.cli.outputs import lines_of
from drrun.ports.places import StreamPiece
from drrun.report.clean import clean_bytes

CUTS = st.lists(st.sampled_from([b"a", b"bc\n", b"\n", b"\n\nd", b"\xff\x1b"]), max_size=10)


def pieces(parts: list[bytes], start: int = 0) -> list[StreamPiece]:
    found = []
    for number, part in enumerate(parts):
        start += len(part)
        found.append(StreamPiece(part, start, float(number)))
    return found


@given(CUTS)
def test_lines_are_the_same_however_they_were_cut(parts: list[bytes]) -> None:
    lines = b"".join(parts).split(b"\n")
    expected = lines if lines[-1] else lines[:-1]
    assert [line.text for line in lines_of(pieces(parts))] == list(map(clean_bytes, expected))


@given(CUTS)
def test_the_end_of_a_line_is_where_the_next_begins(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    for line in lines_of(pieces(parts)):
        assert line.whole == (whole[line.end - 1 : line.end] == b"\n")
        rest = lines_of([StreamPiece(whole[line.end :], len(whole), None)])
        assert [more.end for more in rest] == [
            later.end for later in lines_of(pieces(parts)) if later.end > line.end
        ]


def test_a_line_has_the_time_at_which_it_began() -> None:
    parts = [b"one\ntw", b"o\nthree\n"]
    assert [(line.text, line.came) for line in lines_of(pieces(parts))] == [
        ("one", 0),
        ("two", 0),
        ("three", 1),
    ]


def test_a_line_without_an_end_is_broken() -> None:
    lines = list(lines_of(pieces([b"x" * 100_000, b"x" * 100_000])))
    assert [len(line.text) for line in lines] == [65536, 65536, 65536, 200_000 - 3 * 65536]
    assert [line.whole for line in lines] == [True, True, True, False]

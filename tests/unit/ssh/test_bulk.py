from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.ssh.bulk import Bulk, FetchRequest, TornOutput

NONCE = "0123456789abcdef"


class Taken:
    """What came, and in which order it was complete."""

    def __init__(self, *lengths: int) -> None:
        self.bulk = Bulk(NONCE)
        self.got = [b""] * len(lengths)
        self.done: list[int] = []
        for index, length in enumerate(lengths):
            self.bulk.expect(
                FetchRequest(
                    f"n{index}",
                    "o",
                    0,
                    length,
                    lambda data, index=index: self.add(index, data),  # type: ignore[misc]
                    lambda index=index: self.done.append(index),  # type: ignore[misc]
                )
            )

    def add(self, index: int, data: bytes) -> None:
        self.got[index] += data


def sent(parts: Sequence[bytes]) -> bytes:
    return b"".join(
        f"{NONCE} more n{index} o 0 {len(part)}\n".encode() + part + f"{NONCE} end\n".encode()
        for index, part in enumerate(parts)
    )


@given(
    st.lists(st.binary(max_size=60), min_size=1, max_size=4),
    st.binary(max_size=30).map(lambda each: each.replace(b"\n", b"") + b"\n"),
    st.lists(st.integers(1, 40)),
)
def test_parts_come_as_they_are_however_the_channel_cuts_them(
    parts: list[bytes], before: bytes, cuts: list[int]
) -> None:
    taken, whole, at = Taken(*map(len, parts)), before + sent(parts), 0
    for cut in [*cuts, len(whole)]:
        taken.bulk.feed(whole[at : at + cut])
        at += cut
    assert (taken.got, taken.done) == (parts, list(range(len(parts))))


def test_a_part_may_look_like_our_words() -> None:
    part = f"{NONCE} end\n{NONCE} more n0 o 0 3\n".encode()
    taken = Taken(len(part))
    taken.bulk.feed(sent([part]))
    assert (taken.got, taken.done) == ([part], [0])


@given(st.integers(0, 80))
def test_half_of_it_is_not_all_of_it(size: int) -> None:
    taken, whole = Taken(20), sent([b"x" * 20])
    taken.bulk.feed(whole[: min(size, len(whole) - 1)])
    assert taken.done == []


@pytest.mark.parametrize(
    "came",
    [
        pytest.param(f"{NONCE} more n1 o 0 5\n", id="of another name"),
        pytest.param(f"{NONCE} more n0 e 0 5\n", id="of another stream"),
        pytest.param(f"{NONCE} more n0 o 1 5\n", id="from elsewhere"),
        pytest.param(f"{NONCE} more n0 o 0 4\n", id="of another length"),
        pytest.param(f"{NONCE} end\n", id="its end alone"),
        pytest.param(f"{NONCE} more n0 o 0 5\nabc{NONCE} end\n", id="too short"),
        pytest.param(f"{NONCE} more n0 o 0 5\nabcdefg{NONCE} end\n", id="too long"),
        pytest.param(f"{NONCE} more n0 o 0 5\nabcde{NONCE} other\n", id="another end"),
        pytest.param(f"{NONCE} more n0 o 0 5\nabcdetail: cannot open", id="a complaint"),
    ],
)
def test_what_is_not_what_was_announced_is_torn(came: str) -> None:
    taken = Taken(5)
    with pytest.raises(TornOutput):
        taken.bulk.feed(came.encode())
    assert taken.done == []


def test_what_was_not_asked_for_is_passed_over() -> None:
    taken = Taken()
    taken.bulk.feed(b"chatter of a start-up file\n")
    assert taken.done == []

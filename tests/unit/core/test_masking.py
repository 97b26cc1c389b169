"""None of the listed forms of a secret gets through, however the bytes are cut."""

import base64
import json
import re
import shlex
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drrun.core.integrity.masking import SHORTEST, Mask, StreamMask, forms
from drrun.core.integrity.spellings import SPELLINGS

SECRET = "p@ss w0rd/'x'\"ü\\+"
KEY = (
    "-----BEGIN KEY-----\n"
    + "\n".join(3 * ["b3BlbnNzaC1rZXktdjEAAAA+/9"])
    + "\n-----END KEY-----\n"
)

# The mask itself is no secret: a secret of stars can be made by masking another one.
letters = st.characters(codec="utf-8", exclude_characters="*")
secrets = st.text(letters, min_size=SHORTEST, max_size=24).filter(
    lambda secret: len(secret.strip()) >= SHORTEST
)
noise = st.binary(max_size=12) | st.text(string.printable, max_size=12).map(str.encode)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[str], list[bytes]]:
    """Secrets, and chunks of an output that holds their forms, whole and in part, amid noise."""
    chosen = draw(st.lists(secrets, min_size=1, max_size=3))
    spelled = sorted({form for secret in chosen for form in forms(secret)})
    piece = st.one_of(
        noise,
        st.sampled_from(spelled),
        st.tuples(st.sampled_from(spelled), st.integers(0, 12)).map(lambda cut: cut[0][: cut[1]]),
    )
    whole = b"".join(draw(st.lists(piece, max_size=8)))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    ends = zip([0, *cuts], [*cuts, len(whole)], strict=True)
    return chosen, [whole[start:end] for start, end in ends]


def masked(mask: Mask, chunks: list[bytes]) -> bytes:
    stream = StreamMask(mask)
    return b"".join(map(stream.feed, chunks)) + stream.flush()


@pytest.mark.slow
@pytest.mark.faults(74)
@settings(max_examples=400)
@given(streams())
@example((["00\n0"], [b"00\n0"]))
@example((["12\n34\n56"], [b"12\n3", b"4\n56"]))
@example((["a\nbbb"], ["a\nbbb".encode("utf-16-le")]))
def test_no_form_is_left_however_the_stream_is_cut(case: tuple[list[str], list[bytes]]) -> None:
    chosen, chunks = case
    kept = masked(Mask(chosen), chunks)
    left = [
        form for secret in chosen for form in forms(secret) if form in kept and b"*" not in form
    ]
    assert not left


@pytest.mark.slow
@settings(max_examples=400)
@given(streams())
@example((["\r0000"], [b"\r", b"0000"]))
def test_a_stream_is_masked_as_if_it_came_in_one_piece(
    case: tuple[list[str], list[bytes]],
) -> None:
    chosen, chunks = case
    mask = Mask(chosen)
    assert masked(mask, chunks) == mask.raw(b"".join(chunks))


@pytest.mark.slow
@given(streams())
def test_less_than_the_longest_form_is_held_back(case: tuple[list[str], list[bytes]]) -> None:
    chosen, chunks = case
    mask = Mask(chosen)
    for start in range(len(chunks)):
        _, waiting = mask.settled(b"".join(chunks[:start]))
        assert len(waiting) < mask.longest


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        shlex.quote(SECRET),
        "'" + SECRET.replace("'", "'\\''") + "'",
        quote(SECRET),
        quote(SECRET, safe=""),
        re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), quote(SECRET, safe="")),
        quote_plus(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_listed_form_is_masked(form: str) -> None:
    told = Mask([SECRET]).text(f"before {form} after")
    assert told in {"before *** after", "before '***' after", 'before "***" after'}


@pytest.mark.parametrize("before", [b"", b"u", b"u:", b"us:"])
@pytest.mark.parametrize("after", [b"", b"1", b"12"])
def test_a_secret_inside_base64_is_masked_at_every_alignment(before: bytes, after: bytes) -> None:
    coded = base64.b64encode(before + SECRET.encode() + after)
    kept = Mask([SECRET]).raw(coded)
    # What may stay on either side are the neighbours' own characters and up to one mixed with.
    assert b"***" in kept
    assert len(kept) <= len("dTp***sxMg==")


def test_each_line_of_a_secret_with_several_lines_is_masked() -> None:
    told = Mask([KEY]).text("> b3BlbnNzaC1rZXktdjEAAAA+/9\n> -----END KEY-----")
    assert told == "> ***\n> ***"


@pytest.mark.parametrize("width", [64, 76])
def test_a_long_secret_in_wrapped_base64_is_masked(width: int) -> None:
    coded = base64.b64encode(KEY.encode()).decode()
    lines = [coded[start : start + width] for start in range(0, len(coded), width)]
    kept = Mask([KEY]).text("\n".join(lines))
    assert set(kept.replace("\n", "")) == {"*"}


def test_where_one_secret_begins_like_another_the_whole_is_masked() -> None:
    assert Mask(["pass", "password123"]).text("my password123 and pass") == "my *** and ***"


def test_secrets_that_are_too_short_are_left_alone() -> None:
    assert Mask(["", "a", "abc"]).text("a bc abc") == "a bc abc"


def test_ordinary_output_is_passed_on_at_once() -> None:
    stream = StreamMask(Mask([SECRET]))
    assert stream.feed(b"copied 12 files\n") == b"copied 12 files\n"


def test_only_what_may_begin_a_secret_waits() -> None:
    stream = StreamMask(Mask(["s3cret-word"]))
    assert stream.feed(b"copied s3cr") == b"copied "
    assert stream.waiting() == b"s3cr"
    assert stream.feed(b"ets\n") == b"s3crets\n"


def test_texts_are_masked_inside_a_structure() -> None:
    mask = Mask(["s3cret-word"])
    body = {"a": ["is s3cret-word", 3], "s3cret-word": ("x", None)}
    assert mask.structure(body) == {"a": ["is ***", 3], "***": ["x", None]}


def test_text_that_is_no_unicode_passes() -> None:
    assert Mask(["s3cret-word"]).text("\udcff \ud800 s3cret-word") == "\udcff \ud800 ***"


def test_a_mask_does_not_show_what_it_hides() -> None:
    assert repr(Mask(["s3cret-word"])) == "Mask(***)"


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("change", [bytes, bytes.swapcase, bytes.upper, bytes.lower])
def test_every_spelling_is_masked_in_any_case(name: str, change: Callable[[bytes], bytes]) -> None:
    for form in SPELLINGS[name](SECRET):
        raw = form if isinstance(form, bytes) else form.encode()
        told = Mask([SECRET]).raw(b"before (" + change(raw) + b") after")
        assert told.startswith(b"before (")
        assert len(told) <= len("before ('***') after")


@given(st.sampled_from(sorted(SPELLINGS)), st.integers(7, 80), st.integers(0, 80))
def test_a_form_that_is_wrapped_leaves_three_characters_at_most(
    name: str, width: int, column: int
) -> None:
    secret = "correct-horse-battery-staple"
    form = next(iter(SPELLINGS[name](secret)))
    raw = (form if isinstance(form, bytes) else form.encode()).lower()
    text = b"#" * (column % width) + raw
    wrapped = b"\n".join(text[at : at + width] for at in range(0, len(text), width))
    rest = Mask([secret]).raw(wrapped).translate(None, b"\n#*")
    assert len(rest) <= 3


@given(st.text("ab\n\r", max_size=30), st.integers(1, 29))
def test_a_line_break_is_none_of_a_form_wherever_chunks_are_cut(text: str, cut: int) -> None:
    mask, raw = Mask(["aabbaabbaabb"]), text.encode()
    assert masked(mask, [raw[:cut], raw[cut:]]) == mask.raw(raw)


def test_a_line_that_is_complete_is_not_held_back_for_its_last_letters() -> None:
    mask = Mask([SECRET])
    for letter in string.ascii_lowercase:
        stream = StreamMask(mask)
        assert stream.feed(f"file {letter}\n".encode()) == f"file {letter}\n".encode()


def test_a_structure_without_a_secret_is_the_very_same() -> None:
    body = {"a": ["nothing", 3], "b": {"c": "here"}}
    assert Mask([SECRET]).structure(body) is body

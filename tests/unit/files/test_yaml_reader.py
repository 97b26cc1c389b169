"""Faults F1, F2 and F9 to F16: what YAML may do to a careless reader."""

import tracemalloc

import pytest

from drrun.files.yaml.written import plain_value
from drrun.files.yaml.yaml_reader import read_yaml


def only_finding(text: bytes | str) -> str:
    _, findings = read_yaml(text, "f.yaml")
    (finding,) = findings
    return str(finding)


@pytest.mark.faults(1)
def test_a_missing_bracket_is_named_with_line_and_column() -> None:  # F1
    assert only_finding("a: 1\nb: [1, 2\nc: 3\n").startswith("f.yaml:3:2: is not YAML")


@pytest.mark.faults(2)
def test_a_duplicate_key_names_both_lines() -> None:  # F2
    assert only_finding("a: 1\nb: 2\na: 3\n") == (
        "f.yaml:3:1: 'a' is written twice: here and in line 1"
    )


@pytest.mark.parametrize(
    "word", ["on", "no", "22:22", "0755", "2023-11-02", "1.10", ".inf", "1e3"]
)
@pytest.mark.faults(9)
def test_a_word_that_only_yaml_1_1_takes_for_something_else_stays_text(word: str) -> None:  # F9
    written, _ = read_yaml(f"a: {word}\n", "f")
    assert written is not None
    assert plain_value(written) == {"a": word}


def test_numbers_booleans_and_null_of_yaml_1_2_are_read_as_such() -> None:
    written, _ = read_yaml("[1, -2, 0.5, true, False, ~, '1', 'true']", "f")
    assert written is not None
    assert plain_value(written) == [1, -2, 0.5, True, False, None, "1", "true"]


@pytest.mark.faults(10)
def test_a_python_tag_is_refused_and_runs_nothing() -> None:  # F10
    assert "tag" in only_finding("a: !!python/object/apply:os.system ['exit 3']\n")


@pytest.mark.faults(11)
def test_a_merge_key_is_refused() -> None:  # F11
    assert "merge keys" in only_finding("<<: {a: 1}\n")


def anchors(lines: int) -> str:
    first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    rest = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, lines))
    return first + "".join(rest)


BOMBS = {
    "aliases of aliases": anchors(60),
    "5 MB of nested anchors": anchors(70_000),
    "nested braces": "{a: " * 100_000,
    "nested brackets": "[" * 100_000,
    "nested blocks": "".join("  " * depth + "a:\n" for depth in range(2000)),
    "chain of aliases": "a0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 900)),
    "anchors without end": "".join(f"a{n}: &b{n} x\n" for n in range(100_000)),
    "merge keys": "a: &a {x: 1}\n" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(30_000)),
    "50 MB": "a: 1\n" * 10_000_000,
    "many small parts": "[" + "x," * 2_000_000 + "]",
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.faults(11)
def test_a_bomb_is_refused(name: str) -> None:  # F11
    written, findings = read_yaml(BOMBS[name], "f")
    assert findings
    assert name == "merge keys" or written is None


@pytest.mark.faults(11)
def test_5_mb_of_nested_anchors_cost_little_memory() -> None:  # F11
    text = BOMBS["5 MB of nested anchors"]
    assert len(text) > 4_500_000
    tracemalloc.start()
    try:
        read_yaml(text, "f")
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.faults(12)
def test_an_alias_inside_its_own_anchor_is_refused() -> None:  # F12
    assert "inside its own anchor" in only_finding("a: &x [1, *x]\n")


def test_an_honest_anchor_is_repeated() -> None:
    written, findings = read_yaml("a: &x [1, 2]\nb: *x\n", "f")
    assert written is not None
    assert (plain_value(written), findings) == ({"a": [1, 2], "b": [1, 2]}, [])


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n"])
@pytest.mark.faults(13)
def test_an_empty_file_says_that_it_is_empty(text: str) -> None:  # F13
    assert "is empty" in only_finding(text)


@pytest.mark.faults(13)
def test_a_second_document_is_refused_where_it_begins() -> None:  # F13
    assert only_finding("a: 1\n---\nb: 2\n").startswith("f.yaml:2:1: a second document")


@pytest.mark.faults(14)
def test_a_byte_order_mark_and_crlf_change_nothing() -> None:  # F14
    plain = read_yaml(b"a: |\n  x\n  y\nb: 2\n", "f")
    windows = read_yaml(b"\xef\xbb\xbfa: |\r\n  x\r\n  y\r\nb: 2\r\n", "f")
    assert windows == plain


@pytest.mark.faults(14)
def test_a_tab_in_the_indentation_is_named_with_its_line() -> None:  # F14
    assert only_finding("a:\n\tb: 1\n") == (
        "f.yaml:2:1: line 2 is indented with a tab: use spaces"
    )


def test_a_tab_inside_a_script_is_text() -> None:
    written, _ = read_yaml("a: |\n  cat <<-E\n  \tx\n  E\n", "f")
    assert written is not None
    assert plain_value(written) == {"a": "cat <<-E\n\tx\nE\n"}


@pytest.mark.faults(15)
def test_a_byte_that_is_not_utf_8_is_named_with_offset_and_line() -> None:  # F15
    assert only_finding(b"a: 1\nb: \xff\n") == (
        "f.yaml:2:4: is not UTF-8: byte 0xff at offset 8; save it as UTF-8"
    )


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\x85"])
@pytest.mark.faults(15)
def test_a_control_character_is_refused_with_its_place(character: str) -> None:  # F15
    assert only_finding(f"a: 1\nb: x{character}y\n").startswith("f.yaml:2:5: ")


@pytest.mark.faults(15)
def test_a_nul_behind_an_escape_is_refused() -> None:  # F15
    assert "NUL" in only_finding('a: "x\\0y"\n')


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\u2028"])
@pytest.mark.faults(16)
def test_a_character_that_misleads_the_reviewer_is_refused(character: str) -> None:  # F16
    assert "not allowed here" in only_finding(f"a: x{character}y\n")


@pytest.mark.faults(16)
def test_other_unicode_is_kept() -> None:  # F16
    written, findings = read_yaml("a: Zürich 東京 🙂\n", "f")
    assert written is not None
    assert (plain_value(written), findings) == ({"a": "Zürich 東京 🙂"}, [])


def test_a_key_in_braces_is_told_to_be_quoted() -> None:
    assert "put it into quotes" in only_finding("a: {{ inputs.x }}\n")

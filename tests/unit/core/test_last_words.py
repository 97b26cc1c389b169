import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.rules.last_words import last_words


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("sh: 1: ecko: not found\n", "sh: 1: ecko: not found"),
        ("LINE 1: selct 1;\n        ^^^^^\n", "LINE 1: selct 1;"),
        ("Traceback:\n  f()\n  ~~~^^\nValueError: no\n\n", "ValueError: no"),
        ("disk is full\n└──────┘\n   \n-----\n", "disk is full"),
        ("FATAL: no memory\n\x1b[0m\n", "FATAL: no memory"),
        ("\x1b[1;31merror:\x1b[0m no route\n", "error: no route"),
        ("10%\r100%\rcut off\r\n", "cut off"),
        ("", ""),
        ("\n ^ \n***\n", ""),
    ],
)
def test_the_last_line_that_tells_something_is_taken(output: str, said: str) -> None:
    assert last_words(output) == said


def test_standard_output_speaks_only_where_standard_error_says_nothing() -> None:
    assert last_words(" \n", "FATAL: from stdout") == "FATAL: from stdout"
    assert last_words("from stderr", "from stdout") == "from stderr"


_NOISE = st.text(alphabet="^~-─│└┘=*. \t\n")


@given(noise=_NOISE, word=st.from_regex(r"[a-z]{1,20}", fullmatch=True))
def test_no_noise_behind_a_word_hides_it(noise: str, word: str) -> None:
    assert last_words(f"first\n{word}\n{noise}") == word


@given(st.text())
def test_whatever_a_program_prints_is_one_printable_line(output: str) -> None:
    assert last_words(output).isprintable()

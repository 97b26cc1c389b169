"""A script with values, as a shell reads it and as a person does."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.shell_values import assignment, readable

VALUES = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


@given(VALUES)
def test_a_value_means_itself_to_a_shell_whatever_it_is(value: str) -> None:
    line = assignment("drrun_1", value)
    assert shlex.split(line, posix=True) == [f"drrun_1={value}"]


def test_a_script_without_values_is_read_as_it_is() -> None:
    assert readable("echo $HOME\n") == "echo $HOME\n"


def test_a_value_stands_where_it_is_referred_to() -> None:
    script = assignment("drrun_1", "db1") + 'ping "${drrun_1}"'
    assert readable(script) == "ping db1"


def test_a_value_that_is_no_plain_word_stands_in_quotes() -> None:
    script = assignment("drrun_1", "it's here") + 'ls "${drrun_1}"'
    assert readable(script) == r"ls 'it'\''s here'"


def test_a_value_inside_of_quotes_stays_inside() -> None:
    script = assignment("drrun_1", "it's") + """echo 'say '"${drrun_1}"' twice'"""
    assert readable(script) == r"echo 'say it'\''s twice'"


def test_a_value_in_other_text_stands_bare() -> None:
    script = assignment("drrun_1", "7") + "echo $((${drrun_1} + 1))"
    assert readable(script) == "echo $((7 + 1))"


def test_a_masked_secret_is_shown_as_it_was_masked() -> None:
    assert readable('drrun_1=***\nlogin "${drrun_1}"') == "login ***"


def test_a_longer_name_is_not_taken_for_a_shorter_one() -> None:
    script = assignment("drrun_1", "a") + assignment("drrun_10", "b") + 'x "${drrun_10}"'
    assert readable(script) == "x b"


@given(VALUES.filter(lambda text: "drrun_" not in text))
def test_what_a_person_reads_means_the_same_to_a_shell(value: str) -> None:
    script = assignment("drrun_1", value) + 'say "${drrun_1}"'
    assert shlex.split(readable(script)) == ["say", value]

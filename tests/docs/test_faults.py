"""Every fault of the catalogue has a test that shows what is promised, or a reason why not."""

import re

import faults
import pytest


def test_every_fault_has_a_test_or_a_reason() -> None:
    shown = faults.shown()
    wrong = {
        number: entry["promise"]
        for number, entry in faults.promises().items()
        if bool(shown.get(number)) == ("not_covered" in entry)
    }
    assert not wrong, "needs a test with @pytest.mark.faults(NUMBER) or not_covered, and not both"


def test_no_test_names_a_fault_that_is_not_in_the_catalogue() -> None:
    assert set(faults.shown()) <= set(faults.promises())


@pytest.mark.parametrize("letter", ["F", *faults.SECTIONS])
def test_numbers_have_no_gap_and_are_in_order(letter: str) -> None:
    found = [name for name in faults.entries() if name.startswith(letter)]
    assert found == [f"{letter}{number}" for number in range(1, len(found) + 1)]


def test_every_entry_is_of_a_kind_that_the_page_shows() -> None:
    letters = "".join(["F", *faults.SECTIONS])
    assert not [name for name in faults.entries() if not re.fullmatch(rf"[{letters}]\d+", name)]


def test_what_an_entry_refers_to_is_there() -> None:
    known = faults.entries()
    assert not [
        (name, each)
        for name, it in known.items()
        for each in it.get("see", ())
        if each not in known
    ]

"""Every fault of the catalogue has a test that shows what is promised, or a reason why not."""

import faults
import pytest


@pytest.mark.parametrize("number", range(24, 99))
def test_every_fault_has_a_test_or_a_reason(number: int) -> None:
    told = faults.promises()[number]
    assert bool(faults.shown().get(number)) != ("not_covered" in told), told


def test_no_test_names_a_fault_that_is_not_in_the_catalogue() -> None:
    assert set(faults.shown()) <= set(faults.promises())

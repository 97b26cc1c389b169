from pathlib import Path

import pytest

from drrun.cli.runbooks import StepSelection, found_inventory, left_out, read_inputs
from drrun.core.model.errors import InputError
from tests.unit.core.worlds import plan_of, step

PLAN = plan_of(step("a"), step("b", "a"), step("c", "b"), step("side"))


def test_only_leaves_out_every_other_step() -> None:
    assert set(left_out(PLAN, StepSelection(only=["b"]))) == {"a", "c", "side"}


def test_skip_leaves_out_one_step() -> None:
    assert set(left_out(PLAN, StepSelection(skip=["b"]))) == {"b"}


def test_from_leaves_out_what_the_step_needs_and_nothing_else() -> None:
    assert set(left_out(PLAN, StepSelection(since=["c"]))) == {"a", "b"}


def test_why_a_step_is_left_out_names_the_flag() -> None:
    assert left_out(PLAN, StepSelection(since=["b"]))[PLAN.order[0]] == "before --from b"


def test_a_step_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(InputError, match=r"--skip: there is no step 'sied'.*did you mean 'side'"):
        left_out(PLAN, StepSelection(skip=["sied"]))


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (("inventory", "runbooks/inventory", "here/inventory"), "inventory"),
        (("runbooks/inventory", "here/inventory"), "runbooks/inventory"),
        (("here/inventory",), "here/inventory"),
    ],
)
def test_the_inventory_is_found_near_the_runbook(
    there: tuple[str, ...], found: str, tmp_path: Path
) -> None:
    for folder in there:
        (tmp_path / folder).mkdir(parents=True)
    runbook = tmp_path / "runbooks" / "a.yml"
    assert found_inventory(runbook, tmp_path / "here") == (tmp_path / found,)


def test_without_an_inventory_there_is_none(tmp_path: Path) -> None:
    assert found_inventory(tmp_path / "x" / "a.yml", tmp_path) == ()


def test_single_inputs_win_over_files(tmp_path: Path) -> None:
    file = tmp_path / "inputs.yml"
    file.write_text("to: ams\nttl: 5m\n")
    assert read_inputs(["to=fre", f"@{file}"]) == {"to": "fre", "ttl": "5m"}


def test_a_missing_file_of_inputs_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yml: inputs: no such file"):
        read_inputs([f"@{tmp_path}/none.yml"])

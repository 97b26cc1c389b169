"""Whatever a runbook looks like, a step that is cut out of it says the same."""

from pathlib import Path

import pytest

from drrun.core.model.ids import StepId
from drrun.files.runbook.step_text import step_text
from drrun.files.yaml.written import Table, plain_value
from drrun.files.yaml.yaml_reader import read_yaml

RUNBOOKS = sorted((Path(__file__).parents[3] / "runbooks").rglob("*.yml"))


def steps_of(text: str) -> dict[str, object]:
    tree, findings = read_yaml(text, "")
    assert not findings
    assert isinstance(tree, Table)
    found = plain_value(tree).get("steps", {})
    return found if isinstance(found, dict) else {}


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_each_step_of_the_examples_is_cut_out_whole(path: Path) -> None:
    text = path.read_text("utf-8")
    for step, written in steps_of(text).items():
        cut = step_text(text, StepId(step))
        assert cut is not None
        assert steps_of(cut) == {step: written}


def test_comments_and_texts_of_several_lines_stay_as_they_are_written() -> None:
    step = "    a:\n        run: |\n            x\n\n            y\n        # why\n"
    text = f"steps:\n{step}\n    b: {{run: z}}\n"
    wanted = "steps:\n  a:\n      run: |\n          x\n\n          y\n      # why\n"
    assert step_text(text, StepId("a")) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "steps: {a: {run: x, on: [p]}, b: {run: y}}\n",
        "vars: {l: &list [p]}\nsteps:\n  a: {run: x, on: *list}\n",
    ],
)
def test_a_step_that_cannot_be_cut_out_is_written_anew(text: str) -> None:
    assert steps_of(step_text(text, StepId("a")) or "") == {"a": {"run": "x", "on": ["p"]}}


def test_a_step_that_is_not_there_has_no_text() -> None:
    assert step_text("steps: {a: {run: x}}\n", StepId("b")) is None

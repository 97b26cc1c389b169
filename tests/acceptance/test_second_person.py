"""What docs/howto/second-person.md says of other accounts and other laptops."""

from pathlib import Path

import pytest

from tests.programs import Program

RUNBOOK = """
drrun: 1
name: move
secrets: {token: {env: MOVE_TOKEN}}
steps:
  first: {run: "echo {{ secrets.token }} >>$HOME/effects", verify: {run: test -e $HOME/effects}}
  declare: {manual: go on?, evidence: optional, needs: [first]}
  last: {run: echo last >>$HOME/effects, needs: [declare], verify: {run: test -e $HOME/effects}}
"""


@pytest.fixture
def laptop(tmp_path: Path) -> Program:
    """One with a run that waits for a person and that nobody drives."""
    place = Program(tmp_path / "one", {"MOVE_TOKEN": "quiet-harbour-77"})
    place.write("runbooks/move.yml", RUNBOOK)
    place.write("inventory/i.yml", "hosts: {}\n")
    assert place("run", "runbooks/move.yml", "--yes", "--no-input").exit == 3
    return place


def test_no_other_account_can_look_at_the_state(laptop: Program) -> None:
    state = laptop.folder / "state" / "drrun"
    found = [state, *state.rglob("*")]
    assert len(found) > 3
    assert not [str(each) for each in found if each.stat().st_mode & 0o077]


def test_a_run_that_was_taken_along_goes_on_at_another_laptop(
    laptop: Program, tmp_path: Path
) -> None:
    assert laptop.here("export", "-o", "move.tar.gz").exit == 0
    other = Program(tmp_path / "two", {"MOVE_TOKEN": "quiet-harbour-77"})
    other.write("move.tar.gz", (laptop.folder / "move.tar.gz").read_bytes())
    assert other.here("import", "move.tar.gz").exit == 0
    assert other.here("confirm", "latest", "declare", "--by", "bob").exit == 0
    resumed = other("resume", "--no-input")
    steps = {each["id"]: each["status"] for each in other.json("status", "latest")["steps"]}
    assert steps == dict.fromkeys(("first", "declare", "last"), "passed"), resumed.err

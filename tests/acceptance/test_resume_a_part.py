"""`resume --only` and `--from` begin nothing else, and make nothing else count as done."""

from pathlib import Path

from tests.programs import Program

RUNBOOK = """
drrun: 1
name: part
steps:
  a: {run: "echo a >> $HOME/did; test -e $HOME/fixed", verify: {run: "true"}}
  b: {run: "echo b >> $HOME/did; test -e $HOME/fixed", verify: {run: "true"}}
  after-b: {needs: [b], run: "echo after-b >> $HOME/did", verify: {run: "true"}}
"""


def failed(folder: Path) -> Program:
    """A run in which a and b have failed; they would pass now."""
    drrun = Program(folder)
    drrun.write("runbooks/it.yml", RUNBOOK)
    drrun.write("inventory/hosts.yml", "hosts: {}\n")
    assert drrun("run", "runbooks/it.yml", "--yes", "--no-input").exit == 1
    drrun.write("fixed", "")
    (folder / "did").unlink()
    return drrun


def did(drrun: Program) -> list[str]:
    return (drrun.folder / "did").read_text().split()


def statuses(drrun: Program) -> dict[str, str]:
    return {each["id"]: each["status"] for each in drrun.json("status", "latest")["steps"]}


def test_only_the_step_that_is_named_is_tried_again(tmp_path: Path) -> None:
    drrun = failed(tmp_path)
    drrun("resume", "latest", "--no-input", "--only", "b")
    assert did(drrun) == ["b"]
    assert statuses(drrun) == {"a": "failed", "b": "passed", "after-b": "blocked"}
    assert drrun("resume", "latest", "--no-input").exit == 0
    assert sorted(did(drrun)) == ["a", "after-b", "b"]


def test_from_a_step_on_everything_that_needs_it_goes_on_too(tmp_path: Path) -> None:
    drrun = failed(tmp_path)
    drrun("resume", "latest", "--no-input", "--from", "b")
    assert did(drrun) == ["b", "after-b"]
    assert statuses(drrun) == {"a": "failed", "b": "passed", "after-b": "passed"}


def test_what_is_left_to_do_pauses_the_run_and_the_reason_is_told(tmp_path: Path) -> None:
    drrun = Program(tmp_path)
    asking = RUNBOOK.replace("  a: {", "  ask: {manual: Go?}\n  a: {needs: [ask], ")
    drrun.write("runbooks/it.yml", asking.replace("  b: {", "  b: {needs: [ask], "))
    drrun.write("inventory/hosts.yml", "hosts: {}\n")
    drrun.write("fixed", "")
    assert drrun("run", "runbooks/it.yml", "--yes", "--no-input").exit == 3
    drrun.here("confirm", "latest", "ask")
    done = drrun("resume", "latest", "--yes", "--no-input", "--only", "b")
    assert (done.exit, did(drrun)) == (3, ["b"]), done.err
    assert "only b had to go on" in drrun.json("status", "latest")["why"]
    assert statuses(drrun)["a"] == "pending"
    assert drrun("resume", "latest", "--no-input").exit == 0


def test_a_step_that_does_not_exist_is_named_with_the_nearest(tmp_path: Path) -> None:
    drrun = failed(tmp_path)
    done = drrun("resume", "latest", "--only", "after-c")
    assert (done.exit, "did you mean 'after-b'" in done.err) == (2, True), done.err

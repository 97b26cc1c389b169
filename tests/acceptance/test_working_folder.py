"""Commands of the controller begin beside the runbook, where its local files are."""

from pathlib import Path

from tests.programs import Program

RUNBOOK = """
drrun: 1
name: places
steps:
  write: {run: echo hello > here.txt, verify: {run: test -s here.txt}}
  below: {needs: [write], run: echo hello > here.txt, chdir: below, verify: {run: "true"}}
  copied:
    needs: [write]
    uses: fetch
    with: {from: here.txt, to: copied.txt}
    verify: {run: cmp "$PWD/here.txt" copied.txt}
  elsewhere: {run: pwd, chdir: /, capture: {at: stdout}, verify: {run: "true"}}
"""


def test_a_local_command_finds_what_it_wrote_wherever_drrun_is_called_from(tmp_path: Path) -> None:
    drrun = Program(tmp_path)
    drrun.write("runbooks/it.yml", RUNBOOK)
    drrun.write("runbooks/below/empty", "")
    drrun.write("inventory/hosts.yml", "hosts: {}\n")
    done = drrun("run", "runbooks/it.yml", "--yes", "--no-input")
    assert done.exit == 0, done.err
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.txt"))
    assert written == ["runbooks/below/here.txt", "runbooks/copied.txt", "runbooks/here.txt"]

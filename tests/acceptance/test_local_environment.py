"""What commands on the controller see of drrun's environment."""

from pathlib import Path

from drrun.engine.environment import INHERITED
from tests.programs import Program

LOOKING = """
drrun: 1
name: looking
secrets:
  token: {env: DR_TOKEN}
steps:
  look:
    on: local
    run: "env >seen; { tr '\\\\0' '\\\\n' </proc/$PPID/environ >>seen; } 2>/dev/null || :"
    chdir: FOLDER
    verify: {run: env >>FOLDER/seen}
  named:
    needs: [look]
    run: printf %s "$TOKEN" >named
    chdir: FOLDER
    env: {TOKEN: "{{ secrets.token }}"}
    verify: {run: "true"}
  scripted:
    uses: script
    with: {source: script.sh}
    verify: {run: "true"}
"""


def test_a_command_on_the_controller_sees_no_secret_that_it_does_not_name(
    tmp_path: Path,
) -> None:
    program = Program(tmp_path, {"DR_TOKEN": "s3cret-of-mine", "VAULT_TOKEN": "of-another"})
    program.write("looking.yml", LOOKING.replace("FOLDER", str(tmp_path)))
    program.write("script.sh", f"#!/bin/sh\nenv >>{tmp_path}/seen\n")
    done = program("run", "looking.yml", "--yes")
    assert done.exit == 0, done.err
    seen = (tmp_path / "seen").read_text()
    assert "s3cret-of-mine" not in seen
    assert "of-another" not in seen
    names = {line.partition("=")[0] for line in seen.splitlines()}
    assert names >= {"PATH", "HOME"}
    assert names - {*INHERITED, "PWD", "OLDPWD", "SHLVL", "_"} == set()
    assert (tmp_path / "named").read_text() == "s3cret-of-mine"

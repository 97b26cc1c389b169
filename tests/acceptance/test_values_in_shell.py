"""A hostile value from the command line to the host's shell, and what people are shown of it."""

import json
from pathlib import Path

import pytest

from drrun.cli.exit import Exit
from tests.programs import Program

RUNBOOK = """
drrun: 1
name: hostile
inputs: {v: {type: string}, n: {type: string, default: "1"}}
steps:
  act:
    shell: bash
    run: |
      x=$(cat <<EOF
      {{ inputs.v }}
      EOF
      )
      cat >out <<'EOF'
      $x is '{{ inputs.v }}'
      EOF
      echo $(( {{ inputs.n }} + 1 )) >>out
    chdir: FOLDER
    verify: {run: "test -s out && test {{ inputs.v }} = '{{ inputs.v }}'", chdir: FOLDER}
"""
HOSTILE = 'EOF) ; touch pwned; (:\nit\'s $(touch pwned) "`touch pwned`"\nEOF\ntouch pwned'


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("inventory/hosts.yml", "hosts: {db1: {address: 127.0.0.1}}\n")
    program.write("runbooks/hostile.yml", RUNBOOK.replace("FOLDER", str(tmp_path)))
    return program


def test_a_hostile_value_is_written_as_it_is(program: Program) -> None:
    done = program("run", "runbooks/hostile.yml", "--yes", "-e", f"v={HOSTILE}")
    assert done.exit == Exit.DONE, done.err
    assert not (program.folder / "pwned").exists()
    assert (program.folder / "out").read_text() == f"$x is '{HOSTILE}'\n2\n"
    shown = program("show", "latest", "act").out
    assert "drrun_" not in shown
    assert "x=$(cat <<EOF" in shown
    told = json.loads(program("show", "latest", "act", "--json").out)
    (attempt,) = told["targets"][0]["attempts"]
    assert attempt["command"].startswith("drrun_inputs_v='EOF) ; touch pwned")


@pytest.mark.parametrize("command", [("validate",), ("plan",), ("run", "--yes")])
def test_a_value_that_cannot_be_computed_with_is_refused_before_the_run(
    program: Program, command: tuple[str, ...]
) -> None:
    name, *rest = command
    done = program(name, "runbooks/hostile.yml", *rest, "-e", "v=x", "-e", "n=a[$(touch pwned)]")
    assert done.exit == Exit.INVALID
    said = done.out + done.err
    assert "{{ inputs.n }} is used where the shell computes with it" in said
    assert "hostile.yml:" in said
    assert not (program.folder / "pwned").exists()

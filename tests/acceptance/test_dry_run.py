"""`run --mode dry-run` reads, shows what a live run would do, and changes nothing anywhere."""

import hashlib
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import Sshd

RUNBOOK = """
drrun: 1
name: dry
secrets: {token: {env: DRY_TOKEN}}
steps:
  make:
    run: "cd; mkdir made; echo {{ secrets.token }}"
    on: db1
    verify: {run: test -d $HOME/made}
  put: {uses: copy, with: {content: x, to: "{{ host.vars.home }}/put"}, on: db1}
  there: {run: touch $HOME/no, on: db1, done_when: {file: "{{ host.vars.home }}"}}
  needs-made:
    run: touch $HOME/made/file
    on: db1
    needs: [make]
    guard: {run: "test -d {{ host.vars.home }}/made"}
  asked: {manual: go on?, needs: [needs-made]}
  looks: {run: touch $HOME/no, on: db1, dry_run: {run: echo would copy 7 files}, needs: [asked]}
  here: {run: "touch {{ inputs.folder }}/no"}
  point-of-no-return: {run: touch $HOME/no, on: db1, irreversible: true, needs: [looks]}
inputs: {folder: {type: string}}
"""


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    program = Program(tmp_path, {"DRY_TOKEN": "quiet-harbour-77"})
    program.inventory({"db1": sshd})
    program.write("runbooks/dry.yml", RUNBOOK)
    return program


def tree(folder: Path) -> str:
    """One hash of all names, contents, modes and times below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        digest.update(f"{path} {status.st_mode} {status.st_mtime_ns} {status.st_size}".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def dry(program: Program) -> str:
    where = f"folder={program.folder}"
    done = program("run", "runbooks/dry.yml", "--mode", "dry-run", "--yes", "-e", where)
    assert done.exit == 0, done.err
    return done.out


@pytest.mark.faults(105)
def test_the_host_is_bit_identical_afterwards(program: Program, sshd: Sshd) -> None:
    before = tree(sshd.home)
    dry(program)
    assert tree(sshd.home) == before


def test_the_controller_is_left_alone_too(program: Program) -> None:
    dry(program)
    assert not (program.folder / "no").exists()


def test_the_exact_commands_are_shown_with_secrets_masked(program: Program) -> None:
    shown = dry(program)
    assert "mkdir made; echo ***" in shown
    assert "quiet-harbour-77" not in shown


def test_a_check_of_a_change_that_was_not_made_is_tolerated_and_named(program: Program) -> None:
    shown = dry(program)
    assert "does not hold yet: run: test -d" in shown
    assert "1 guard does not hold yet" in shown


def test_what_is_done_already_is_told(program: Program) -> None:
    assert "done already   there@db1" in dry(program)


def test_the_action_written_for_dry_runs_is_executed(program: Program) -> None:
    dry(program)
    assert "would copy 7 files" in program.here("logs", "latest", "looks").out


def test_nobody_is_asked(program: Program) -> None:
    assert program.json("history")["runs"] == []
    dry(program)
    assert {step["status"] for step in program.json("status", "latest")["steps"]} == {
        "passed",
        "skipped",
    }


def test_a_guard_that_no_step_would_change_fails_the_dry_run(program: Program) -> None:
    program.write(
        "runbooks/bad.yml",
        "drrun: 1\nname: bad\nsteps:\n  a: {run: 'true', on: db1, guard: {run: 'false'}}\n",
    )
    done = program("run", "runbooks/bad.yml", "--mode", "dry-run", "--yes")
    assert done.exit == 1, done.err


def test_the_record_says_for_ever_that_it_was_a_dry_run(program: Program) -> None:
    dry(program)
    assert program.json("history")["runs"][0]["mode"] == "dry-run"


SEEN = """
drrun: 1
name: seen
secrets: {password: {env: DRY_TOKEN}}
services: {shop: {title: The shop}}
roles: {commander: {people: [alice, carol]}}
steps:
  stop: {run: "false", on: db1, verify: {run: "true"}}
  carry-over:
    needs: [stop]
    uses: rsync
    on: db1
    with: {source: /there/is/nothing/, to: "{{ host.vars.home }}/"}
    verify: {run: test -e carried}
  conf:
    uses: template
    on: db1
    with: {source: app.j2, to: "{{ host.vars.home }}/app.conf", vars: {db: shop}}
    approval: {role: commander, count: 2}
    verify: {run: "true"}
    raises: {shop: read-write}
  note: {uses: copy, on: db1, with: {content: "hello\\n", to: "{{ host.vars.home }}/note"}}
  there: {run: "false", done_when: {run: "true"}}
"""
TEMPLATE = "db = {{ db }}\npassword = {{ secrets.password }}\nport = 80\n"


def seen(program: Program, sshd: Sshd, runbook: str = SEEN) -> Done:
    program.write("runbooks/seen.yml", runbook)
    program.write("runbooks/app.j2", TEMPLATE)
    (sshd.home / "app.conf").write_text("db = old\npassword = former-one\nport = 80\n")
    (sshd.home / "note").write_text("hello\n")
    return program("run", "runbooks/seen.yml", "--mode", "dry-run", "--yes", "--no-input")


def test_what_failed_is_counted_and_the_run_does_not_end_with_0(
    program: Program, sshd: Sshd
) -> None:
    done = seen(program, sshd)
    assert done.exit == 7, done.err
    assert "Would execute 3, 1 done already, 1 fault. Nothing was changed" in done.out
    assert "5 steps: would execute 3, 1 done already, 1 fault" in done.err
    assert "fault          carry-over@db1: exit 1: the source /there/is/nothing/" in done.out
    assert "The shop" not in done.err.partition("drrun: driving")[2]
    told = program.json("status", "latest")
    assert (told["dry"], told["services"]) == ({"execute": 3, "already": 1, "faults": 1}, [])


def test_gates_and_probes_of_each_step_are_shown(program: Program, sshd: Sshd) -> None:
    shown = seen(program, sshd).out
    assert "asks: approval by 2 of commander" in shown
    assert "verify: run: test -e carried" in shown


def test_what_would_become_of_a_file_is_shown_and_no_secret_of_it_old_or_new(
    program: Program, sshd: Sshd
) -> None:
    shown = seen(program, sshd).out
    block = shown.partition("\nconf@db1 on db1")[2].partition("asks:")[0]
    for line in ("| +db = shop", "| +password = ***", "|  port = 80"):
        assert line in block, shown
    assert "| the same already" in shown.partition("\nnote@db1")[2]
    for secret in ("former-one", "quiet-harbour-77"):
        assert secret not in shown
        assert secret not in program.here("logs", "latest", "conf").out
    assert (sshd.home / "app.conf").read_text().startswith("db = old")


def test_a_step_that_would_ask_for_approval_asks_nobody_in_a_dry_run(
    program: Program, sshd: Sshd
) -> None:
    seen(program, sshd)
    assert "GateOpened" not in program.here("events", "latest", "--json").out


def test_a_value_that_only_a_real_step_finds_out_is_no_fault(program: Program, sshd: Sshd) -> None:
    runbook = """
drrun: 1
name: seen
steps:
  find: {run: echo 1, on: db1, capture: {serial: {regex: '(\\d+)'}}, verify: {run: "true"}}
  put:
    needs: [find]
    uses: copy
    on: db1
    with: {content: "{{ steps.find.serial }}", to: "{{ host.vars.home }}/serial"}
"""
    done = seen(program, sshd, runbook)
    assert done.exit == 0, done.err
    assert "cannot be known before the steps that come first" in done.out

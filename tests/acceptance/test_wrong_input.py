"""Wrong input ends with exit 2 and a message that says where and what, never with a traceback."""

from pathlib import Path

import pytest

from tests.programs import Program

GOOD = """\
drrun: 1
name: good
steps:
  a: {run: "true", verify: {run: "true"}}
"""
STEP = "drrun: 1\nname: bad\nsteps:\n"
#: What is wrong -> (the file's bytes, what the message says).
CASES: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "empty"),
    "not YAML": (b"drrun: 1\nname: [bad\nsteps: }\n", "bad.yml:3:"),
    "a list at the top": (b"- a\n- b\n", "bad.yml:1:1"),
    "a duplicate step": (f"{STEP}  a: {{run: x}}\n  a: {{run: y}}\n".encode(), "bad.yml:5:3"),
    "an unknown key": (f"{STEP}  a: {{run: x, verfy: []}}\n".encode(), "did you mean 'verify'"),
    "an unknown host": (f"{STEP}  a: {{run: x, on: db9}}\n".encode(), "bad.yml:4:"),
    "a cycle of three": (
        f"{STEP}  a: {{run: x, needs: c}}\n  b: {{run: x, needs: a}}\n"
        "  c: {run: x, needs: b}\n".encode(),
        "a -> c -> b -> a",
    ),
    "an undefined variable": (f'{STEP}  a: {{run: "echo {{{{ nobody }}}}"}}\n'.encode(), "nobody"),
    "a wrong type": (f"{STEP}  a: {{run: [x]}}\n".encode(), "bad.yml:4:"),
    "a bad duration": (
        f"{STEP}  a: {{run: x, timeout: soon}}\n".encode(),
        "'soon' is not a duration",
    ),
    "a tab": (f"{STEP}\ta: {{run: x}}\n".encode(), "bad.yml:4:1"),
    "bytes that are no UTF-8": (b"drrun: 1\nname: \xff\xfe\n", "bad.yml:2:7"),
    "nested anchors of 5 MB": (
        b"a: &a [x, x]\n"
        + b"".join(
            f"k{n}: &k{n} [*{'a' if n == 0 else f'k{n - 1}'}, "
            f"*{'a' if n == 0 else f'k{n - 1}'}] # {'x' * 90000}\n".encode()
            for n in range(55)
        ),
        "bad.yml:",
    ),
    "a runbook of another format": (b"drrun: 2\nname: x\nsteps: {}\n", "bad.yml:1:8"),
    "two actions": (f"{STEP}  a: {{run: x, manual: y}}\n".encode(), "bad.yml:4:"),
    "no action": (f"{STEP}  a: {{title: x}}\n".encode(), "bad.yml:4:"),
}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("inventory/hosts.yml", "hosts: {db1: {}}\n")
    return program


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.faults(1)
def test_wrong_input_ends_with_exit_2_and_its_place(
    program: Program, case: str, command: str
) -> None:
    raw, words = CASES[case]
    program.write("bad.yml", raw)
    # What begins runs is tried as a process of its own.
    ask = program if command == "run" else program.here
    done = ask(command, "bad.yml", *(["--yes"] if command == "run" else []))
    said = done.out + done.err
    assert (done.exit, words in said, "Traceback" in said) == (2, True, False), said


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_a_missing_file_ends_with_exit_2(program: Program, command: str) -> None:
    done = program(command, "nowhere.yml", *(["--yes"] if command == "run" else []))
    assert (done.exit, "nowhere.yml" in done.err) == (2, True)


def test_all_errors_are_told_at_once(program: Program) -> None:
    program.write(
        "bad.yml", f"{STEP}  a: {{run: x, verfy: []}}\n  b: {{run: x, timeout: soon, needs: q}}\n"
    )
    done = program("validate", "bad.yml")
    said = done.out + done.err
    assert all(word in said for word in ("verfy", "soon", "'q'"))


def test_nothing_is_begun_where_nobody_said_yes(program: Program) -> None:
    program.write("good.yml", GOOD)
    done = program("run", "good.yml")
    assert (done.exit, program.json("history")["runs"]) == (2, [])

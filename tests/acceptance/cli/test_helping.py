"""Help that helps: groups, examples, words of other tools, RUN left out, the Tab key."""

import shlex
from difflib import SequenceMatcher
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from drrun.cli.catalogue import COMMANDS
from drrun.cli.context import CommandContext
from drrun.cli.foreign import COMMAND_HINTS, GRAVE, OPTION_HINTS, meant_command
from drrun.cli.main import drrun
from tests.programs import Program

RUNBOOK = """
drrun: 1
name: tiny
steps:
  declare: {manual: go on?}
  restore: {run: "true", needs: [declare], verify: {run: "true"}}
  far: {on: db1, when: "false", run: "true", needs: [restore], verify: {run: "true"}}
"""


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A place with one run, which waits for somebody to confirm `declare`."""
    place = Program(tmp_path_factory.mktemp("waiting"))
    place.write("runbooks/tiny.yml", RUNBOOK)
    place.write(
        "inventory/i.yml", "hosts: {db1: {address: 192.0.2.1}, db2: {}}\nsites: {ams: {}}\n"
    )
    begin(place)
    return place


def begin(place: Program) -> str:
    done = place("run", "runbooks/tiny.yml", "--yes", "--no-input")
    assert done.exit == 3, done.err
    return done.out.strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_in_its_help_that_it_would_take(
    name: str, waiting: Program
) -> None:
    told = waiting.here(name, "--help").out
    example = COMMANDS[name].example
    assert f"Example:\n    {example}" in told
    program, called, *words = shlex.split(example.partition(" > ")[0])
    assert (program, called) == ("drrun", name)
    context = click.Context(drrun, info_name="drrun", obj=CommandContext())
    command = drrun.get_command(context, name)
    assert command is not None
    command.make_context(name, words, parent=context)


def test_the_help_page_lists_every_command_once_in_a_group(waiting: Program) -> None:
    lines = [line.split()[0] for line in waiting.here("--help").out.splitlines()
             if line.startswith("  ") and line.split()[0] in COMMANDS]  # fmt: skip
    assert sorted(lines) == sorted(COMMANDS)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("list", "drrun history"), ("check", "drrun validate"), ("apply", "drrun run"),
     ("statsu", "drrun status"), ("rolback", "drrun rollback"), ("stop", "drrun pause")],
)  # fmt: skip
def test_a_foreign_or_mistyped_word_is_answered_with_what_was_meant(
    word: str, meant: str, waiting: Program
) -> None:
    done = waiting.here(word)
    assert (done.exit, f"Did you mean: {meant}" in done.err) == (2, True), done.err


def test_no_foreign_word_leads_to_what_cannot_be_taken_back() -> None:
    for hint in COMMAND_HINTS.values():
        named = [part.split()[1] for part in hint.split(",") if part.strip().startswith("drrun ")]
        assert not GRAVE & set(named), hint
    assert not COMMAND_HINTS.keys() & COMMANDS.keys()


def test_no_slip_in_a_harmless_word_leads_to_what_cannot_be_taken_back() -> None:
    for name in COMMANDS.keys() - GRAVE:
        slips = {name[:at] + name[at + 1 :] for at in range(len(name))}
        slips |= {name[:at] + letter + name[at + 1 :] for at in range(len(name))
                  for letter in "aeiorstl"}  # fmt: skip
        for slip in slips - COMMANDS.keys():
            meant = meant_command(slip, COMMANDS).removeprefix("drrun ")
            alike = SequenceMatcher(None, slip, meant).ratio()
            assert meant not in GRAVE or alike >= 0.85, (slip, meant)


@pytest.mark.parametrize("option", ["--check", "--tags", "-v", "--start-at-task", "--forks"])
def test_an_option_of_another_tool_is_answered_with_ours(option: str, waiting: Program) -> None:
    done = waiting.here("run", "runbooks/tiny.yml", option)
    assert done.exit == 2
    assert f"No such option: {option}. Here it is: {OPTION_HINTS[option]}" in done.err


def test_a_run_that_is_left_out_is_the_latest_for_whoever_looks(waiting: Program) -> None:
    for words in (("status",), ("show",), ("events",), ("verify-journal",)):
        done = waiting.here(*words)
        assert (done.exit, done.err) in ((0, ""), (3, "")), done.err


def test_an_act_on_a_run_that_is_left_out_says_which_it_took(tmp_path: Path) -> None:
    place = Program(tmp_path)
    place.write("runbooks/tiny.yml", RUNBOOK)
    place.write("inventory/i.yml", "hosts: {db1: {address: 192.0.2.1}}\n")
    first = begin(place)
    done = place.here("note", "slow pages")
    assert (done.exit, f"drrun: run {first}" in done.err) == (0, True), done.err
    second = begin(place)
    refused = place.here("note", "slow pages")
    assert refused.exit == 2
    assert all(run in refused.err for run in (first, second, "say which")), refused.err
    assert place.here("note", "latest", "slow pages").exit == 0


def test_what_is_missing_besides_the_run_is_named(waiting: Program) -> None:
    done = waiting.here("approve")
    assert (done.exit, "Missing argument 'STEP[@TARGET]'" in done.err) == (2, True), done.err


def offered(place: Program, *words: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the Tab key offers behind these words, of which the last is not finished."""
    monkeypatch.chdir(place.folder)
    for name, value in place.own.items():
        monkeypatch.setenv(name, value)
    *before, unfinished = words
    shell = ShellComplete(drrun, {"obj": CommandContext()}, "drrun", "_DRRUN_COMPLETE")
    return [each.value for each in shell.get_completions(before, unfinished)]


def test_the_tab_key_offers_commands_runs_steps_targets_and_hosts(
    waiting: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tab(*words: str) -> list[str]:
        return offered(waiting, *words, monkeypatch=monkeypatch)

    run = waiting.json("status", "latest")["run"]
    assert "status" in tab("sta")
    assert tab("status", run[:6]) == [run]
    assert tab("show", run, "re") == ["restore"]
    assert tab("show", "latest", "far@") == ["far@db1"]
    assert tab("approve", "dec") == ["declare"]
    assert tab("approve", "latest", "") == ["declare", "restore", "far"]
    assert tab("set-route", "latest", "db") == ["db1", "db2"]
    assert tab("lost", "latest", "s") == ["site:ams"]


def test_the_tab_key_offers_nothing_where_something_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Program(tmp_path)
    place.write("state/drrun/state.db", "no database")
    assert offered(place, "show", "x", "re", monkeypatch=monkeypatch) == []
    assert offered(place, "lost", "x", "", monkeypatch=monkeypatch) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_calls_drrun(shell: str, waiting: Program) -> None:
    done = waiting.here("completion", shell)
    assert (done.exit, "_DRRUN_COMPLETE" in done.out) == (0, True)

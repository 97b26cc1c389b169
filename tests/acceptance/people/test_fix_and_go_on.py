"""The plan was wrong: it is corrected, and the same run goes on."""

from pathlib import Path

import pytest

from tests.programs import Program
from tests.sshd import Sshd
from tests.verdicts import events

TYPO = """\
drrun: 1
name: typo
title: A night
steps:
  # the first one
  one:
    run: echo one >>$HOME/effects
    verify: {run: "true"}
  two:
    run: ecko two >>$HOME/effects
    needs: [one]
    verify: {run: "true"}
  three:
    run: echo three >>$HOME/effects
    needs: [two]
    verify: {run: "true"}
"""
RUNBOOK = "runbooks/it.yml"


@pytest.fixture
def failed(tmp_path: Path) -> Program:
    """A run in which `two` failed, for want of a command called ecko."""
    program = Program(tmp_path)
    program.write(RUNBOOK, TYPO)
    program.write("inventory/hosts.yml", "hosts: {}\n")
    assert program("run", RUNBOOK, "--yes", "--no-input").exit == 1
    return program


def edit(program: Program, old: str, new: str) -> None:
    text = (program.folder / RUNBOOK).read_text()
    assert old in text
    program.write(RUNBOOK, text.replace(old, new))


def effects(program: Program) -> list[str]:
    return (program.folder / "effects").read_text().split()


def test_a_typo_that_is_corrected_in_the_file_is_taken_into_the_run(failed: Program) -> None:
    """The night's point A: the most common event of a real recovery."""
    edit(failed, "ecko two", "echo two")
    refused = failed("resume", "latest", "--no-input")
    assert refused.exit == 2
    assert "--accept-changes" in refused.err
    assert "--pinned" in refused.err
    assert "-     run: ecko two >>$HOME/effects" in refused.err, refused.err
    taken = failed(
        "resume", "latest", "--no-input", "--accept-changes", "--yes", "--reason", "a typo"
    )
    assert taken.exit == 0, taken.err
    assert effects(failed) == ["one", "two", "three"]
    amended = next(each for each in events(failed) if each["kind"] == "PlanAmended")
    assert (amended["body"]["changed"], amended["body"]["why"]) == (["two"], "a typo")


def test_a_run_that_took_edited_files_is_not_asked_about_them_again(failed: Program) -> None:
    edit(failed, "ecko two", "ecko zwei")
    given = ("--no-input", "--accept-changes", "--yes", "--reason", "try it")
    assert failed("resume", "latest", *given).exit == 1
    assert failed("resume", "latest", "--no-input").exit == 1
    edit(failed, "ecko zwei", "echo two")
    assert failed("resume", "latest", *given).exit == 0
    assert effects(failed) == ["one", "two", "three"]


def test_without_a_reason_or_a_yes_no_edit_is_taken(failed: Program) -> None:
    edit(failed, "ecko two", "echo two")
    for given, wanted in (
        (("--yes",), "--accept-changes"),
        (("--accept-changes", "--yes"), "--reason"),
        (("--accept-changes", "--reason", "x"), "--yes"),
    ):
        done = failed("resume", "latest", "--no-input", *given)
        assert (done.exit, wanted in done.err) == (2, True), done.err
    assert effects(failed) == ["one"]


def test_what_has_passed_is_not_rewritten_by_an_edited_file(failed: Program) -> None:
    edit(failed, "echo one", "echo eins")
    edit(failed, "ecko two", "echo two")
    done = failed("resume", "latest", "--no-input", "--accept-changes", "--yes", "--reason", "x")
    assert done.exit == 2
    assert "one has passed" in done.err, done.err
    assert "two has" not in done.err
    assert "--pinned" in done.err


def test_a_step_that_was_taken_out_of_the_file_is_named_with_the_way_out(failed: Program) -> None:
    edit(failed, TYPO[TYPO.index("  three:") :], "")
    done = failed("resume", "latest", "--no-input", "--accept-changes", "--yes", "--reason", "x")
    assert (done.exit, "drrun skip RUN three" in done.err) == (2, True), done.err


def test_a_title_an_estimate_or_a_comment_needs_no_question_and_no_flag(failed: Program) -> None:
    edit(failed, "title: A night", "title: The night")
    edit(failed, "# the first one", "# the very first")
    edit(failed, "  one:\n", "  one:\n    estimate: 3s\n    title: The first\n")
    done = failed("resume", "latest", "--no-input")
    assert done.exit == 1, done.err  # two fails as before
    assert "changed" not in done.err
    assert '"The first"' in failed.here("status", "latest", "--json").out


def test_a_wrong_variable_of_the_runbook_is_corrected_as_well(tmp_path: Path) -> None:
    program = Program(tmp_path)
    text = TYPO.replace("title:", "vars: {tool: ecko}\ntitle:").replace(
        "run: ecko two >>$HOME/effects", "run: '{{ vars.tool }} two >>$HOME/effects'"
    )
    program.write(RUNBOOK, text)
    program.write("inventory/hosts.yml", "hosts: {}\n")
    assert program("run", RUNBOOK, "--yes", "--no-input").exit == 1
    edit(program, "tool: ecko", "tool: echo")
    given = ("--no-input", "--accept-changes", "--yes", "--reason", "typo")
    done = program("resume", "latest", *given)
    assert done.exit == 0, done.err
    assert effects(program) == ["one", "two", "three"]


def test_an_edit_and_an_amendment_of_other_steps_both_hold(failed: Program) -> None:
    more = (
        'steps: {three: {run: echo drei >>$HOME/effects, needs: [two], verify: {run: "true"}}}\n'
    )
    failed.write("more.yml", more)
    assert failed.here("amend", "latest", "more.yml", "--reason", "German").exit == 0
    edit(failed, "ecko two", "echo two")
    given = ("--no-input", "--accept-changes", "--yes", "--reason", "typo")
    assert failed("resume", "latest", *given).exit == 0
    assert effects(failed) == ["one", "two", "drei"]


def test_a_skip_that_was_forgotten_leaves_nothing_out_silently(failed: Program) -> None:
    """The night's point C: a stale skip left out 'start the database'."""
    kept = failed.here("skip", "latest", "two", "--reason", "x", "--by", "alice")
    assert "kept for later" in kept.err
    assert "drrun withdraw" in kept.err
    for view in (("status", "latest"), ("show", "latest"), ("show", "latest", "two")):
        assert "alice" in failed.here(*view).out, view
    listed = failed.here("events", "latest")
    assert "skip two --reason x" in listed.out + listed.err
    done = failed("resume", "latest", "--no-input")
    assert done.exit == 2, done.err
    assert all(word in done.err for word in ("--yes", "--drop-kept", "skip two", "alice"))
    assert "StepSkipped" not in failed.here("events", "latest").out


def test_kept_requests_are_dropped_or_done_by_a_word(failed: Program) -> None:
    failed.here("skip", "latest", "two", "--reason", "x", "--by", "alice")
    assert failed("resume", "latest", "--no-input", "--drop-kept").exit == 1
    withdrawn = next(each for each in events(failed) if each["kind"] == "RequestWithdrawn")
    assert withdrawn["body"]["asker"] == "alice"
    failed.here("skip", "latest", "two", "--reason", "x", "--by", "alice")
    failed("resume", "latest", "--no-input", "--yes")
    assert effects(failed) == ["one", "three"]


def test_a_kept_request_is_withdrawn(failed: Program) -> None:
    failed.here("skip", "latest", "two", "--reason", "x", "--by", "alice")
    number = failed.json("status", "latest")["kept"][0]["id"]
    done = failed.here("withdraw", "latest", str(number), "--reason", "no", "--by", "bob")
    assert (done.exit, "withdrawn: skip two" in done.err) == (0, True), done.err
    assert not failed.json("status", "latest")["kept"]
    assert "bob" in failed.here("events", "latest").out
    again = failed.here("withdraw", "latest", str(number))
    assert (again.exit, "no request" in again.err) == (2, True)
    assert failed("resume", "latest", "--no-input").exit == 1


def test_a_request_about_a_step_that_was_corrected_since_has_lapsed(failed: Program) -> None:
    failed.here("skip", "latest", "two", "--reason", "x", "--by", "alice")
    fix = 'steps: {two: {run: echo two >>$HOME/effects, needs: [one], verify: {run: "true"}}}\n'
    failed.write("fix.yml", fix)
    assert failed.here("amend", "latest", "fix.yml", "--reason", "typo").exit == 0
    done = failed("resume", "latest", "--no-input")
    assert done.exit == 0, done.err
    assert effects(failed) == ["one", "two", "three"]
    assert "it has lapsed" in failed.here("events", "latest").out


def test_a_kept_retry_of_a_step_that_resume_opens_is_fulfilled(failed: Program) -> None:
    failed.here("retry", "latest", "two", "--by", "alice")
    assert failed("resume", "latest", "--no-input").exit == 1
    assert not [each for each in events(failed) if each["kind"] == "RequestRefused"]
    assert sum(each["kind"] == "AttemptIntended" for each in events(failed)) == 3


def editor(program: Program, script: str) -> dict[str, str]:
    """An editor that changes the file that it is given with a sed script."""
    path = program.write("editor", f'#!/bin/sh\nsed -i {script} "$1"\n')
    path.chmod(0o755)
    return {"VISUAL": str(path)}


def test_a_failed_step_is_corrected_in_the_editor(failed: Program) -> None:
    mine = editor(failed, "'s/ecko/echo/'")
    done = failed("edit", "latest", "two", "--reason", "typo", **mine)
    assert (done.exit, "changed two; open again: three" in done.err) == (0, True), done.err
    assert failed("resume", "latest", "--no-input").exit == 0
    assert effects(failed) == ["one", "two", "three"]


def test_a_bad_edit_changes_nothing_and_is_kept(failed: Program) -> None:
    mine = editor(failed, "'s/needs:/wants:/'")
    done = failed("edit", "latest", "two", "--reason", "typo", **mine)
    assert done.exit == 2
    assert "two.yml:4:5" in done.err, done.err
    kept = done.err.partition("drrun amend ")[2].split()[1]
    assert "wants: [one]" in Path(kept).read_text()
    assert not [each for each in events(failed) if each["kind"] == "PlanAmended"]


def test_an_editor_that_changes_nothing_changes_nothing(failed: Program) -> None:
    done = failed("edit", "latest", "two", "--reason", "typo", VISUAL="true")
    assert (done.exit, "nothing was changed" in done.err) == (0, True), done.err


def test_a_passed_step_is_not_opened_in_the_editor(failed: Program) -> None:
    done = failed("edit", "latest", "one", "--reason", "typo", VISUAL="false")
    assert (done.exit, "one has passed" in done.err) == (2, True), done.err


def test_an_edited_step_is_edited_again_as_it_was_written_last(failed: Program) -> None:
    failed("edit", "latest", "two", "--reason", "1", **editor(failed, "'s/ecko two/ecko zwei/'"))
    done = failed("edit", "latest", "two", "--reason", "2", **editor(failed, "'s/ecko/echo/'"))
    assert done.exit == 0, done.err
    assert failed("resume", "latest", "--no-input").exit == 0
    assert effects(failed) == ["one", "zwei", "three"]


@pytest.fixture
def wide(tmp_path: Path, sshd: Sshd) -> Program:
    """One server as two hosts, and a group of both."""
    program = Program(tmp_path)
    program.inventory({"web1": sshd, "web2": sshd, "db1": sshd})
    program.write(
        RUNBOOK,
        """\
drrun: 1
name: wide
steps:
  net: {run: echo net >>$HOME/effects, on: [web1, web2], verify: {run: "true"}}
  db: {run: echo db >>$HOME/effects, on: db1, needs: [net], verify: {run: "true"}}
  app: {run: echo app >>$HOME/effects, on: web1, needs: [db], verify: {run: "true"}}
""",
    )
    return program


def test_a_limit_acts_on_no_other_host_and_says_what_it_leaves_out(
    wide: Program, sshd: Sshd
) -> None:
    done = wide("run", RUNBOOK, "--yes", "--no-input", "--limit", "web1")
    assert done.exit == 0, done.err
    assert (sshd.home / "effects").read_text().split() == ["net", "app"]
    assert "db: acts on no host of --limit web1" in done.err, done.err
    assert "net on web2: not in --limit" in done.err
    started = next(each for each in events(wide) if each["kind"] == "RunStarted")
    assert started["body"]["options"]["without"] == {"net": ["web2"]}


def test_a_limit_that_names_nothing_is_refused(wide: Program) -> None:
    done = wide("run", RUNBOOK, "--yes", "--no-input", "--limit", "web9")
    assert (done.exit, "web9" in done.err) == (2, True), done.err


def test_everything_that_failed_on_a_host_is_tried_again(wide: Program, sshd: Sshd) -> None:
    text = (wide.folder / RUNBOOK).read_text()
    wide.write(RUNBOOK, text.replace("echo net >>", "test -e $HOME/there && echo net >>"))
    assert wide("run", RUNBOOK, "--yes", "--no-input").exit == 1
    (sshd.home / "there").touch()
    refused = wide.here("retry", "--on", "db1")
    assert (refused.exit, "nothing on db1" in refused.err) == (2, True), refused.err
    done = wide.here("retry", "--on", "web2", "--by", "alice")
    assert "kept for later" in done.err, done.err
    assert "retry --on web2" in wide.here("status").out
    assert wide("resume", "latest", "--no-input").exit == 0
    assert not [each for each in events(wide) if each["kind"] == "RequestRefused"]

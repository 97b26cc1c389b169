"""Requests were kept while nobody drove the run; then it is rolled back."""

from pathlib import Path

import pytest

from tests.programs import Program
from tests.sshd import Sshd, SshdFactory
from tests.verdicts import events

RUNBOOK = "runbooks/it.yml"
TEXT = """\
drrun: 1
name: two-hosts
steps:
  a: {run: touch $HOME/a, on: h1, verify: {run: test -e $HOME/a}, undo: {run: rm $HOME/a}}
  b:
    {run: touch $HOME/b, on: h2, needs: [a], verify: {run: test -e $HOME/b},
     undo: {run: rm $HOME/b}}
  f: {run: exit 1, needs: [b], verify: {run: "true"}}
"""


@pytest.fixture
def server(sshd_factory: SshdFactory) -> Sshd:
    return sshd_factory.start()


@pytest.fixture
def failed(tmp_path: Path, server: Sshd) -> Program:
    """A run that acted on h1 and on h2, and failed after that."""
    program = Program(tmp_path)
    program.inventory({"h1": server, "h2": server})
    program.write(RUNBOOK, TEXT)
    assert program("run", RUNBOOK, "--yes", "--no-input", "--by", "bob").exit == 1
    return program


def kinds(program: Program, kind: str) -> list[dict[str, str]]:
    return [each["body"] for each in events(program) if each["kind"] == kind]


def test_a_rollback_does_not_act_on_a_host_that_was_declared_lost_before_it(
    failed: Program, server: Sshd
) -> None:
    assert "kept" in failed.here("lost", "latest", "host:h2", "--reason", "fire").err
    done = failed("rollback", "latest", "--yes", "--no-input")
    assert done.exit == 7, done.err
    assert "lost host:h2 --reason fire" in done.err
    assert [each["thing"] for each in kinds(failed, "Lost")] == ["host:h2"]
    assert not kinds(failed, "RequestWithdrawn")
    assert [each["step"] for each in kinds(failed, "NotRolledBack")] == ["b"]
    assert (server.home / "b").exists()  # nobody has contacted h2


@pytest.mark.parametrize(
    "given",
    [
        ("skip", "latest", "f", "--reason", "we do without"),
        ("mark-done", "latest", "f", "--reason", "by hand"),
        ("retry", "latest", "f"),
    ],
)
@pytest.mark.parametrize("flags", [(), ("--drop-kept",)])
def test_what_changes_the_course_is_shown_before_a_rollback_and_done_or_withdrawn_by_a_word(
    failed: Program, server: Sshd, given: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    assert "kept for later" in failed.here(*given, "--by", "alice").err
    done = failed("rollback", "latest", "--yes", "--no-input", *flags)
    assert done.exit == 0, done.err
    assert f"alice: {given[0]} f" in done.err
    assert len(kinds(failed, "RequestWithdrawn")) == len(flags)
    assert not kinds(failed, "RequestRefused")
    assert not [each for each in ("a", "b") if (server.home / each).exists()]
    assert [each["step"] for each in kinds(failed, "AttemptIntended")].count("f") == 1


def test_a_request_after_which_nothing_is_rolled_back_stops_the_rollback_before_it_begins(
    failed: Program, server: Sshd
) -> None:
    """Otherwise a kept retry would be done, and the rollback would go forward."""
    failed.here("retry", "latest", "f", "--by", "alice")
    lost = failed.here("lost", "latest", "person:bob", "--reason", "asleep", "--by", "alice")
    assert "kept for later" in lost.err, lost.err
    before = len(events(failed))
    done = failed("rollback", "latest", "--yes", "--no-input", "--by", "bob")
    assert (done.exit, "bob was declared lost" in done.err) == (2, True), done.err
    assert len(events(failed)) == before
    assert (server.home / "b").exists()


def test_a_kept_retry_of_a_host_is_fulfilled_by_the_resume_that_opens_it(failed: Program) -> None:
    text = TEXT.replace("run: exit 1", "run: exit 1, on: h1")
    failed.write(RUNBOOK, text)
    assert failed("run", RUNBOOK, "--yes", "--no-input").exit == 1
    assert "kept for later" in failed.here("retry", "latest", "--on", "h1", "--by", "alice").err
    assert "alice: retry --on h1" in failed("resume", "latest", "--no-input").err
    assert not kinds(failed, "RequestRefused")
    assert [each["step"] for each in kinds(failed, "AttemptIntended")].count("f") == 2

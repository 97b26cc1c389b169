"""What the launcher on a host promises, with each shell that /bin/sh may be.

Rules:
- The words are those at the head of launcher.sh; the promises those of attempts.md.
"""

import dataclasses
import os
import shutil
import signal
from pathlib import Path

import pytest

from drrun.core.integrity.chain import Head
from drrun.ports.hands import Memory
from drrun.ssh import launcher_answers as a
from drrun.ssh.launcher_answers import KeptOutput
from tests.contract.launcher.conftest import Open
from tests.contract.launcher.launchers import MARK, Ground, Launcher, digest


def decision(launcher: Launcher, name: str) -> Path:
    return launcher.ground.runs / launcher.run / f"{name}.d"


def fifo(ground: Ground) -> Path:
    path = ground.home / "go-on"
    os.mkfifo(path)
    return path


# --- an attempt --------------------------------------------------------------------------------


def test_an_attempt_says_that_it_begins_and_how_it_ended(any_launcher: Launcher) -> None:
    ended = any_launcher.finish("n", "echo out; echo err >&2; exit 7")
    begun = any_launcher.hear(a.CommandBegun, "n")
    assert ended == a.CommandEnded("n", 7, KeptOutput(4, b"out\n"), KeptOutput(4, b"err\n"), MARK)
    assert decision(any_launcher, "n").read_text().split()[:2] == ["begun", str(begun.pid)]


def test_it_leads_a_session_of_its_own(any_launcher: Launcher) -> None:
    any_launcher.start("n", "read never </dev/tty || exec sleep 1000")
    begun = any_launcher.hear(a.CommandBegun, "n")
    assert (begun.leads, os.getsid(begun.pid)) == (True, begun.pid)


@pytest.mark.faults(66)
def test_asking_twice_executes_once(any_launcher: Launcher) -> None:
    effects = any_launcher.ground.home / "effects"
    any_launcher.start("n", f"echo once >>{effects}")
    any_launcher.start("n", f"echo once >>{effects}")
    any_launcher.hear(a.AttemptExists, "n")
    any_launcher.hear(a.CommandEnded, "n")
    any_launcher.quiet()
    assert effects.read_text() == "once\n"


@pytest.mark.faults(46)
@pytest.mark.parametrize("arrives", ["line", "half a line", "request"])
def test_a_request_that_is_cut_is_not_obeyed(
    any_ground: Ground, opens: Open, arrives: str
) -> None:
    effects = any_ground.home / "effects"
    first = opens(any_ground)
    cut = {"line": f"echo 1 >>{effects}\n", "half a line": f"echo 1 >>{effects}", "request": ""}
    first.send(f"start n {first.end} - 2 - - /bin/sh\n{cut[arrives]}".encode())
    first.leave()
    second = opens(any_ground)
    assert (second.look("n").word, effects.exists()) == ("absent", False)
    assert second.withdraw("n") == "won"


def test_it_reads_nothing_of_the_channel(any_launcher: Launcher) -> None:
    any_launcher.start("n", "cat; echo end")
    any_launcher.send(b"ping behind\n")
    assert any_launcher.hear(a.CommandEnded, "n").out == KeptOutput(4, b"end\n")
    any_launcher.hear(a.Pong)


def test_it_has_the_mask_and_folder_of_the_login(ground: Ground, opens: Open) -> None:
    mask = os.umask(0o027)
    try:
        launcher = opens(ground)
        launcher.finish("n", "mkdir made")
    finally:
        os.umask(mask)
    assert oct((ground.home / "made").stat().st_mode & 0o777) == "0o750"


def test_it_sees_none_of_our_variables_and_options(any_launcher: Launcher) -> None:
    names = (
        "name token epoch boot lines input user shell mask nonce reader here line start leads text"
    )
    script = "".join(f'[ "${{{each}+set}}" ] && echo {each}\n' for each in names.split())
    script += 'case $- in *[fC]*) echo "options $-" ;; esac; echo $#'
    assert any_launcher.finish("n", script).out.data == b"0\n"


def test_what_may_be_a_secret_is_in_no_argument_and_no_environment(
    any_launcher: Launcher,
) -> None:
    go_on = fifo(any_launcher.ground)
    any_launcher.put("n.i", b"")
    any_launcher.start("n", f"password=s3cr3t\nread line <{go_on}")
    any_launcher.hear(a.CommandBegun, "n")
    shown = shown_by_processes()
    go_on.write_text("\n")
    any_launcher.hear(a.CommandEnded, "n")
    assert b"s3cr3t" not in shown


def shown_by_processes() -> bytes:
    """Arguments and environments of all."""
    shown = b""
    for each in list(Path("/proc").glob("[0-9]*")):
        for what in ("cmdline", "environ"):
            try:
                shown += (each / what).read_bytes()
            except OSError:
                continue
    return shown


# --- the decision ------------------------------------------------------------------------------


def test_what_was_withdrawn_never_begins(any_launcher: Launcher) -> None:
    effects = any_launcher.ground.home / "effects"
    assert any_launcher.withdraw("n") == "won"
    any_launcher.start("n", f"echo 1 >>{effects}")
    any_launcher.hear(a.AttemptExists, "n")
    assert (any_launcher.look("n").word, effects.exists()) == ("withdrawn", False)


def test_what_has_begun_cannot_be_withdrawn(any_launcher: Launcher) -> None:
    any_launcher.finish("n", "true")
    assert (any_launcher.withdraw("n"), any_launcher.look("n").word) == ("lost", "ended")


@pytest.mark.faults(66, 92)
def test_a_replaced_controller_starts_and_withdraws_nothing(
    any_ground: Ground, opens: Open
) -> None:
    old, new = opens(any_ground, epoch=4), None
    old.quiet()
    new = opens(any_ground, epoch=5)
    new.quiet()
    stale = a.TokenStale("n", Memory(5, "c1", Head(1, digest(1))))
    old.start("n", "true")
    assert old.hear(a.TokenStale, "n") == stale
    old.send(b"withdraw n\n")
    assert old.hear(a.TokenStale, "n") == stale
    assert new.look("n").word == "absent"
    assert new.finish("m", "true").code == 0


@pytest.mark.faults(115)
def test_a_copy_with_the_same_token_is_told_from_the_one_that_the_host_obeys(
    any_ground: Ground, opens: Open
) -> None:
    first = opens(any_ground, controller="c1")
    first.quiet()
    opens(any_ground, controller="c2").quiet()
    first.start("n", "true")
    assert first.hear(a.TokenStale, "n").memory.controller == "c2"


# --- what the host remembers -------------------------------------------------------------------


def memory_of(ground: Ground, opens: Open) -> Memory | None:
    """What the next launcher is told."""
    return opens(ground, claims=False).ready.memory


@pytest.mark.faults(115)
def test_the_end_of_the_journal_is_remembered_with_each_start(
    any_ground: Ground, opens: Open
) -> None:
    launcher = opens(any_ground, epoch=3)
    assert launcher.ready.memory is None
    for seq in (1, 9, 10, 123456):
        launcher.seq = seq
        launcher.finish(f"n{seq}", "true")
        assert memory_of(any_ground, opens) == Memory(3, "c1", Head(seq, digest(seq)))


def test_a_request_that_is_late_takes_nothing_from_what_is_remembered(
    any_ground: Ground, opens: Open
) -> None:
    launcher = opens(any_ground, seq=10)
    launcher.seq = 9
    launcher.finish("n", "true")
    assert memory_of(any_ground, opens) == Memory(1, "c1", Head(10, digest(10)))


def test_the_end_is_remembered_without_a_start(any_ground: Ground, opens: Open) -> None:
    launcher = opens(any_ground)
    launcher.send(f"note 7 {digest(7)}\n".encode())
    launcher.quiet()
    assert memory_of(any_ground, opens) == Memory(1, "c1", Head(7, digest(7)))


def test_who_only_looks_at_what_is_remembered_changes_and_starts_nothing(
    any_ground: Ground, opens: Open
) -> None:
    opens(any_ground, epoch=5).quiet()
    before = (any_ground.runs / "run" / "head").read_bytes()
    looks = opens(any_ground, epoch=6, claims=False)
    assert looks.ready.memory == Memory(5, "c1", Head(1, digest(1)))
    looks.start("n", "true")
    looks.process.wait(60)
    assert (any_ground.runs / "run" / "head").read_bytes() == before
    assert not decision(looks, "n").exists()


def test_of_two_that_look_before_either_acts_one_may_act(any_ground: Ground, opens: Open) -> None:
    slow, quick = (opens(any_ground, controller=each, claims=False) for each in ("c1", "c2"))
    assert (slow.ready.memory, quick.ready.memory) == (None, None)
    quick.claim()
    quick.quiet()
    slow.claim()
    assert slow.hear(a.TokenStale).memory == Memory(1, "c2", Head(1, digest(1)))
    slow.process.wait(60)
    assert quick.finish("n", "true").code == 0


def test_a_memory_that_was_torn_is_none_and_the_folder_was_lost(
    any_ground: Ground, opens: Open
) -> None:
    opens(any_ground).quiet()
    for torn in (b"", bytes(120), b"3 c1\n"):
        (any_ground.runs / "run" / "head").write_bytes(torn)
        (any_ground.runs / "run" / "lost").unlink(missing_ok=True)
        ready = opens(any_ground, known=True, claims=False).ready
        assert (ready.memory, ready.lost) == (None, True)


def test_a_folder_of_an_older_launcher_was_not_lost(any_ground: Ground, opens: Open) -> None:
    opens(any_ground).quiet()
    (any_ground.runs / "run" / "head").rename(any_ground.runs / "run" / "epoch")
    ready = opens(any_ground, known=True).ready
    assert (ready.memory, ready.lost) == (None, False)


def test_a_host_that_was_met_and_told_nothing_has_lost_nothing(
    any_ground: Ground, opens: Open
) -> None:
    """Its controller died between the two."""
    opens(any_ground, claims=False).quiet()
    assert not opens(any_ground, known=True).ready.lost


# --- the mark ----------------------------------------------------------------------------------


def test_an_outcome_bears_the_mark_of_its_attempt(any_launcher: Launcher) -> None:
    assert any_launcher.finish("n", "true", mark="beef").mark == "beef"
    assert any_launcher.look("n").mark == "beef"


def test_an_outcome_of_an_older_launcher_bears_none(any_launcher: Launcher) -> None:
    any_launcher.finish("n", "exit 12")
    decision(any_launcher, "n").with_suffix(".x").write_text("12 end\n")
    state = any_launcher.look("n")
    assert (state.word, state.code, state.mark) == ("ended", 12, "")


def test_the_mark_is_nowhere_before_the_end(any_launcher: Launcher) -> None:
    go_on, mark = fifo(any_launcher.ground), "f00dcafe12345678"
    any_launcher.start("n", f"read line <{go_on}", mark=mark)
    any_launcher.hear(a.CommandBegun, "n")
    shown = shown_by_processes()
    for path in (any_launcher.ground.runs / "run").iterdir():
        shown += path.read_bytes()
    go_on.write_text("\n")
    assert any_launcher.hear(a.CommandEnded, "n").mark == mark
    assert mark.encode() not in shown


# --- what earlier controllers left --------------------------------------------------------------


def test_outputs_that_are_left_are_listed_and_go(any_ground: Ground, opens: Open) -> None:
    first = opens(any_ground)
    first.check("true")
    first.finish("n", "echo out")
    first.hear(a.QuestionEnded, "n,0")
    first.ask("q1-1", "true")
    first.kill()
    second = opens(any_ground)
    second.send(b"left\n")
    second.quiet()
    left = sorted(each.name for each in second.said if isinstance(each, a.Left))
    assert left == ["n", "n,0", "q1-1"]
    second.send(b"forget n q1-1\n")
    second.eventually(lambda: not list((any_ground.runs / "run").glob("*.[oei]")))
    assert second.look("n").word == "ended"


def test_each_of_two_requests_of_one_launcher_knows_which_of_them_won(
    launcher: Launcher,
) -> None:
    """Both are read before either has decided."""
    for index in range(20):
        name, script = f"n{index}", b"true\n"
        request = f"start {name} {launcher.end} {MARK} 1 - - /bin/sh\n".encode() + script
        launcher.send(request * 2)
        launcher.hear(a.CommandEnded, name)
        launcher.hear(a.AttemptExists, name)
        assert not launcher.heard(a.CommandEnded, name)


# --- what outlives it --------------------------------------------------------------------------


def test_an_attempt_outlives_its_launcher_and_is_found_by_the_next(
    any_ground: Ground, opens: Open
) -> None:
    go_on = fifo(any_ground)
    first = opens(any_ground)
    first.start("n", f"read line <{go_on}; echo $line; exit 3")
    first.hear(a.CommandBegun, "n")
    first.kill()
    second = opens(any_ground)
    assert second.look("n").word == "running"
    go_on.write_text("went on\n")
    state = second.await_state("n", "ended")
    assert (state.code, state.out) == (3, KeptOutput(8, b"went on\n"))


def test_a_channel_that_is_gone_before_it_begins_stops_nothing(
    any_ground: Ground, opens: Open
) -> None:
    effects = any_ground.home / "effects"
    first = opens(any_ground)
    first.quiet()
    first.start("n", f"echo 1 >>{effects}; echo out; exit 3")
    first.hang_up()
    second = opens(any_ground)
    state = second.await_state("n", "ended")
    assert (state.code, effects.read_text()) == (3, "1\n")


# --- what is seen of it ------------------------------------------------------------------------


def test_a_running_one_is_seen_with_what_it_printed_and_its_age(any_launcher: Launcher) -> None:
    any_launcher.start("n", "echo early; exec sleep 1000")
    begun = any_launcher.hear(a.CommandBegun, "n")
    while (state := any_launcher.look("n")).out.size == 0:
        pass
    assert (state.word, state.out, state.begun) == ("running", KeptOutput(6, None), begun)
    assert state.age is not None
    assert 0 <= state.age < 3600


def test_a_decision_without_its_last_word_is_torn(any_launcher: Launcher) -> None:
    for name, text in {
        "a": "",
        "b": "begun 99999999 2",
        "c": "begun 99999999 2 b 1 N.1 1 1\n",
    }.items():
        any_launcher.quiet()
        decision(any_launcher, name).write_text(text)
        assert any_launcher.look(name).word == "torn", text


def test_an_exit_code_without_its_last_word_is_none(launcher: Launcher) -> None:
    launcher.finish("n", "exit 12")
    decision(launcher, "n").with_suffix(".x").write_text("1")
    assert launcher.look("n").word in ("gone", "ending")


@pytest.mark.faults(56)
def test_an_attempt_of_an_earlier_boot_is_told_from_a_running_one(
    any_launcher: Launcher,
) -> None:
    any_launcher.start("n", "exec sleep 1000")
    any_launcher.hear(a.CommandBegun, "n")
    path, boot = decision(any_launcher, "n"), any_launcher.ready.boot
    whole = path.read_text()
    path.write_text(whole.replace(boot, "another-boot"))
    assert any_launcher.look("n").word == "rebooted"
    path.write_text(whole)
    assert any_launcher.look("n").word == "running"


@pytest.mark.faults(62)
def test_another_process_with_its_number_is_told_from_it(any_launcher: Launcher) -> None:
    any_launcher.start("n", "exec sleep 1000")
    begun = any_launcher.hear(a.CommandBegun, "n")
    path = decision(any_launcher, "n")
    whole = path.read_text()
    path.write_text(whole.replace(f" {begun.start} ", " 1 "))
    assert any_launcher.look("n").word != "running"
    path.write_text(whole)


@pytest.mark.faults(55)
def test_one_that_is_killed_ends_with_its_signal(any_launcher: Launcher) -> None:
    any_launcher.start("n", "kill -9 $$")
    assert any_launcher.hear(a.CommandEnded, "n").code == 128 + signal.SIGKILL


def test_one_that_nobody_waits_for_is_gone_without_a_code(any_launcher: Launcher) -> None:
    any_launcher.start("n", "exec sleep 1000")
    begun = any_launcher.hear(a.CommandBegun, "n")
    waits = int(decision(any_launcher, "n").read_text().split()[-2])
    os.kill(waits, signal.SIGKILL)
    os.killpg(begun.pid, signal.SIGKILL)
    assert any_launcher.await_state("n", "gone").code is None


def test_one_whose_exit_code_may_still_come_is_ending(any_launcher: Launcher) -> None:
    any_launcher.start("n", "exec sleep 1000")
    begun = any_launcher.hear(a.CommandBegun, "n")
    waits = int(decision(any_launcher, "n").read_text().split()[-2])
    os.kill(waits, signal.SIGSTOP)
    os.killpg(begun.pid, signal.SIGKILL)
    any_launcher.await_state("n", "ending")
    os.kill(waits, signal.SIGCONT)
    assert any_launcher.await_state("n", "ended").code == 128 + signal.SIGKILL


def test_an_output_that_is_lost_is_told_from_an_empty_one(any_launcher: Launcher) -> None:
    any_launcher.finish("n", "true")
    assert any_launcher.look("n").out == KeptOutput()
    decision(any_launcher, "n").with_suffix(".o").unlink()
    state = any_launcher.look("n")
    assert (state.out, state.err) == (KeptOutput(gone=True), KeptOutput())


# --- what is asked besides ---------------------------------------------------------------------


def test_checks_are_answered_behind_a_good_end_in_order(any_launcher: Launcher) -> None:
    any_launcher.check("echo first; exit 4")
    any_launcher.check("echo second >&2")
    any_launcher.start("n", "true")
    kinds = (a.CommandBegun, a.CommandEnded, a.QuestionEnded)
    assert isinstance(any_launcher.first("n", *kinds), a.CommandBegun)
    assert isinstance(any_launcher.first("n", *kinds), a.CommandEnded)
    first = any_launcher.hear(a.QuestionEnded)
    second = any_launcher.hear(a.QuestionEnded)
    assert first == a.QuestionEnded("n,0", 4, KeptOutput(6, b"first\n"), KeptOutput())
    assert second == a.QuestionEnded("n,1", 0, KeptOutput(), KeptOutput(7, b"second\n"))


def test_checks_are_not_asked_behind_a_bad_end(any_launcher: Launcher) -> None:
    any_launcher.check("true")
    any_launcher.finish("n", "false")
    assert any_launcher.ask("q", "true").code == 0
    assert not any_launcher.heard(a.QuestionEnded, "n,0")
    assert not any_launcher.heard(a.CommandBegun, "n,0")


def test_checks_belong_to_one_attempt_alone(any_launcher: Launcher) -> None:
    any_launcher.check("true")
    any_launcher.finish("n", "true")
    any_launcher.hear(a.QuestionEnded, "n,0")
    any_launcher.finish("m", "true")
    any_launcher.ask("q", "true")
    assert not any_launcher.heard(a.QuestionEnded, "m,0")


def test_a_question_decides_about_nothing(any_launcher: Launcher) -> None:
    said = any_launcher.ask("q", "echo answer; exit 2")
    assert said == a.QuestionEnded("q", 2, KeptOutput(7, b"answer\n"), KeptOutput())
    assert not decision(any_launcher, "q").exists()


def test_another_shell_shows_by_a_mark_that_it_executes(any_launcher: Launcher) -> None:
    bash = shutil.which("bash")
    any_launcher.start("n", "echo ${BASH_VERSION:+bash}", who=f"- {bash}")
    assert any_launcher.hear(a.CommandEnded, "n").out.data == b"begun n\nbash\n"


def test_a_shell_that_is_not_there_shows_no_mark(any_launcher: Launcher) -> None:
    any_launcher.start("n", "echo executed", who="- /nowhere/sh")
    ended = any_launcher.hear(a.CommandEnded, "n")
    assert (ended.out, ended.code) in ((KeptOutput(), 127), (KeptOutput(), 126))


@pytest.mark.root
def test_another_user_shows_by_a_mark_that_it_executes(ground: Ground, opens: Open) -> None:
    launcher = opens(ground)
    launcher.start("n", "id -u", who="root /bin/sh")
    launcher.start("m", "id -u", who="nobody-at-all /bin/sh")
    assert launcher.hear(a.CommandEnded, "n").out.data == b"begun n\n0\n"
    ended = launcher.hear(a.CommandEnded, "m")
    assert (ended.out, ended.code) == (KeptOutput(), 1)


# --- what is sent ahead ------------------------------------------------------------------------


def test_what_is_sent_ahead_is_read_by_the_command_and_then_gone(any_launcher: Launcher) -> None:
    files = any_launcher.ground.runs / "run"
    assert any_launcher.put("n", b"cat; ls " + str(files).encode() + b"\nin\0put")
    any_launcher.send(f"start n {any_launcher.end} - 1 n.i - /bin/sh\n".encode())
    out = any_launcher.hear(a.CommandEnded, "n").out.data or b""
    assert out.startswith(b"in\0put")
    assert b"n.i" not in out


def test_half_of_what_is_sent_ahead_is_nothing(any_ground: Ground, opens: Open) -> None:
    first = opens(any_ground)
    first.send(b"put n 100\nhalf")
    first.leave()
    assert first.hear(a.InputStored, "n") == a.InputStored("n", whole=False)
    assert not (any_ground.runs / "run" / "n.i").exists()


def test_what_another_launcher_sends_ahead_does_not_disturb_who_reads(
    any_ground: Ground, opens: Open
) -> None:
    """It holds the same, and may be cut in the middle."""
    go_on = fifo(any_ground)
    first, second = opens(any_ground), opens(any_ground)
    first.put("n", f"read line <{go_on}; cat\n".encode() + b"whole" * 20_000)
    # One that has it open already; whoever begins deletes it.
    first.send(b"ask n 1 n.i - /bin/sh\n")
    first.hear(a.CommandBegun, "n")
    second.send(b"put n 100000\nhalf")
    second.leave()
    go_on.write_text("\n")
    said = first.hear(a.QuestionEnded, "n")
    assert first.output(said)[0] == b"whole" * 20_000


# --- tidying up --------------------------------------------------------------------------------


def test_what_is_forgotten_is_gone_and_the_decision_stays(any_launcher: Launcher) -> None:
    any_launcher.check("echo checked")
    any_launcher.finish("n", "echo out")
    any_launcher.hear(a.QuestionEnded, "n,0")
    folder = any_launcher.ground.runs / "run"
    any_launcher.send(b"forget n\n")
    while (folder / "n,0.o").exists() or (folder / "n.o").exists() or (folder / "n.e").exists():
        any_launcher.quiet()
    any_launcher.start("n", "true")
    any_launcher.hear(a.AttemptExists, "n")
    assert any_launcher.look("n").code == 0


def test_runs_and_their_attempts_are_listed_and_dropped(any_ground: Ground, opens: Open) -> None:
    opens(any_ground).finish("n", "exit 3")
    tidies = opens(any_ground, run="")
    assert tidies.list("runs") == [a.LeftRun("run")]
    listed = [(each.word, each.name, each.code) for each in tidies.list("list run")]  # type: ignore[union-attr]
    assert listed == [("ended", "n", 3)]
    tidies.list("drop run")
    assert not any_ground.runs.exists()


def test_a_run_that_is_going_on_elsewhere_is_not_dropped_with_it(
    any_ground: Ground, opens: Open
) -> None:
    opens(any_ground, run="other").finish("n", "true")
    launcher = opens(any_ground)
    launcher.finish("n", "true")
    launcher.list("drop run")
    assert [each.name for each in any_ground.runs.iterdir()] == ["other"]


@pytest.mark.faults(67)
def test_output_beyond_the_limit_does_not_fill_the_disk(
    home: Path, tmp_path: Path, opens: Open
) -> None:
    # Whoever keeps outputs short looks at them now and then; here, very often.
    hurried = tmp_path / "hurried"
    hurried.mkdir()
    (hurried / "sleep").write_text("#!/bin/sh\necho look >>$HOME/looks\nexec /bin/sleep 0.05\n")
    (hurried / "sleep").chmod(0o755)
    ground = Ground(home, path=f"{hurried}:{os.environ['PATH']}")
    go_on, printed = fifo(ground), home / "printed"
    launcher = opens(ground, kept=5000)
    large = "head -c 100000 /dev/zero"
    launcher.start("n", f"read line <{go_on}; {large}; echo >{printed}; read line <{go_on}")
    launcher.hear(a.CommandBegun, "n")
    # It begins once a command is seen to take longer than a moment.
    assert launcher.look("n").word == "running"
    looks = home / "looks"
    # It goes on as long as there is something to look at.
    launcher.eventually(lambda: looks.exists() and len(looks.read_text().split()) > 3)
    go_on.write_text("\n")
    launcher.eventually(printed.exists)
    launcher.eventually(lambda: launcher.look("n").out.size == 5000)
    go_on.write_text("\n")
    assert launcher.hear(a.CommandEnded, "n").out == KeptOutput(5000, None)


@pytest.mark.faults(44)
def test_a_host_without_setsid_tells_truly_whether_a_command_leads(
    any_ground: Ground, tmp_path: Path, opens: Open
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("mkdir", "ls", "mv", "rm", "sleep", "od", "wc", "find", "dd"):
        (tools / name).symlink_to(str(shutil.which(name)))
    launcher = opens(dataclasses.replace(any_ground, path=str(tools)))
    launcher.start("n", "exec sleep 1000")
    begun = launcher.hear(a.CommandBegun, "n")
    assert begun.leads == (os.getpgid(begun.pid) == begun.pid)
    # Some shells have groups only where there is a terminal.
    assert begun.leads or not any_ground.shell.endswith("bash")

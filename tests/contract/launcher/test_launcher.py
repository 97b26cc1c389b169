"""What the launcher on a host promises, in every shell it may meet: dash, bash, busybox."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[3] / "drrun" / "ssh" / "launcher.sh"
SHELLS = (["dash"], ["bash"], ["bash", "--posix"], ["busybox", "ash"])
LIMIT = 1_000_000


class Launcher:
    """A resident launcher, spoken to over pipes as over a channel."""

    def __init__(self, shell: list[str], home: Path, path: str = "") -> None:
        self.home = home
        home.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [*shell, str(LAUNCHER), "N0NCE"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={"HOME": str(home), "PATH": path or os.environ["PATH"]},
        )
        self.greeting = self._line()

    def ask(self, request: str, data: bytes = b"") -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(request.encode() + b"\n" + data)
        return self._line()

    def start(self, job: str, script: str, epoch: int = 1, limit: int = LIMIT) -> str:
        line, payload = b"exec /bin/sh -s", script.encode()
        request = f"start run {job} {epoch} {len(line)} {len(payload)} {limit}"
        return self.ask(request, line + payload)

    def look(self, job: str) -> str:
        return self.ask(f"look run {job}")

    def read(self, job: str, stream: str, offset: int = 0, most: int = LIMIT) -> bytes:
        answer = self.ask(f"read run {job} {stream} {offset} {most}")
        assert self._process.stdout is not None
        length, data = int(answer.split()[-1]), b""
        while len(data) < length:
            data += self._process.stdout.read(length - len(data))
        return data

    def await_state(self, job: str, state: str) -> str:
        """Look until the job is in that state; the launcher itself takes the time."""
        for _ in range(5000):
            if self.look(job).startswith(state):
                return self.look(job)
        raise AssertionError(f"never {state}: {self.look(job)}")

    def hang_up(self) -> None:
        """The channel is gone without a word."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(10)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = b""
        while not line.endswith(b"\n"):
            byte = self._process.stdout.read(1)
            if not byte:
                return line.decode()
            line += byte
        return line.decode().removeprefix("N0NCE ").rstrip("\n")


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request: pytest.FixtureRequest) -> list[str]:
    found: list[str] = request.param
    return found


@pytest.fixture
def launcher(shell: list[str], tmp_path: Path) -> Iterator[Launcher]:
    resident = Launcher(shell, tmp_path)
    yield resident
    with suppress(OSError, ValueError):
        resident.kill()
    for pid in tmp_path.glob(".drrun/jobs/*/*/pid"):
        with suppress(ProcessLookupError):
            os.killpg(int(pid.read_text().split()[0]), signal.SIGKILL)


def test_a_job_runs_and_its_exit_code_is_kept(launcher: Launcher) -> None:
    launcher.start("a", "exit 7\n")
    assert launcher.await_state("a", "ended").startswith("ended 7 ")


def test_stdout_and_stderr_are_kept_apart(launcher: Launcher) -> None:
    launcher.start("a", "echo out; echo err >&2\n")
    launcher.await_state("a", "ended")
    assert (launcher.read("a", "out"), launcher.read("a", "err")) == (b"out\n", b"err\n")


def test_what_a_command_makes_has_the_permissions_of_its_login(
    shell: list[str], tmp_path: Path
) -> None:
    mask = os.umask(0o027)
    try:
        launcher = Launcher(shell, tmp_path)
    finally:
        os.umask(mask)
    launcher.start("a", f"mkdir {tmp_path}/made\n")
    launcher.await_state("a", "ended")
    assert oct((tmp_path / "made").stat().st_mode & 0o777) == "0o750"
    assert oct((tmp_path / ".drrun").stat().st_mode & 0o777) == "0o700"
    launcher.kill()


@pytest.mark.faults(66)
def test_launching_the_same_attempt_twice_starts_it_once(launcher: Launcher) -> None:
    effects = launcher.home / "effects"
    script = f"echo once >>{effects}\n"
    assert (launcher.start("a", script), launcher.start("a", script)) == ("started", "exists")
    launcher.await_state("a", "ended")
    assert effects.read_text() == "once\n"


@pytest.mark.faults(46)
def test_a_script_that_is_cut_is_never_executed(
    launcher: Launcher, shell: list[str], tmp_path: Path
) -> None:
    effects = tmp_path / "effects"
    script = f"echo begun >>{effects}\n".encode()
    assert launcher._process.stdin is not None
    request = f"start run a 1 7 {len(script) + 10} 1000\n"
    launcher._process.stdin.write(request.encode() + b"/bin/sh" + script)
    launcher.hang_up()
    later = Launcher(shell, tmp_path)
    state = later.look("a")
    later.kill()
    assert (state.split()[0], effects.exists()) == ("absent", False)


def test_a_job_outlives_the_channel_and_is_found_by_the_next(
    launcher: Launcher, shell: list[str], tmp_path: Path
) -> None:
    go_on = tmp_path / "go-on"
    os.mkfifo(go_on)
    launcher.start("a", f"read line <{go_on}; echo $line; exit 3\n")
    launcher.await_state("a", "running")
    launcher.hang_up()
    later = Launcher(shell, tmp_path)
    assert later.look("a").startswith("running")
    go_on.write_text("went on\n")
    assert later.await_state("a", "ended").startswith("ended 3 ")
    assert later.read("a", "out") == b"went on\n"
    later.kill()


def test_output_is_read_on_from_the_byte_where_it_stopped(launcher: Launcher) -> None:
    launcher.start("a", "printf 0123456789\n")
    launcher.await_state("a", "ended")
    assert launcher.read("a", "out", 4, 3) == b"456"


def test_output_is_there_while_the_job_goes_on(launcher: Launcher) -> None:
    launcher.start("a", "echo early; sleep 1000\n")
    launcher.await_state("a", "running 6 0")


@pytest.mark.faults(67)
def test_output_beyond_the_limit_is_counted_and_not_kept(launcher: Launcher) -> None:
    launcher.start("a", "head -c 5000 /dev/zero\n", limit=1000)
    launcher.await_state("a", "ended 0 1000 0 4000 0 1")


@pytest.mark.faults(70)
def test_binary_output_comes_as_it_is(launcher: Launcher) -> None:
    launcher.start("a", r"printf '\000\377\n\033'" + "\n")
    launcher.await_state("a", "ended 0 4")
    assert launcher.read("a", "out") == b"\x00\xff\n\x1b"


@pytest.mark.faults(66, 92)
def test_a_controller_with_an_older_token_is_refused(launcher: Launcher) -> None:
    launcher.start("a", "true\n", epoch=5)
    assert launcher.start("b", "true\n", epoch=4) == "refused 5"


def test_a_newer_token_is_remembered(launcher: Launcher) -> None:
    launcher.start("a", "true\n", epoch=5)
    launcher.start("b", "true\n", epoch=6)
    assert launcher.start("c", "true\n", epoch=5) == "refused 6"


def test_killing_ends_the_whole_process_group(launcher: Launcher) -> None:
    launcher.start("a", "sleep 1000 & sleep 1000\n")
    launcher.await_state("a", "running")
    assert any(launcher.ask("kill run a KILL") == "dead" for _ in range(20_000))


@pytest.mark.faults(55)
def test_a_killed_job_without_exit_code_is_gone(launcher: Launcher) -> None:
    launcher.start("a", "sleep 1000\n")
    launcher.await_state("a", "running")
    launcher.ask("kill run a KILL")
    launcher.await_state("a", "gone")


@pytest.mark.faults(56)
def test_after_a_reboot_the_job_is_told_from_a_running_one(launcher: Launcher) -> None:
    launcher.start("a", "sleep 1000\n")
    launcher.await_state("a", "running")
    pid = launcher.home / ".drrun/jobs/run/a/pid"
    number, _, began = pid.read_text().split()
    pid.write_text(f"{number} another-boot-id {began}\n")
    state = launcher.look("a")
    pid.write_text(f"{number} another-boot-id {began}\n")
    assert state.startswith("rebooted")
    os.killpg(int(number), signal.SIGKILL)


@pytest.mark.faults(62)
def test_a_reused_pid_is_told_from_the_job(launcher: Launcher) -> None:
    launcher.start("a", "sleep 1000\n")
    launcher.await_state("a", "running")
    pid = launcher.home / ".drrun/jobs/run/a/pid"
    number, boot, _ = pid.read_text().split()
    pid.write_text(f"{number} {boot} 1\n")
    assert launcher.look("a").startswith("gone")
    os.killpg(int(number), signal.SIGKILL)


def test_a_deleted_job_is_absent(launcher: Launcher) -> None:
    launcher.start("a", "true\n")
    launcher.await_state("a", "ended")
    launcher.ask("drop run a")
    assert launcher.look("a").startswith("absent")


def test_the_jobs_of_a_host_are_listed(launcher: Launcher) -> None:
    launcher.start("a", "true\n")
    assert (launcher.ask("list"), launcher._line()) == ("list 1", "run a")


def test_what_may_hold_secrets_is_gone_from_the_disk_once_the_job_runs(
    launcher: Launcher,
) -> None:
    launcher.start("a", "sleep 1000 # s3cr3t\n")
    launcher.await_state("a", "running")
    assert not list((launcher.home / ".drrun").rglob("payload"))


def test_leaving_a_run_leaves_nothing_on_the_host(launcher: Launcher) -> None:
    launcher.start("a", "true\n")
    launcher.await_state("a", "ended")
    launcher.ask("leave run")
    assert not (launcher.home / ".drrun").exists()


def test_nobody_else_may_look_into_a_job(launcher: Launcher) -> None:
    launcher.start("a", "true\n")
    launcher.await_state("a", "ended")
    assert (launcher.home / ".drrun/jobs/run/a").stat().st_mode & 0o077 == 0


@pytest.mark.faults(44)
def test_a_host_without_setsid_still_runs_jobs_in_groups_of_their_own(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "mkdir", "mv", "rm", "cat", "dd", "head", "tail", "wc", "rmdir", "sleep"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    launcher = Launcher(["/bin/dash"], tmp_path / "home", path=str(tools))
    try:
        assert launcher.greeting.endswith("none")
        launcher.start("a", "echo hello; sleep 100 & echo $! >$HOME/child; wait")
        launcher.await_state("a", "running")
        while not launcher.read("a", "out"):
            pass
        assert launcher.ask("kill run a KILL") in ("alive", "dead")
        assert launcher.ask("kill run a KILL") == "dead"
    finally:
        launcher.hang_up()

"""A real PostgreSQL on a loopback port, for tests; as root it runs as the user postgres.

Rules:
- Its own cluster in a temporary folder; nothing of the machine's is used or changed.
- `drrun` is trusted; `guarded` has to show a password (SCRAM).
- A missing PostgreSQL fails the test; it never skips.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sshd import free_port

#: What `guarded` has to show.
PASSWORD = "tulip-4711-harbour"
_GUARDED = "host all guarded 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Postgres:
    """A running server with the database `postgres` and the users `drrun` and `guarded`."""

    port: int
    folder: Path

    @property
    def dsn(self) -> str:
        """How to connect over TCP."""
        return f"host=127.0.0.1 port={self.port} user=drrun dbname=postgres"

    @property
    def socket_dsn(self) -> str:
        """How to connect over its unix socket."""
        return f"host={self.folder} port={self.port} user=drrun dbname=postgres"

    @property
    def guarded_dsn(self) -> str:
        """How to connect as `guarded`, without the password."""
        return f"host=127.0.0.1 port={self.port} user=guarded dbname=postgres"

    def execute(self, statement: str) -> None:
        """Execute a statement as the owner of everything."""
        _run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.socket_dsn, "-c", statement)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process of the server."""
        first = int((self.folder / "data/postmaster.pid").read_text("ascii").split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split()
        for pid in (first, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if not path:
        pytest.fail(f"{name} is missing: install PostgreSQL")
    return path


def _run(*words: str) -> None:
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    command = [*as_postgres, *words] if os.geteuid() == 0 else list(words)
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", check=False, timeout=120
    )
    if done.returncode:
        pytest.fail(f"{' '.join(words)}: {done.stdout}{done.stderr}")


@contextmanager
def clusters() -> Iterator[tuple[Postgres, Postgres]]:
    """A primary and a standby that follows it, stopped and removed at the end."""
    with _folder() as folder:
        first, second = Postgres(free_port(), folder / "a"), Postgres(free_port(), folder / "b")
        for each in (first, second):
            each.folder.mkdir()
            if os.geteuid() == 0:
                shutil.chown(each.folder, "postgres", "postgres")
        _run(_program("initdb"), "-D", f"{first.folder}/data", "-U", "drrun", "-A", "trust", "-N")
        with _started(first):
            copy = ("-D", f"{second.folder}/data", "-d", first.dsn.replace("dbname=postgres", ""))
            _run(_program("pg_basebackup"), *copy, "-R", "-X", "stream", "-c", "fast")
            with _started(second):
                yield first, second


@contextmanager
def _folder() -> Iterator[Path]:
    # A short path: sockets have a limit of about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    # Whoever a test becomes must reach the socket.
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started(server: Postgres) -> Iterator[None]:
    cluster, control = f"{server.folder}/data", _program("pg_ctl")
    options = f"-p {server.port} -k {server.folder} -h 127.0.0.1 -c fsync=off"
    _run(control, "-D", cluster, "-o", options, "-l", f"{server.folder}/log", "-w", "start")
    try:
        yield
    finally:
        _run(control, "-D", cluster, "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server, stopped and removed afterwards."""
    with _folder() as folder:
        server = Postgres(free_port(), folder)
        _run(_program("initdb"), "-D", f"{folder}/data", "-U", "drrun", "-A", "trust", "-N")
        rules = folder / "data/pg_hba.conf"
        rules.write_text(_GUARDED + rules.read_text("utf-8"), "utf-8")
        with _started(server):
            server.execute(f"create role guarded login password '{PASSWORD}'")
            yield server

"""A real PostgreSQL on a loopback port, for tests; as root it runs as the user postgres.

Rules:
- Its own cluster in a temporary folder; nothing of the machine's is used or changed.
- A missing PostgreSQL fails the test; it never skips.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sshd import free_port


@dataclass(frozen=True)
class Postgres:
    """A running server with the database `postgres` and the user `drrun`."""

    port: int
    folder: Path

    @property
    def dsn(self) -> str:
        """How to connect over TCP."""
        return f"host=127.0.0.1 port={self.port} user=drrun dbname=postgres"


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


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server, stopped and removed afterwards."""
    # A short path: sockets have a limit of about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    port, cluster = free_port(), str(folder / "data")
    try:
        _run(_program("initdb"), "-D", cluster, "-U", "drrun", "-A", "trust", "-N")
        options = f"-p {port} -k {folder} -h 127.0.0.1 -c fsync=off"
        control = _program("pg_ctl")
        _run(control, "-D", cluster, "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield Postgres(port, folder)
        finally:
            _run(control, "-D", cluster, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

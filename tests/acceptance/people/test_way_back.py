"""A switchover that fails before and after the point of no return, on real PostgreSQL."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.postgres import Postgres, clusters
from tests.programs import Done, Program
from tests.sshd import SshdFactory, until

RUNBOOK = Path(__file__).parent / "switchover.yml"


class Switch:
    """Two sites with a database each, and a client that writes."""

    def __init__(self, folder: Path, servers: SshdFactory, phl: Postgres, ams: Postgres) -> None:
        self.phl, self.ams = phl, ams
        self.hosts = {"phl": servers.start(), "ams": servers.start()}
        self.program = Program(folder)
        self.program.write("runbooks/switchover.yml", RUNBOOK.read_text())
        self.program.inventory(self.hosts)
        path = folder / "inventory/hosts.yml"
        found = json.loads(path.read_text())
        for name, server in (("phl", phl), ("ams", ams)):
            found["hosts"][name]["vars"]["port"] = server.port
        path.write_text(json.dumps(found))
        self.phl.execute("create table t (id serial primary key)")
        for _ in range(30):
            self.phl.execute("insert into t default values")

    def begin(self) -> "subprocess.Popen[str]":
        process = self.program.start(
            "run", "runbooks/switchover.yml", "--yes", "--linger", "1h", "--by", "drew",
            "--allow-irreversible", "open-ams", "-e", f"phl={self.phl.port}",
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    def writes(self, server: Postgres) -> bool:
        """Whether a client may write there."""
        done = subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", server.dsn, "-c",
             "insert into t default values"],
            capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def rows(self, server: Postgres) -> int:
        command = ["psql", "-X", "-qtA", "-d", server.dsn, "-c", "select count(*) from t"]
        return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


class Client:
    """Writes a row a moment, wherever it may, and remembers what was acknowledged."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.acknowledged = 0
        #: Longest time in which nothing could be written, in seconds.
        self.longest = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        last = time.monotonic()
        while not self._over.wait(0.1):
            if self._switch.writes(self._switch.phl):
                self.acknowledged += 1
                self.longest = max(self.longest, time.monotonic() - last)
                last = time.monotonic()


@pytest.fixture
def switch(tmp_path: Path, sshd_factory: SshdFactory) -> Iterator[Switch]:
    with clusters() as (phl, ams):
        yield Switch(tmp_path, sshd_factory, phl, ams)


def test_a_failed_check_before_the_point_of_no_return_gives_the_old_site_back(
    switch: Switch,
) -> None:
    (switch.hosts["ams"].home / "smoke-fails").touch()
    with Client(switch) as client:
        done = Done.of(switch.begin())
        assert until(lambda: switch.writes(switch.phl))
    assert done.exit == 1, done.err
    assert switch.program.json("status", "latest")["status"] == "rolled-back"
    assert (switch.writes(switch.phl), switch.writes(switch.ams)) == (True, False)
    # 30 at first, what the client was promised, and two of this test; none lost, none twice.
    assert switch.rows(switch.phl) == 30 + client.acknowledged + 2
    assert client.longest < 60


def test_past_the_point_of_no_return_rows_at_risk_are_shown_and_a_second_person_has_to_insist(
    switch: Switch,
) -> None:
    process = switch.begin()
    assert until(lambda: "Do users write?" in switch.program.here("status", "latest").out, 20), (
        switch.program.here("status", "latest").out
    )
    assert all(switch.writes(switch.ams) for _ in range(20))
    switch.program.here("confirm", "latest", "wait-for-users", "--by", "drew")
    paused = until(lambda: switch.program.json("status", "latest")["status"] == "paused", 30)
    assert paused, switch.program.here("status", "latest").out
    plain = switch.program("rollback", "latest", "--yes", "--reason", "broken", "--by", "drew")
    assert plain.exit == 2, plain.err
    assert "rows_only_in_ams = 20" in plain.err
    assert "promote: a promoted server stays one" in plain.err
    insists = ("--type", "switchover", "--reason", "broken")
    assert switch.program("rollback", "latest", "--yes", *insists, "--by", "drew").exit == 2
    assert switch.program("rollback", "latest", "--yes", *insists, "--by", "simon").exit == 0
    assert Done.of(process).exit == 1
    undone = [
        event["body"]["step"]
        for event in map(
            json.loads, switch.program.here("events", "latest", "--json").out.splitlines()
        )
        if event["kind"] == "UndoBegan"
    ]
    assert (undone, switch.writes(switch.phl)) == (["read-only"], True)

"""CASES 5A A1: a planned switchover between two living sites, judged from outside.

Real PostgreSQL with a streaming standby, Knot on two servers, nginx in both sites, a resolver that
remembers, and a client that writes four rows a second throughout.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.lab import SITES, Lab
from tests.lab.services import names, postgres, resolver, site
from tests.lab.stories.desk import Desk, looking, wait
from tests.programs import Done

#: All of a story is told before its first test.
pytestmark = pytest.mark.timeout(600)

NAME, OLD, NEW = "www.example.org", "192.0.2.14", "198.18.2.14"
#: Scaled: minutes of ordinary times are seconds here.
TTL, SHORT = 12, 2
REASON = "Moving to Amsterdam; back in a minute."


@dataclass
class Story:
    """What was seen while the runbook was executed."""

    done: Done
    desk: Desk
    writes: list[site.Write]
    #: (moment, answer of ns1, of ns2, whether the new database is a standby, asked in this order)
    names: list[tuple[float, Any, Any, bool]]
    rows: set[str] = field(default_factory=set)
    rows_in_phl: set[str] = field(default_factory=set)
    first_end: Done | None = None

    @property
    def refused(self) -> list[site.Write]:
        return [write for write in self.writes if write.told == 503]

    @property
    def acknowledged(self) -> set[str]:
        return {write.row for write in self.writes if write.told == 201}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Lab(SITES) as lab:
        yield _tell(lab, tmp_path_factory.mktemp("switchover"))


def _tell(lab: Lab, folder: Path) -> Story:
    old, new = lab.host("db1.phl"), lab.host("db1.ams")
    client, ns1, ns2 = lab.host("client.net"), lab.host("ns1"), lab.host("ns2")
    _furnish(lab)
    # Somebody has paused replay and forgotten it.
    postgres.ask(new, "select pg_wal_replay_pause()")
    writing = site.Client(client)
    writing.begin(f"http://{NAME}/rows")
    desk = Desk(lab, folder, "sites.yml", "switchover.yml")

    def look() -> tuple[float, Any, Any, bool]:
        first, second = (names.says(client, NAME, each.address) for each in (ns1, ns2))
        return time.time(), first, second, postgres.ask(new, "select pg_is_in_recovery()") == "t"

    with looking(look) as seen:
        first = _run(desk)
        postgres.ask(new, "select pg_wal_replay_resume()")
        # The second name server is slow: it does not even hear of the change for a while.
        lab.faults.freeze("ns2")
        resuming = desk.resume(DR_TSIG_KEY=names.KEY)
        desk.wait_for("lower-ttl", "verifying", "passed")
        lab.faults.thaw("ns2")
        done = resuming.end()
        after = len(writing.writes()) + 8
        wait(lambda: len(writing.writes()) > after, "the client to go on")
    assert done.exit == 0, done.err
    found = Story(done, desk, writing.end(), list(seen), first_end=first)
    found.rows = set(postgres.ask(new, "select id from rows").split())
    wait(
        lambda: set(postgres.ask(old, "select id from rows").split()) == found.rows,
        "phl to have the same rows",
        30,
    )
    found.rows_in_phl = set(postgres.ask(old, "select id from rows").split())
    return found


def _furnish(lab: Lab) -> None:
    host = lab.host
    postgres.primary(host("db1.phl"), site.TABLE)
    postgres.standby(host("db1.ams"), host("db1.phl"))
    zones = {"example.org": f"www {TTL} A {OLD}"}
    names.primary(host("ns1"), host("ns2"), zones)
    names.secondary(host("ns2"), host("ns1"), zones)
    resolver.resolver(host("client.net"), zones, [host("ns1"), host("ns2")])
    for front in ("web1.phl", "web1.ams"):
        site.front(host(front), host("db1.phl"))


def _run(desk: Desk) -> Done:
    given = {
        "ticket": "T358233", "reason": REASON, "address": NEW, "ttl": TTL, "short_ttl": SHORT,
        "drain": "1s", "version": postgres.VERSION, "data": postgres.DATA,
    }  # fmt: skip
    words = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    running = desk.run(
        "datacentre-switchover.yml", "--allow-irreversible", "promote", *words,
        DR_TSIG_KEY=names.KEY,
    )  # fmt: skip
    desk.confirm("agree")
    return running.end()


def test_a_paused_replica_is_found_before_anybody_is_read_only(story: Story) -> None:
    first = story.first_end
    assert first is not None
    assert first.exit == 1, first.err
    assert "replay is not paused" in first.err


def test_it_ends_well_once_that_was_put_right(story: Story) -> None:
    assert story.done.exit == 0, story.done.err


def test_every_acknowledged_write_is_on_the_new_primary_and_nothing_else(story: Story) -> None:
    assert story.acknowledged == story.rows & {write.row for write in story.writes}
    assert story.acknowledged <= story.rows


def test_refused_writes_were_told_why(story: Story) -> None:
    assert story.refused
    assert {write.text.strip() for write in story.refused} == {REASON}
    assert {write.told for write in story.writes} <= {201, 503}


def test_nobody_was_read_only_for_thirty_seconds(story: Story) -> None:
    first = story.refused[0]
    back = next(w for w in story.writes if w.told == 201 and w.sent > story.refused[-1].sent)
    assert back.answered - first.sent < 30


def test_no_name_server_told_the_new_address_before_the_promotion(story: Story) -> None:
    new = [look for look in story.names if NEW in str(look[1:3])]
    assert new
    assert not any(standby for _, _, _, standby in new)


def test_the_old_ttl_was_over_before_the_first_write_was_refused(story: Story) -> None:
    long = [moment for moment, *told, _ in story.names for answer in told
            for _, ttl in answer if ttl == TTL and moment < story.refused[0].sent]  # fmt: skip
    assert story.refused[0].sent - max(long) >= TTL - 1


def test_afterwards_phl_is_a_standby_with_the_same_rows(story: Story) -> None:
    old = story.desk.lab.host("db1.phl")
    assert postgres.ask(old, "select pg_is_in_recovery()") == "t"
    assert story.rows_in_phl == story.rows


def test_names_and_ttl_are_those_of_ordinary_times_again(story: Story) -> None:
    client = story.desk.lab.host("client.net")
    for server in ("ns1", "ns2"):
        address = story.desk.lab.host(server).address
        assert names.says(client, NAME, address) == [(NEW, TTL)]


def test_the_record_agrees_with_what_was_seen(story: Story) -> None:
    status = story.desk.program.json("status", "latest")
    assert {step["status"] for step in status["steps"]} == {"passed"}
    told = story.desk.program("show", "latest", "old-ttl").out
    assert str(TTL) in told
    assert "key of all labs" not in told

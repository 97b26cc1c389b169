"""A planned switchover between two living sites, judged from outside.

Real PostgreSQL with a streaming standby, Knot on two servers, nginx in both sites, a resolver that
remembers, and a client that writes four rows a second throughout.

Before it, in the same lab, A4: what dry-run and tabletop tell is true, and they change nothing.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.lab import SITES, Lab
from tests.lab.services import names, postgres, resolver, site
from tests.lab.stories.desk import Desk, looking, wait
from tests.programs import Done, Program

#: All of a story is told before its first test.
pytestmark = pytest.mark.timeout(600)

NAME, OLD, NEW = "www.example.org", "192.0.2.14", "198.18.2.14"
#: Scaled: minutes of ordinary times are seconds here.
TTL, SHORT = 12, 2
REASON = "Moving to Amsterdam; back in a minute."


@dataclass
class Said:
    """What was told before the switchover, without doing anything."""

    #: A dry-run while a host is down and a guard does not hold; one where all is well.
    faulty: Done
    clean: Done
    tabletop: Done
    evidence: Done
    before: dict[str, str]
    after: dict[str, str]
    #: `step@target` -> command, as the dry-run showed it.
    shown: dict[str, str]


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
    #: What was said before anything was done, and the hosts' contents before and after that.
    said: Said | None = None

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
    desk = Desk(lab, folder, "sites.yml", "switchover.yml")
    said = _ask_beforehand(lab, desk)
    # Somebody has paused replay and forgotten it.
    postgres.ask(new, "select pg_wal_replay_pause()")
    writing = site.Client(client)
    writing.begin(f"http://{NAME}/rows")

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
    found = Story(done, desk, writing.end(), list(seen), first_end=first, said=said)
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


def _ask_beforehand(lab: Lab, desk: Desk) -> Said:
    before = _contents(lab)
    lab.faults.power_off("web1.ams")
    words = ("run", "runbooks/datacentre-switchover.yml", "--yes", "--no-input",
             "--mode", "dry-run", *_inputs())  # fmt: skip
    faulty = desk.program(*words, "-e", "to=phl", DR_TSIG_KEY=names.KEY)
    lab.faults.power_on("web1.ams")
    clean = desk.program(*words, DR_TSIG_KEY=names.KEY)
    evidence = desk.program("export", "latest", "--as-test")
    shown = _commands(desk, "ActionShown")
    # No network at all, not even a loopback interface that is up.
    alone = Program(desk.folder, prefix=("unshare", "--net"))
    tabletop = alone(
        "simulate", "runbooks/datacentre-switchover.yml", "--json", *_inputs(),
        DR_TSIG_KEY=names.KEY,
    )  # fmt: skip
    return Said(faulty, clean, tabletop, evidence, before, _contents(lab), shown)


def _contents(lab: Lab) -> dict[str, str]:
    """Of every host: which files were written since the lab is up; rows and serials besides."""
    found = {}
    for name in ("db1.phl", "db1.ams", "web1.phl", "web1.ams", "desk.ops", "ns1", "ns2"):
        host = lab.host(name)
        found[name] = host.must(
            "find /srv /etc /root /home /usr/local -xdev -type f -exec sha256sum {} + | sort"
            " | sha256sum"
        )
    found["rows"] = postgres.ask(lab.host("db1.phl"), "select count(*) from rows")
    found["wal"] = postgres.ask(lab.host("db1.ams"), "select pg_is_in_recovery()")
    client = lab.host("client.net")
    for name in ("ns1", "ns2"):
        asked = f"dig +short @{lab.host(name).address} example.org SOA"
        found[f"zone at {name}"] = client.must(asked)
    return found


def _commands(desk: Desk, kind: str) -> dict[str, str]:
    """`step@target` -> the first command, of events of one kind in the last run."""
    found: dict[str, str] = {}
    for line in desk.program("events", "latest", "--json").out.splitlines():
        entry = json.loads(line)
        body = entry["body"]
        if entry["kind"] == kind and body["command"]:
            found.setdefault(f"{body['step']}@{body['target']}", body["command"])
    return found


def _inputs() -> list[str]:
    given = {
        "ticket": "T358233", "reason": REASON, "address": NEW, "ttl": TTL, "short_ttl": SHORT,
        "drain": "1s", "version": postgres.VERSION, "data": postgres.DATA,
    }  # fmt: skip
    return [word for name, value in given.items() for word in ("-e", f"{name}={value}")]


def _run(desk: Desk) -> Done:
    words = _inputs()
    running = desk.run(
        "datacentre-switchover.yml", "--allow-irreversible", "promote", *words,
        DR_TSIG_KEY=names.KEY,
    )  # fmt: skip
    desk.confirm("agree")
    return running.end()


def test_a_dry_run_flags_the_host_that_is_down_and_the_guard_that_does_not_hold(
    story: Story,
) -> None:
    assert story.said is not None
    told = story.said.faulty.out + story.said.faulty.err
    assert story.said.faulty.exit in (1, 4), told
    assert "web1.ams" in told
    assert "it is a switch from one site to another" in told


def test_where_all_is_well_a_dry_run_flags_nothing(story: Story) -> None:
    assert story.said is not None
    assert story.said.clean.exit == 0, story.said.clean.out + story.said.clean.err
    assert " 0 faults" in story.said.clean.out


@pytest.mark.faults(105)
def test_neither_dry_run_nor_tabletop_change_anything_anywhere(story: Story) -> None:
    assert story.said is not None
    assert story.said.after == story.said.before


def test_the_live_run_executes_the_commands_that_the_dry_run_has_shown(story: Story) -> None:
    assert story.said is not None
    executed = _commands(story.desk, "AttemptIntended")
    # A person's step has no command.
    shown = {
        key: text
        for key, text in story.said.shown.items()
        if "{{" not in text and key != "agree@local"
    }
    assert len(shown) > 10
    assert {key: executed[key] for key in shown} == shown
    assert names.SECRET not in json.dumps(shown)


@pytest.mark.faults(105)
def test_a_tabletop_needs_no_network_and_calls_itself_one(story: Story) -> None:
    assert story.said is not None
    told = json.loads(story.said.tabletop.out)
    assert (told["mode"], told["status"]) == ("tabletop", "succeeded")


def test_a_dry_run_is_refused_as_evidence_of_a_test(story: Story) -> None:
    assert story.said is not None
    assert story.said.evidence.exit == 2
    assert "not evidence" in story.said.evidence.err


def test_a_variable_that_is_unknown_and_a_circle_are_found_before_any_contact(
    story: Story,
) -> None:
    text = (story.desk.folder / "runbooks/datacentre-switchover.yml").read_text("utf-8")
    for wrong, what in (
        (text.replace("{{ inputs.ticket }}", "{{ inputs.tikcet }}", 1), "tikcet"),
        (text.replace("  agree:\n", "  agree:\n    needs: [promote]\n", 1), "agree"),
    ):
        story.desk.program.write("runbooks/wrong.yml", wrong)
        done = story.desk.program("validate", "runbooks/wrong.yml")
        assert (done.exit, what in done.out) == (2, True), done.out


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

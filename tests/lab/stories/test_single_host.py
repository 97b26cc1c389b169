"""runbooks/single-host-failover.yml: one person moves git to its replica, seen from outside."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab import SITES, Lab
from tests.lab.services import names, repositories, resolver
from tests.lab.stories.desk import Desk
from tests.programs import Done

#: All of a story is told before its first test.
pytestmark = pytest.mark.timeout(600)

OLD, NEW = "192.0.2.12", "198.18.2.12"
URL = "git@git.example.org:/srv/git/{}.git"
NOTICE = "git moves; back in a minute."
NAMES = [f"repo{number}" for number in range(8)] + ["canary"]


@dataclass
class Story:
    """What was seen."""

    lab: Lab
    done: Done
    again: Done
    before: dict[str, str]
    after: dict[str, str]
    #: What a user was told who pushed while the service was read-only.
    refusal: tuple[bool, str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Lab(SITES) as lab:
        yield _tell(lab, tmp_path_factory.mktemp("single"))


def _tell(lab: Lab, folder: Path) -> Story:
    old, new, client = lab.host("git1.phl"), lab.host("git1.ams"), lab.host("client.net")
    zones = {"example.org": f"git 2 A {OLD}\ngit-replica 2 A {NEW}"}
    names.primary(lab.host("ns1"), lab.host("ns2"), zones)
    names.secondary(lab.host("ns2"), lab.host("ns1"), zones)
    repositories.git(old, NAMES)
    # The replica is a day behind.
    repositories.git(new, NAMES[:3], role="replica")
    client.write("/etc/hosts", f"127.0.0.1 localhost\n{OLD} git1.phl\n")
    resolver.resolver(client, zones, [lab.host("ns1"), lab.host("ns2")])
    repositories.trusts(client, "git.example.org", [old, new])
    before = repositories.heads(old)
    desk = Desk(lab, folder, "sites.yml")
    words = ["-e", f"old={OLD}", "-e", f"new={NEW}", "-e", "ttl=2", "-e", f"notice={NOTICE}"]
    running = desk.run(
        "single-host-failover.yml", "--allow-irreversible", "become-primary", *words,
        DR_TSIG_KEY=names.KEY,
    )  # fmt: skip
    desk.confirm("announce")
    desk.wait_for("fresh-backup", "running", "passed")
    refusal = repositories.push(client, URL.format("repo1"), "too late")
    done = running.end()
    second = desk.run("single-host-failover.yml", *words, DR_TSIG_KEY=names.KEY)
    desk.confirm("announce")
    return Story(lab, done, second.end(), before, repositories.heads(new), refusal)


def test_it_is_done_by_one_person(story: Story) -> None:
    assert story.done.exit == 0, story.done.err


def test_a_push_meanwhile_is_refused_with_the_notice(story: Story) -> None:
    taken, said = story.refusal
    assert (taken, NOTICE in said) == (False, True), said


def test_every_repository_is_there_with_its_last_commit(story: Story) -> None:
    moved = {name: head for name, head in story.after.items() if name != "canary"}
    assert moved == {name: head for name, head in story.before.items() if name != "canary"}


def test_a_user_pushes_to_the_new_host_by_the_old_name(story: Story) -> None:
    client = story.lab.host("client.net")
    taken, said = repositories.push(client, URL.format("repo2"), "afterwards")
    assert taken, said
    assert repositories.heads(story.lab.host("git1.ams"))["repo2"] != story.before["repo2"]
    assert repositories.heads(story.lab.host("git1.phl"))["repo2"] == story.before["repo2"]


def test_the_old_host_still_refuses_writes(story: Story) -> None:
    client = story.lab.host("client.net")
    taken, _ = repositories.push(client, "git@git1.phl:/srv/git/repo3.git", "to the old one")
    assert not taken


def test_done_once_more_it_is_refused_because_the_target_is_primary_already(story: Story) -> None:
    assert story.again.exit == 1
    assert "replica" in story.again.err

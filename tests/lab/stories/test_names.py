"""Names move while caches and customers still have the old address.

Real Knot on two servers, a real resolver that remembers, thirty zones of customers.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import SITES, Lab
from tests.lab.services import names, resolver, site
from tests.lab.services.hook import hook, told
from tests.lab.stories.desk import Desk, looking
from tests.programs import Done

#: All of a story is told before its first test.
pytestmark = pytest.mark.timeout(600)

OLD, NEW = "192.0.2.14", "198.18.2.14"
TTL, SHORT = 10, 2
#: Seconds for which the second server gets no transfer.
STALE = 60.0
STRANDED = {f"customer{number}.example" for number in range(6)}


@dataclass
class Story:
    """What was seen."""

    lab: Lab
    desk: Desk
    wrong_key: Done
    done: Done
    #: (moment, ns1, ns2, the resolver's answer, how the step stands), asked in this order.
    seen: list[tuple[float, Any, Any, Any, str]]
    told: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Lab(SITES) as lab:
        yield _tell(lab, tmp_path_factory.mktemp("names"))


def _tell(lab: Lab, folder: Path) -> Story:
    client, ns1, ns2 = lab.host("client.net"), lab.host("ns1"), lab.host("ns2")
    url = _furnish(lab)
    desk = Desk(lab, folder, "sites.yml", "switchover.yml")
    given = {"old": OLD, "new": NEW, "ttl": TTL, "short_ttl": SHORT, "hook": url}
    words = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    words += ["-e", "customers=/srv/customers"]
    other = "hmac-sha256:other:" + names.SECRET
    first = desk.run("dns-provider-failover.yml", *words, DR_TSIG_KEY=other)
    desk.confirm("declare")
    wrong_key = first.end()

    def look() -> tuple[float, Any, Any, Any, str]:
        stands = desk.step("cut-over")
        first, second, cached = (
            names.says(client, "www.example.org", each)
            for each in (ns1.address, ns2.address, "127.0.0.1")
        )
        return time.time(), first, second, cached, stands

    with looking(look) as seen:
        second = desk.resume(DR_TSIG_KEY=names.KEY)
        desk.wait_for("old-ttl-over", "running", "waiting")
        names.refuse_transfers(ns1)
        desk.wait_for("cut-over", "verifying")
        time.sleep(STALE)  # the fault's own length
        names.allow_transfers(ns1)
        done = second.end()
    return Story(lab, desk, wrong_key, done, list(seen), told(lab.host("desk.ops")))


def _furnish(lab: Lab) -> str:
    zones = {"example.org": f"www {TTL} A {OLD}\npages {TTL} A {OLD}"}
    for number in range(30):
        address = OLD if number < 6 else f"198.51.100.{100 + number}"
        zones[f"customer{number}.example"] = f"@ 60 A {address}"
    ns1, ns2, client = lab.host("ns1"), lab.host("ns2"), lab.host("client.net")
    names.primary(ns1, ns2, zones)
    names.secondary(ns2, ns1, zones)
    resolver.resolver(client, zones, [ns1, ns2])
    client.write("/srv/customers", "".join(f"{zone}\n" for zone in zones if "customer" in zone))
    client.must("chown -R ops /srv")
    for front in ("web1.phl", "web1.ams"):
        site.front(lab.host(front), lab.host("db1.phl"))
    return hook(lab.host("desk.ops"))


def test_a_key_that_is_refused_is_told_and_nothing_has_changed(story: Story) -> None:
    assert story.wrong_key.exit == 1
    assert "refuses" in story.wrong_key.err


def test_it_ends_well_with_the_right_key(story: Story) -> None:
    assert story.done.exit == 0, story.done.err


def test_the_step_did_not_pass_while_one_server_was_stale(story: Story) -> None:
    stale = [look for look in story.seen if NEW in str(look[1]) and OLD in str(look[2])]
    assert stale[-1][0] - stale[0][0] > STALE - 5
    assert not [look for look in stale if look[4] == "passed"]


def test_both_servers_say_the_new_address_with_the_ordinary_ttl_and_nothing_twice(
    story: Story,
) -> None:
    client = story.lab.host("client.net")
    for server in ("ns1", "ns2"):
        address = story.lab.host(server).address
        for name in ("www.example.org", "pages.example.org"):
            assert names.says(client, name, address) == [(NEW, TTL)]


def test_no_resolver_tells_the_old_address_longer_than_the_old_ttl(story: Story) -> None:
    everywhere = next(
        look[0] for look in story.seen if NEW in str(look[1]) and NEW in str(look[2])
    )
    late = [look[0] for look in story.seen if OLD in str(look[3])]
    assert max(late) - everywhere <= TTL + 1


def test_the_old_ttl_was_waited_for_and_not_the_new_one(story: Story) -> None:
    long = max(look[0] for look in story.seen if (OLD, TTL) in [*look[1], *look[2]])
    cut = min(look[0] for look in story.seen if NEW in str(look[1]))
    assert cut - long >= TTL - 2


def test_exactly_the_customers_with_the_old_address_are_told(story: Story) -> None:
    assert len(story.told) == 1
    assert set(story.told[0]["to"]) == STRANDED
    assert NEW in story.told[0]["text"]

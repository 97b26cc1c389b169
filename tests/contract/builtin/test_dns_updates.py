"""`dns.update` against a real name server (Knot) that wants a TSIG key."""

from typing import Any

import pytest

from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.core.model.probes import ProbeKind, Verdict
from tests.contract.builtin.conftest import Acting
from tests.contract.builtin.test_probes import ask
from tests.knot import KEY, SECRET, Knot, KnotFactory


@pytest.fixture
def server(knot_factory: KnotFactory) -> Knot:
    return knot_factory.start("www 300 A 192.0.2.1", "www 300 A 192.0.2.2", "old 300 A 192.0.2.9")


class Updating:
    """Updates the zone."""

    def __init__(self, act: Acting, server: Knot) -> None:
        self._act = act
        self._server = server

    def __call__(self, **given: Any) -> Outcome:
        return self._act(
            "dns.update",
            **{"zone": "example.org", "server": self._server.address, "key": KEY} | given,
        )

    def says(self, name: str, want: str = "data") -> str:
        seen = ask(ProbeKind.DNS, {"name": name, "server": self._server.address, "want": want})
        return "" if seen.verdict is not Verdict.HOLDS else seen.value.partition("=")[2]


@pytest.fixture
def update(act: Acting, server: Knot) -> Updating:
    return Updating(act, server)


def test_a_record_says_what_it_shall_and_what_it_said_is_kept(update: Updating) -> None:
    outcome = update(name="www", data="203.0.113.80", ttl="5m")
    assert isinstance(outcome, Ended)
    assert (outcome.exit, outcome.facts["was"]) == (0, "192.0.2.1 192.0.2.2")
    assert update.says("www.example.org") == "203.0.113.80"


def test_done_twice_it_doubles_nothing(update: Updating) -> None:
    update(name="www", data="203.0.113.80")
    serial = update.says("example.org", "serial")
    outcome = update(name="www", data="203.0.113.80")
    assert isinstance(outcome, Ended)
    assert (outcome.note, update.says("example.org", "serial")) == (
        "the records are so already",
        serial,
    )


def test_a_new_ttl_alone_is_a_change(update: Updating) -> None:
    update(name="old.example.org.", data="192.0.2.9", ttl=5)
    assert update.says("old.example.org", "ttl") == "5"


def test_several_records_change_together(update: Updating) -> None:
    records = [{"name": "www", "data": "203.0.113.80"}, {"name": "old", "data": []}]
    assert isinstance(update(records=records), Ended)
    assert (update.says("www.example.org"), update.says("old.example.org")) == (
        "203.0.113.80",
        "",
    )


def test_a_record_outside_the_zone_keeps_all_from_being_changed(update: Updating) -> None:
    records = [
        {"name": "www", "data": "203.0.113.80"},
        {"name": "x.example.com.", "data": "192.0.2.7"},
    ]
    outcome = update(records=records)
    assert isinstance(outcome, NeverStarted)
    assert ("outside the zone" in outcome.why, update.says("www.example.org")) == (
        True,
        "192.0.2.1 192.0.2.2",
    )


def test_no_data_removes_the_records(update: Updating) -> None:
    assert update(name="old", data=[]) == Ended(
        0, note=f"{update._server.address} says so", facts={"was": "192.0.2.9"}
    )
    assert update.says("old.example.org") == ""


@pytest.mark.parametrize("was", ["192.0.2.8", ["192.0.2.9", "192.0.2.8"], []])
def test_records_that_are_no_longer_what_they_were_are_left_alone(
    update: Updating, was: Any
) -> None:
    outcome = update(name="old", data="203.0.113.80", was=was)
    assert isinstance(outcome, Ended)
    assert (outcome.exit, update.says("old.example.org")) == (1, "192.0.2.9")


def test_records_that_are_what_they_were_are_changed(update: Updating) -> None:
    outcome = update(name="www", data="203.0.113.80", was=["192.0.2.2", "192.0.2.1"])
    assert isinstance(outcome, Ended)
    assert outcome.exit == 0


def test_a_key_that_the_server_does_not_know_is_refused_in_words(update: Updating) -> None:
    outcome = update(name="www", data="203.0.113.80", key=f"other:{SECRET}")
    assert isinstance(outcome, Ended)
    assert (outcome.exit, "BadKey" in outcome.note) == (1, True), outcome
    assert update.says("www.example.org") == "192.0.2.1 192.0.2.2"


def test_a_secret_that_is_none_is_refused_without_showing_it(update: Updating) -> None:
    outcome = update(name="www", data="203.0.113.80", key="drrun-test:s3cret!")
    assert isinstance(outcome, NeverStarted)
    assert (outcome.final, "s3cret" in outcome.why) == (True, False)


def test_an_update_without_a_key_is_refused_in_words(update: Updating) -> None:
    outcome = update(name="www", data="203.0.113.80", key=None)
    assert isinstance(outcome, Ended)
    assert "NOTAUTH" in outcome.note or "REFUSED" in outcome.note


@pytest.mark.parametrize(
    "given",
    [
        {"data": "no-address"},
        {"records": "x"},
        {"records": [{"nmae": "www"}]},
        {"ttl": "soon", "data": "192.0.2.1"},
    ],
)
def test_what_cannot_be_a_record_starts_nothing(update: Updating, given: dict[str, Any]) -> None:
    outcome = update(**({"name": "www"} if "records" not in given else {}) | given)
    assert isinstance(outcome, NeverStarted)
    assert outcome.final


def test_a_server_that_is_silent_got_no_update(update: Updating, server: Knot) -> None:
    server.stop()
    assert isinstance(update(name="www", data="203.0.113.80"), NeverStarted)

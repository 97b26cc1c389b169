"""Hands that act: on a host, on the controller, by a named action; nothing ever escapes."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from drrun.core.ids import RunId, StepId, TargetName
from drrun.core.inventory import Host
from drrun.core.outcomes import ContactLost, Ended, NeverStarted, Outcome
from drrun.engine.ports import (
    AttemptOrder,
    BuiltInAction,
    Cancel,
    Output,
    Places,
    Progress,
    Remote,
    Script,
)
from drrun.hands.live import LiveHands
from drrun.ssh.connections import Connections
from tests.contract.ssh.places import Kept
from tests.sshd import Sshd


class Greet:
    """A named action that uses its place."""

    def perform(
        self,
        order: AttemptOrder,
        place: Remote,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        return place.run(Script(f"echo hello {order.arguments['name']}"), output, tell, cancel)


class Stumble:
    """A named action with a fault."""

    def perform(
        self,
        order: AttemptOrder,
        place: Remote,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        raise KeyError("what was it")


Make = Callable[..., LiveHands]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """`make(name=action, …)`: hands whose jobs on this machine stay below the test's folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    made: list[LiveHands] = []

    def hands(**actions: BuiltInAction) -> LiveHands:
        made.append(LiveHands(Connections({}), actions))
        return made[-1]

    yield hands
    for each in made:
        each.close()


def _order(host: Host | None, action: str, arguments: Mapping[str, str]) -> AttemptOrder:
    return AttemptOrder(
        RunId("r"), StepId("s"), TargetName("t"), 1, 1, host, action, arguments, folder=Path()
    )


def _perform(hands: LiveHands, order: AttemptOrder) -> tuple[Outcome, str]:
    output = Kept()
    outcome = hands.perform(order, output, lambda _: None, threading.Event())
    return outcome, output.text()


@pytest.mark.parametrize("near", [True, False])
def test_a_command_is_executed_where_the_order_says(sshd: Sshd, make: Make, near: bool) -> None:
    order = _order(None if near else sshd.host("db1"), "run", {"text": 'echo "$HOME"'})
    outcome, out = _perform(make(), order)
    assert (outcome, out.strip() == str(sshd.home)) == (Ended(0), not near)


def test_a_named_action_is_given_its_place(sshd: Sshd, make: Make) -> None:
    done = _perform(make(greet=Greet()), _order(sshd.host("db1"), "greet", {"name": "you"}))
    assert done == (Ended(0), "hello you\n")


def test_an_action_that_is_not_there_never_started(make: Make) -> None:
    outcome, _ = _perform(make(), _order(None, "teleport", {}))
    assert isinstance(outcome, NeverStarted)
    assert outcome.final


def test_a_fault_in_an_action_is_not_known_and_never_escapes(make: Make) -> None:
    outcome, _ = _perform(make(stumble=Stumble()), _order(None, "stumble", {}))
    assert isinstance(outcome, ContactLost)
    assert "what was it" in outcome.why


def test_hands_are_places_too(make: Make) -> None:
    places: Places = make()
    output = Kept()
    outcome = places.place(None).run(Script("echo x"), output, lambda _: None, threading.Event())
    assert (outcome, output.text()) == (Ended(0), "x\n")

"""Hands that act: on a host, on the controller, by a named action; nothing ever escapes."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import pytest

from drrun.builtin.probes import judge
from drrun.core.integrity.chain import Head
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown, Stopped
from drrun.hands.live import LiveHands
from drrun.ports.hands import HostClaim
from drrun.ports.places import (
    ActionCall,
    AttemptOrder,
    AttemptProgress,
    BuiltInAction,
    Places,
    ProbeAnswer,
    Script,
)
from drrun.ssh.connections import Connections
from tests.contract.ssh.places import Kept
from tests.sshd import Sshd


class Greet:
    """A named action that uses its place."""

    def perform(self, call: ActionCall) -> Outcome:
        return call.run(Script(f"echo hello {call.order.arguments['name']}"))


class Stumble:
    """A named action with a fault."""

    def perform(self, call: ActionCall) -> Outcome:
        raise KeyError("what was it")


class Hesitate:
    """A named action that begins its command when it may."""

    def __init__(self) -> None:
        self.asked, self.may = threading.Event(), threading.Event()

    def perform(self, call: ActionCall) -> Outcome:
        self.asked.set()
        self.may.wait(60)
        return call.run(Script("true"))


class Told:
    """What hands tell of one attempt. A `Report`."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.outcomes: list[Outcome] = []
        self.answers: dict[int, ProbeAnswer | None] = {}

    def news(self, progress: AttemptProgress) -> None:
        """It goes on."""

    def checked(self, index: int, seen: ProbeAnswer | None) -> None:
        self.answers[index] = seen

    def done(self, outcome: Outcome, checks: Collection[int] = ()) -> None:
        self.outcomes.append(outcome)
        self.over.set()


Make = Callable[..., LiveHands]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """`make(name=action, …)`: hands whose jobs on this machine stay below the test's folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    made: list[LiveHands] = []

    def hands(**actions: BuiltInAction) -> LiveHands:
        made.append(LiveHands(Connections({}), actions, judge))
        end = Head(1, "h1")
        made[-1].take_up(HostClaim(RunId("r"), 1, "c1", lambda _, then: then(), lambda: end))
        return made[-1]

    yield hands
    for each in made:
        each.close()


def _order(host: Host | None, action: str, arguments: Mapping[str, str]) -> AttemptOrder:
    return AttemptOrder(
        RunId("r"), StepId("s"), TargetName("t"), 1, 1, host, action, arguments, folder=Path()
    )


def _perform(hands: LiveHands, order: AttemptOrder) -> tuple[Outcome, str]:
    output, told = Kept(), Told()
    hands.begin(order, output, told)
    assert told.over.wait(60)
    return told.outcomes[0], output.text()


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
    assert isinstance(outcome, OutcomeUnknown)
    assert "what was it" in outcome.why


def test_hands_are_places_too(make: Make) -> None:
    places: Places = make()
    output = Kept()
    outcome = places.place(None).run(Script("echo x"), output, lambda _: None, threading.Event())
    assert (outcome, output.text()) == (Ended(0), "x\n")


@pytest.mark.parametrize("how", ["let go", "end", "leave"])
def test_what_nobody_wants_any_more_is_not_begun(make: Make, tmp_path: Path, how: str) -> None:
    action, told = Hesitate(), Told()
    hands, order = make(hesitate=action), _order(None, "hesitate", {})
    place, output = hands.place(None), Kept()
    # The launcher answers already: what is sent is executed at once.
    place.run(Script("true"), output, lambda _: None, threading.Event())
    hands.begin(order, Kept(), told)
    assert action.asked.wait(60)
    match how:
        case "let go":
            hands.let_go(order)
        case "end":
            hands.end(order)
        case _:
            hands.leave()
    action.may.set()
    assert told.over.wait(60)
    # One launcher reads one request after the other: what was sent before is known there.
    place.run(Script("true"), output, lambda _: None, threading.Event())
    assert list(tmp_path.rglob("s@t.1*")) == []
    assert isinstance(told.outcomes[0], Stopped if how == "end" else OutcomeUnknown)


@pytest.mark.parametrize("action", ["stumble", "let go"])
def test_nothing_is_kept_of_what_nobody_will_ask_about(make: Make, action: str) -> None:
    hands, order, told = make(stumble=Stumble()), _order(None, "stumble", {}), Told()
    if action == "let go":
        order = _order(None, "run", {"text": "sleep 5"})
    hands.begin(order, Kept(), told)
    hands.let_go(order)
    assert told.over.wait(60)
    assert hands._followed == {}


def test_nothing_is_kept_of_what_was_forgotten(make: Make) -> None:
    hands, order = make(), _order(None, "run", {"text": "true"})
    _perform(hands, order)
    before = len(hands._followed)
    hands.forget(order)
    assert (before, hands._followed) == (1, {})

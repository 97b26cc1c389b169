"""How runs end: against a truth that is read off the events, for random runbooks and people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.cli.exit import exit_of_run
from drrun.core import events as ev
from drrun.core.model.ids import StepId
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Level
from drrun.core.people import commands as c
from drrun.core.people.consider import Granted, consider
from drrun.core.rules.endings import exceptions_of
from tests.unit.core.test_engine_properties import graphs, world_of
from tests.unit.core.worlds import World

_LEVELS = tuple(Level)


@dataclass
class Account:
    """What an auditor notes of one target, reading the journal with a pencil."""

    ending: str = "open"
    by_word: bool = False
    #: A guard was left out for what is going on now.
    bypassed: bool = False


def audited(events: Iterable[ev.Event], plan: Plan) -> Mapping[tuple[str, str], Account]:
    """One account for each target."""
    accounts = {
        (str(step), str(target.name)): Account()
        for step, planned in plan.steps.items()
        for target in planned.targets
    }
    for event in events:
        if isinstance(event, ev.StepSkipped | ev.StepBlocked | ev.TargetsCancelled):
            for (step, _), account in accounts.items():
                if step == event.step and account.ending == "open":
                    account.ending = type(event).__name__
        elif isinstance(event, ev.TargetEvent):
            _note(accounts[event.step, event.target], event)
    return accounts


def _note(account: Account, event: ev.TargetEvent) -> None:
    match event:
        case ev.ProbesConcluded(purpose="verify" | "reconcile", verdict="holds"):
            account.ending = "verified"
        case ev.ProbesConcluded(purpose="done_when", verdict="holds"):
            account.ending = "done already"
        case ev.TargetFailed() | ev.GateAnswered(answer="reject"):
            account.ending = "failed"
        case ev.TargetMarked():
            account.ending, account.by_word = event.status, True
        case ev.GateAnswered(gate="unknown", answer="confirm"):
            account.ending, account.by_word = "passed", True
        case ev.TargetReopened():
            account.ending, account.by_word = "open", False
            account.bypassed = bool(event.bypass)
        case ev.TargetBegan() | ev.RetryPlanned():
            account.ending = "open"
        case _:
            pass  # it settles nothing


def truth(events: Iterable[ev.Event], plan: Plan) -> tuple[str, int]:
    """The word and the code that an auditor gives a run that has nothing left to do."""
    accounts = audited(events, plan)
    good, plain = True, True
    up: dict[str, list[tuple[int, bool]]] = {}
    for step, planned in plan.steps.items():
        mine = [accounts[str(step), str(target.name)] for target in planned.targets]
        passed = [each for each in mine if each.ending in ("verified", "done already", "passed")]
        failed = [each for each in mine if each.ending == "failed"]
        skipped = [each for each in mine if each.ending == "skipped"]
        others = len(mine) - len(passed) - len(failed) - len(skipped)
        good = good and not others and len(failed) <= planned.allowed_failures
        odd = [each for each in passed if each.by_word or each.bypassed]
        plain = plain and not (failed or skipped or odd)
        for name, level in planned.step.raises.items():
            stands = not others and len(passed) > 0 and len(failed) <= planned.allowed_failures
            up.setdefault(name, []).append((_LEVELS.index(level), stands))
    for raises in up.values():
        best = max(level for level, _ in raises)
        plain = plain and any(stands for level, stands in raises if level == best)
    if not good:
        return "failed", 1
    return ("succeeded", 0) if plain else ("succeeded with exceptions", 7)


@st.composite
def acts(draw: st.DrawFn) -> list[tuple[int, c.Command]]:
    """What people ask for, each at some turn."""
    step = f"s{draw(st.integers(0, 11))}"
    about: list[c.Command] = []
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["skip", "mark", "retry", "bypass", "confirm", "reject"]))
        step = f"s{draw(st.integers(0, 11))}"
        match kind:
            case "skip":
                about.append(c.Skip(step=step, reason="not now"))
            case "mark":
                about.append(c.MarkDone(step=step, reason="by hand"))
            case "retry":
                about.append(c.RetryRequest(step=step))
            case "bypass":
                about.append(
                    c.RetryRequest(step=step, bypass_guard="run: look", reason="it is dead")
                )
            case "confirm":
                about.append(c.Confirm(step=step))
            case _:
                about.append(c.Reject(step=step, reason="no"))
    return sorted(((draw(st.integers(0, 80)), each) for each in about), key=lambda each: each[0])


@st.composite
def nights(draw: st.DrawFn) -> tuple[Plan, list[tuple[int, c.Command]]]:
    """Random runbooks, some of whose steps raise a service, and what people do."""
    plan = draw(graphs())
    steps = {}
    for name, planned in plan.steps.items():
        level = draw(st.none() | st.sampled_from(_LEVELS[1:]))
        raises = {draw(st.sampled_from(["web", "db"])): level} if level else {}
        steps[name] = replace(planned, step=replace(planned.step, raises=raises))
    return replace(plan, steps=steps, runbook=replace(plan.runbook, waivers=())), draw(acts())


def spend(night: tuple[Plan, list[tuple[int, c.Command]]], seed: int) -> World:
    """The night; who is asked at its end, and nobody has answered, confirms."""
    plan, asked = night
    world = world_of(plan, seed, 4)
    coming, turns = list(asked), count()

    def meddle(world: World) -> None:
        turn = next(turns)
        while coming and coming[0][0] <= turn and world.state.ended is None:
            ask(world, coming.pop(0)[1])

    world.meddle = meddle
    world.drive()
    while world.state.ended is None:
        key = next(key for key in world.state.active if world.state.targets[key].gate)
        ask(world, c.Confirm(step=key.step, target=key.target))
        world.drive()
    return world


def ask(world: World, command: c.Command) -> None:
    if StepId(getattr(command, "step", "")) not in world.plan.steps:
        return
    found = consider(world.state, command, "drew", world.now)
    for event in found.events if isinstance(found, Granted) else ():
        world.record(event)


@given(night=nights(), seed=st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_the_word_and_the_code_of_an_ending_are_true(
    night: tuple[Plan, list[tuple[int, c.Command]]], seed: int
) -> None:
    world = spend(night, seed)
    ended = world.state.ended
    assert ended is not None
    assert (str(ended), int(exit_of_run(ended))) == truth(
        (event for _, event in world.journal), world.plan
    )
    plain = not any(each.decisive for each in exceptions_of(world.state))
    assert plain or str(ended) != "succeeded"
    assert not plain or str(ended) != "succeeded with exceptions"

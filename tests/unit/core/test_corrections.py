"""Random runbooks, random failures, corrections at random moments: what must always be true."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.actions import Action, RunAction
from drrun.core.model.ids import LOCAL, StepId, TargetKey
from drrun.core.model.outcomes import Ended
from drrun.core.model.plan import Plan, Selection, bind
from drrun.core.model.probes import Verdict
from drrun.core.model.revision import same
from drrun.core.model.runbook import OnFailure, Step
from drrun.core.model.status import GOOD, Phase, Status
from drrun.core.people.commands import Amend
from drrun.core.people.consider import Denied, Granted, consider
from drrun.core.rules import wishes as w
from drrun.core.rules.capacity import Activity
from drrun.core.state.run_state import RunState, fold
from tests.unit.core.test_engine_properties import graphs, known
from tests.unit.core.test_engine_properties import world_of as random_world
from tests.unit.core.worlds import World, plan_of, statuses, step

#: Text of an amendment -> the steps that it holds.
Texts = Mapping[str, Sequence[Step]]


def plan_with(plan: Plan, steps: Sequence[Step]) -> Plan:
    runbook = replace(
        plan.runbook, steps={**plan.runbook.steps, **{each.id: each for each in steps}}
    )
    return bind(runbook, plan.inventory, {}, Selection(), lambda value, _: value)


@dataclass
class Corrected(World):
    """A world whose plan is amended, and that knows which text each effect came from."""

    texts: Texts = field(default_factory=dict)
    done_by: dict[TargetKey, Action] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.replan = self._replan
        super().__post_init__()

    def _replan(self, amendments: Sequence[ev.PlanAmended]) -> Plan:
        return plan_with(self.plan, [each for one in amendments for each in self.texts[one.text]])

    def amend(self, *steps: Step) -> Granted | Denied:
        text = f"amendment {len(self.texts)}"
        self.texts = {**self.texts, text: steps}
        asked = Amend(path="fix.yml", text=text, reason="typo")
        found = consider(self.state, asked, "simon", self.now)
        for each in found.events if isinstance(found, Granted) else ():
            self.record(each)
        return found

    def obey(self, wish: w.Wish) -> None:
        if isinstance(wish, w.StartAttempt):
            self.done_by[wish.key] = self.state.plan.steps[wish.key.step].step.action
        super().obey(wish)

    def land(self, activity: Activity) -> None:
        if activity.key in self.state.targets:
            super().land(activity)
        else:  # a question about a target that its step has no more
            del self.air[activity]


def world_of(*steps: Step) -> Corrected:
    """Whatever is spelled `ecko` fails."""
    world = Corrected(plan_of(*steps))

    def acting(key: TargetKey, _: int) -> Ended:
        action = world.state.plan.steps[key.step].step.action
        return Ended(127 if isinstance(action, RunAction) and "ecko" in action.text else 0)

    world.acting = acting
    return world


def run(name: str, text: str, *needs: str, **keys: object) -> Step:
    return step(name, *needs, action=RunAction(text), **keys)


def amend_once(world: Corrected, name: str, status: Status, *fixed: Step) -> list[Granted]:
    """Amend the moment a step has a status; what became of it."""
    given: list[Granted] = []

    def meddle(_: World) -> None:
        if not given and world.state.step(StepId(name)) is status:
            found = world.amend(*fixed)
            assert isinstance(found, Granted), found
            given.append(found)

    world.meddle = meddle
    return given


def test_a_typing_error_in_a_failed_step_is_corrected_while_the_run_goes_on() -> None:
    world = world_of(run("two", "ecko two"), run("three", "echo three", "two"))
    amend_once(world, "two", Status.FAILED, run("two", "echo two"))
    assert statuses(world.drive()) == ["passed", "passed"]
    assert world.state.targets[TargetKey(StepId("two"), LOCAL)].attempt == 2


@pytest.mark.faults(139)
def test_a_step_that_a_replaced_need_blocked_is_freed_at_once() -> None:
    """The night's point I: `three` needed `two`, and needs `two-fixed` now."""
    world = world_of(
        run("two", "ecko two"), run("three", "echo three", "two"), run("four", "x", "three")
    )
    fixed = run("two-fixed", "echo two"), run("three", "echo three", "two-fixed")
    given = amend_once(world, "four", Status.BLOCKED, *fixed)
    assert statuses(world.drive(), "three", "four") == ["passed", "passed"]
    assert "open again: four" in given[0].message


def test_a_run_that_has_failed_is_corrected_and_resumed() -> None:
    world = world_of(run("one", "echo one"), run("two", "ecko two"), run("three", "x", "two"))
    assert str(world.drive().ended) == "failed"
    assert isinstance(world.amend(run("two", "echo two")), Granted)
    assert statuses(world.state) == ["passed", "pending", "pending"]
    world.record(ev.RunResumed(by="drew"))
    assert statuses(world.drive()) == ["passed"] * 3


def test_what_has_passed_is_named_with_the_way_out() -> None:
    world = world_of(run("one", "echo one"), run("two", "ecko two"))
    world.drive()
    found = world.amend(run("one", "echo other"), run("two", "echo two"))
    assert isinstance(found, Denied)
    assert "one has passed" in found.why
    assert "into a new step" in found.why


def test_a_title_may_change_although_the_step_has_passed() -> None:
    world = world_of(run("one", "echo one"), run("two", "ecko two"))
    world.drive()
    found = world.amend(run("one", "echo one", title="The first"))
    assert isinstance(found, Granted)
    assert statuses(world.state) == ["passed", "failed"]


def test_the_gate_of_a_step_that_only_waits_is_rewritten() -> None:
    """The night's deadlock: two have to approve, and one of the two may not."""
    gate = {"role": "commander", "count": 2}
    world = world_of(run("dns", "x", approval=gate))
    world.drive()
    assert isinstance(world.amend(run("dns", "x", approval={**gate, "count": 1})), Granted)
    assert statuses(world.drive()) == ["waiting"]
    assert world.state.starters(TargetKey(StepId("dns"), LOCAL)) == {"", "simon"}


def test_a_rewritten_step_never_uses_the_number_of_an_attempt_twice() -> None:
    """Not even on a target that it lost by one amendment, and got back by the next."""
    world = world_of(run("two", "ecko", for_each=["p", "q"]))
    world.drive()
    world.amend(run("two", "ecko", for_each=["q"]))
    world.amend(run("two", "echo", for_each=["p", "q"]))
    world.record(ev.RunResumed(by="drew"))
    assert statuses(world.drive()) == ["passed"]
    assert all(times == 1 for times in world.effects.values())


@dataclass
class Scene:
    """A runbook of which some steps are wrong, corrections at some moments, and the last one."""

    plan: Plan
    coming: list[tuple[int, list[Step]]]
    right: list[Step]

    def __repr__(self) -> str:
        """Short: a plan is tens of thousands of characters."""
        return f"{_short(self.plan.runbook.steps.values())}, then " + ", ".join(
            f"{moment}: {_short(steps)}" for moment, steps in self.coming
        )


def _short(steps: Iterable[Step]) -> str:
    return "; ".join(f"{each.id}({each.needs}): {each.action} {each.for_each}" for each in steps)


@st.composite
def corrected(draw: st.DrawFn) -> Scene:
    """Any scene."""
    steps = []
    for each in draw(graphs()).runbook.steps.values():
        wrong = isinstance(each.action, RunAction) and draw(st.booleans())
        failing = draw(st.sampled_from([OnFailure.STOP, OnFailure.CONTINUE]))
        action = RunAction(f"ecko {each.id}") if wrong else each.action
        steps.append(replace(each, action=action, on_failure=failing))
    rewritten = st.builds(_rewritten, st.sampled_from(steps), st.integers(0, 3), st.booleans())
    moments = st.tuples(st.integers(0, 60), st.lists(rewritten, min_size=1, max_size=3))
    right = [_rewritten(each, 0, good=True) for each in steps]
    return Scene(
        plan_of(*steps, locks={"x": 1, "y": 2}), draw(st.lists(moments, max_size=6)), right
    )


def _rewritten(each: Step, version: int, good: bool) -> Step:
    """The same step with another text, other needs, or other targets."""
    if not isinstance(each.action, RunAction):
        return each
    text = f"{'echo' if good else 'ecko'} {each.id} {version}"
    needs = each.needs[1:] if version == 1 else each.needs
    items = ["q", "r", "s"] if version == 2 and each.for_each else each.for_each
    return replace(each, action=RunAction(text), needs=needs, for_each=items)


@given(scene=corrected(), seed=st.integers(0, 10**6), max_parallel=st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_a_correction_rewrites_nothing_that_passed_and_what_is_done_is_what_is_written(
    scene: Scene, seed: int, max_parallel: int
) -> None:
    plan = scene.plan
    world = world_of(*plan.runbook.steps.values())
    world.plan, world.max_parallel = plan, max_parallel
    world.state = RunState(plan, world.replan)
    world.agenda = type(world.agenda)(world.state)
    world.answering = random_world(plan, seed, max_parallel).answering
    turns, left = count(), sorted(scene.coming, key=lambda each: each[0])

    def meddle(_: World) -> None:
        turn = next(turns)
        while left and left[0][0] <= turn:
            _amend(world, left.pop(0)[1])

    world.meddle = meddle
    world.drive()
    _nothing_is_blocked_for_nothing(world.state)
    world.answering = lambda *_: Verdict.HOLDS
    for _ in range(3):  # what a person does in the end: all that is wrong, and go on
        for each in scene.right:
            _amend(world, [each])
        world.record(ev.RunResumed(by="drew"))
        world.drive()
        _nothing_is_blocked_for_nothing(world.state)
    assert known(fold(plan, world.journal, world.replan)) == known(world.state)
    for key, action in world.done_by.items():
        target = world.state.targets.get(key)
        if target is not None and target.status is Status.PASSED and not target.already:
            assert same(world.state.plan.steps[key.step].step.action, action)


def _amend(world: Corrected, steps: Sequence[Step]) -> None:
    """Ask for a correction; what has passed, or is being executed, is as it was."""
    before = {
        key: (world.state.plan.steps[key.step].step, target)
        for key, target in world.state.targets.items()
        if target.status in (Status.PASSED, Status.VERIFYING, Status.UNKNOWN)
        or target.phase is Phase.ACTING
    }
    found = world.amend(*steps)
    note("amended" if isinstance(found, Granted) else "refused")
    for key, (written, target) in before.items():
        assert world.state.targets[key] == target
        assert same(world.state.plan.steps[key.step].step, written)


def _nothing_is_blocked_for_nothing(state: RunState) -> None:
    for each in state.plan.order:
        if state.step(each) is Status.BLOCKED:
            needs = state.plan.steps[each].step.needs
            assert not all(any(state.step(one) in GOOD for one in need.any_of) for need in needs)

"""Random graphs, random outcomes, crashes at random events: what must always be true."""

from dataclasses import replace
from itertools import count
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown, TimedOut
from drrun.core.model.plan import Plan
from drrun.core.model.probes import Verdict
from drrun.core.model.runbook import Estimate, OnFailure, OnUnknown, Retry, Step
from drrun.core.model.status import FINAL, Status
from drrun.core.model.values import Duration, Share
from drrun.core.state.run_state import RunState, fold
from tests.unit.core.worlds import Killed, World, manual, plan_of, probe, step

OUTCOMES: list[Outcome] = [
    Ended(0), Ended(0), Ended(0), Ended(1), NeverStarted("down"), TimedOut(gone=True),
    TimedOut(gone=False), OutcomeUnknown("cut"),
]  # fmt: skip


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    """Up to twelve steps that need earlier ones, with all that changes how they go."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 12))):
        name = f"s{number}"
        earlier = [each.id for each in steps]
        needs: list[str | tuple[str, ...]] = []
        if earlier:
            needs = list(draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)))
            if draw(st.booleans()) and len(earlier) > 1:
                needs.append(
                    tuple(draw(st.lists(st.sampled_from(earlier), min_size=2, max_size=3)))
                )
        if draw(st.integers(0, 9)) == 0:
            steps.append(manual(name, *(need for need in needs if isinstance(need, str))))
            continue
        made = step(
            name,
            *needs,
            retry=Retry(attempts=draw(st.integers(1, 3))),
            on_failure=draw(st.sampled_from([OnFailure.STOP, OnFailure.CONTINUE])),
            on_unknown=draw(st.sampled_from(list(OnUnknown))),
            locks=tuple(draw(st.lists(st.sampled_from(["x", "y"]), max_size=1))),
        )
        for kind in ("guard", "done_when", "verify"):
            if draw(st.integers(0, 2)) == 0:
                asked = (probe(kind, within=Duration(3), every=Duration(1)),)
                made = replace(made, **{kind: asked})  # type: ignore[arg-type] # kwargs
        if draw(st.integers(0, 3)) == 0:
            made = replace(
                made,
                for_each=["p", "q", "r"],
                batch=(Share(draw(st.integers(1, 3))),),
                max_failures=Share(draw(st.integers(0, 1))),
            )
        steps.append(made)
    return plan_of(*steps, locks={"x": 1, "y": 2})


def world_of(plan: Plan, seed: int, max_parallel: int) -> World:
    """A world whose answers depend on the question alone, so that a crash changes none."""

    def number(*about: object) -> int:
        return crc32(repr((seed, *(str(each) for each in about))).encode())

    def answering(key: TargetKey, purpose: object, times: int) -> Verdict:
        return list(Verdict)[number(key, purpose, times) % 3] if number(key) % 2 else Verdict.HOLDS

    return World(
        plan,
        acting=lambda key, attempt: OUTCOMES[number(key, attempt) % len(OUTCOMES)],
        answering=answering,
        max_parallel=max_parallel,
    )


runs = given(plan=graphs(), seed=st.integers(0, 10**6), max_parallel=st.integers(1, 5))


@st.composite
def meddled(draw: st.DrawFn) -> tuple[Plan, list[tuple[int, ev.Event]]]:
    """Steps on hosts with little room, whose time is told, and what people do meanwhile."""
    names = ["h0", "h1", "h2"]
    inventory = Inventory(hosts={name: Host(name) for name in names})
    steps: list[Step] = []
    for each in draw(graphs()).runbook.steps.values():
        on = tuple(draw(st.lists(st.sampled_from(names), max_size=3, unique=True)))
        estimate = draw(
            st.none() | st.integers(1, 3).map(lambda n: Estimate(Duration(n), Duration(n)))
        )
        timeout = draw(st.none() | st.integers(1, 3).map(Duration))
        asks = {"timeout": timeout, "on_timeout": "ask"} if timeout and not each.locks else {}
        lost = draw(st.sampled_from(["block", "skip"]))
        own = {"on": on, "for_each": None} if on else {}
        steps.append(replace(each, estimate=estimate, when_lost=lost, **asks, **own))  # type: ignore[arg-type] # kwargs
    done: list[ev.Event] = [
        ev.RunPaused(why="look", by="drew"),
        ev.RunUnpaused(by="drew"),
        *(ev.Lost(thing=f"host:{name}", why="gone", by="drew") for name in names),
        *(ev.Found(thing=f"host:{name}", why="there", by="drew") for name in names),
    ]
    moments = st.tuples(st.integers(0, 60), st.sampled_from(done))
    return plan_of(*steps, inventory=inventory, locks={"x": 1, "y": 2}), draw(
        st.lists(moments, max_size=6)
    )


@given(
    scene=meddled(),
    seed=st.integers(0, 10**6),
    max_parallel=st.integers(1, 5),
    sessions=st.integers(1, 2),
)
@settings(max_examples=200, deadline=None)
def test_an_agenda_decides_as_a_look_at_everything_does(
    scene: tuple[Plan, list[tuple[int, ev.Event]]], seed: int, max_parallel: int, sessions: int
) -> None:
    """The world compares both at every decision."""
    plan, doings = scene
    world = world_of(plan, seed, max_parallel)
    world.sessions = dict.fromkeys(plan.inventory.hosts, sessions)
    world.tells_begin = bool(seed % 2)
    coming = sorted(doings, key=lambda each: each[0])
    turns = count()

    def meddle(world: World) -> None:
        turn = next(turns)
        while coming and coming[0][0] <= turn and world.state.ended is None:
            world.record(coming.pop(0)[1])

    world.meddle = meddle
    state = world.drive()
    assert state.stranded.keys() == stranded_by_definition(state)
    assert known(fold(plan, world.journal)) == known(state)


def stranded_by_definition(state: RunState) -> set[TargetKey]:
    """Targets that have not ended and whose host was declared lost: one full look."""
    return {
        key
        for key, target in state.targets.items()
        if target.status not in FINAL
        and (host := state.acts_on[key].host) is not None
        and host.name in state.circumstances.lost_hosts
    }


@runs
@settings(max_examples=150, deadline=None)
def test_every_edge_is_respected(plan: Plan, seed: int, max_parallel: int) -> None:
    world = world_of(plan, seed, max_parallel)
    world.drive()
    state = RunState(plan)
    for at, event in world.journal:
        if isinstance(event, ev.TargetBegan):
            needs = plan.steps[StepId(event.step)].step.needs
            assert all(state.met(need) for need in needs)
        state.apply(event, at)


@runs
@settings(max_examples=150, deadline=None)
def test_the_fold_of_the_journal_is_the_state(plan: Plan, seed: int, max_parallel: int) -> None:
    world = world_of(plan, seed, max_parallel)
    world.drive()
    assert known(fold(plan, world.journal)) == known(world.state)


def known(state: RunState) -> dict[str, object]:
    """All that is known; who has looked at it is none of that."""
    return {name: value for name, value in vars(state).items() if name != "stirred"}


@runs
@settings(max_examples=150, deadline=None)
def test_what_is_ready_is_what_a_full_look_finds(plan: Plan, seed: int, max_parallel: int) -> None:
    world = world_of(plan, seed, max_parallel)
    world.drive()
    state = RunState(plan)
    for at, event in world.journal:
        state.apply(event, at)
        assert set(state.ready) == ready_by_definition(state)
        assert set(state.active) == active_by_definition(state)


def ready_by_definition(state: RunState) -> set[StepId]:
    """Steps with a target that has not begun, and all needs met: one full look."""
    return {
        name
        for name in state.plan.order
        if all(state.met(need) for need in state.plan.steps[name].step.needs)
        and any(
            not state.targets[key].begun
            and state.targets[key].status in (Status.PENDING, Status.WAITING)
            for key in state.keys(name)
        )
    }


def active_by_definition(state: RunState) -> set[TargetKey]:
    """Targets that have begun and not ended: one full look."""
    return {
        key for key, target in state.targets.items() if target.begun and target.status not in FINAL
    }


@runs
@settings(max_examples=150, deadline=None)
def test_locks_are_never_held_by_more_than_they_count(
    plan: Plan, seed: int, max_parallel: int
) -> None:
    world = world_of(plan, seed, max_parallel)
    world.drive()
    state = RunState(plan)
    for at, event in world.journal:
        state.apply(event, at)
        assert all(state.held[lock] <= count for lock, count in plan.runbook.locks.items())


@given(
    plan=graphs(),
    seed=st.integers(0, 10**6),
    max_parallel=st.integers(1, 5),
    crashes=st.lists(st.integers(1, 200), min_size=1, max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_no_crash_makes_an_attempt_act_twice(
    plan: Plan, seed: int, max_parallel: int, crashes: list[int]
) -> None:
    world = drive_with_crashes(world_of(plan, seed, max_parallel), crashes)
    assert all(times == 1 for times in world.effects.values())


@given(
    plan=graphs(),
    seed=st.integers(0, 10**6),
    max_parallel=st.integers(1, 5),
    crashes=st.lists(st.integers(1, 200), min_size=1, max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_after_a_crash_an_attempt_in_flight_is_followed_by_another_only_on_request(
    plan: Plan, seed: int, max_parallel: int, crashes: list[int]
) -> None:
    world = drive_with_crashes(world_of(plan, seed, max_parallel), crashes)
    lost = {
        (event.step, event.target): event.attempt
        for _, event in world.journal
        if isinstance(event, ev.ContactLost)
    }
    for (name, target), attempt in lost.items():
        if plan.steps[StepId(name)].step.on_unknown is not OnUnknown.RERUN:
            assert not world.effects[TargetKey(StepId(name), TargetName(target)), attempt + 1]


@given(
    plan=graphs(),
    seed=st.integers(0, 10**6),
    max_parallel=st.integers(1, 5),
    crashes=st.lists(st.integers(1, 200), min_size=1, max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_a_step_that_passed_before_a_crash_stays_passed(
    plan: Plan, seed: int, max_parallel: int, crashes: list[int]
) -> None:
    world = world_of(plan, seed, max_parallel)
    passed: set[TargetKey] = set()
    for crash in sorted(crashes):
        world.die_after = crash
        try:
            world.drive()
        except Killed:
            world.resume()
        now = {key for key, seen in world.state.targets.items() if seen.status is Status.PASSED}
        assert passed <= now
        passed = now


def drive_with_crashes(world: World, crashes: list[int]) -> World:
    """Kill the controller after so many events, each time going on with a new one."""
    for crash in sorted(crashes):
        world.die_after = crash
        try:
            world.drive()
        except Killed:
            world.resume()
    world.drive()
    return world

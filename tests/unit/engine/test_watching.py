"""What is watched goes on counting where an earlier controller left off."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.ids import LOCAL, RunId, StepId, TargetKey
from drrun.core.model.plan import Plan
from drrun.core.model.probes import Invariant, ProbeKind, Verdict
from drrun.core.model.runbook import Runbook
from drrun.core.rules.relapse import RERUNS
from drrun.engine.naming import LateSecrets
from drrun.engine.orders import Orders
from drrun.engine.watching import WatchedProbe, Watching
from drrun.files.templates.templating import Templates
from drrun.ports.places import ProbeAnswer
from tests.unit.core.worlds import World, manual, plan_of, probe, step
from tests.unit.engine.rigs import NoSecrets

STEP = TargetKey(StepId("a"), LOCAL)
HOLDS, BROKEN, DOUBT = Verdict.HOLDS, Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL


def watching(world: World) -> Watching:
    """What a controller begins with."""
    secrets = LateSecrets({}, NoSecrets())
    orders = Orders(world.state, RunId("r"), Templates(), secrets, Path())
    return Watching(world.state, orders)


def passed(plan: Plan) -> World:
    world = World(plan)
    world.drive()
    return world


def watched(on_regressed: str, threshold: str | None = None) -> Plan:
    """A watched step, and one that keeps the run open."""
    return plan_of(
        step("a", watch=(probe(),), watch_threshold=threshold, on_regressed=on_regressed),
        manual("hold"),
    )


def answer(
    world: World, watches: Watching, verdict: Verdict, key: TargetKey | None = STEP
) -> None:
    """One answer, and what follows from it, until the run rests again."""
    world.now += 1
    for event in watches.seen(WatchedProbe(key, 0), ProbeAnswer(verdict, "", "seen"), world.now):
        world.record(event)
    world.drive()


def story(
    plan: Plan, answers: list[tuple[Verdict, bool]], key: TargetKey | None
) -> list[ev.Event]:
    """What is recorded; True: a new controller takes over before the answer."""
    world = passed(plan)
    watches = watching(world)
    for verdict, resumed in answers:
        if resumed:
            world.resume()
            watches = watching(world)
        answer(world, watches, verdict, key)
    return [event for _, event in world.journal]


answers = st.lists(st.tuples(st.sampled_from(Verdict), st.booleans()), max_size=30)


@given(
    on_regressed=st.sampled_from(["pause", "continue", "rerun"]),
    threshold=st.sampled_from([None, "2 of 3", "3 of 5"]),
    answers=answers,
)
@settings(max_examples=150, deadline=None)
def test_a_new_controller_counts_on_where_the_last_one_left_off(
    on_regressed: str, threshold: str | None, answers: list[tuple[Verdict, bool]]
) -> None:
    plan = watched(on_regressed, threshold)
    alone = story(plan, [(verdict, False) for verdict, _ in answers], STEP)
    assert story(plan, answers, STEP) == alone


@given(answers=answers)
@settings(max_examples=50, deadline=None)
def test_an_invariant_is_not_broken_again_because_another_controller_looks(
    answers: list[tuple[Verdict, bool]],
) -> None:
    plan = plan_of(step("a"), manual("hold"))
    runbook: Runbook = replace(plan.runbook, invariants=(invariant(),))
    plan = replace(plan, runbook=runbook)
    alone = story(plan, [(verdict, False) for verdict, _ in answers], None)
    kinds = [type(event) for event in story(plan, answers, None)]
    assert kinds == [type(event) for event in alone]


def invariant(since: str = "", until: str = "") -> Invariant:
    return Invariant(kind=ProbeKind.RUN, ask={"text": "x"}, since=since, until=until)


def watched_invariants(world: World) -> list[WatchedProbe]:
    return [each for each, _ in watching(world).due(world.now)]


def test_an_invariant_is_watched_between_its_steps_and_not_outside() -> None:
    plan = plan_of(manual("fence"), manual("work", "fence"), step("back", "work"))
    span = invariant(since="fence", until="back")
    plan = replace(plan, runbook=replace(plan.runbook, invariants=(span,)))
    world = passed(plan)
    watches = watching(world)
    assert watched_invariants(world) == []
    confirm(world, "fence")
    watches.changed(TargetKey(StepId("fence"), LOCAL))
    assert [each for each, _ in watches.due(world.now)] == [WatchedProbe(None, 0)]
    assert watched_invariants(world) == [WatchedProbe(None, 0)]
    confirm(world, "work")
    assert watched_invariants(world) == []
    late = ProbeAnswer(BROKEN, "", "two writers")
    assert list(watches.seen(WatchedProbe(None, 0), late, world.now)) == []


def confirm(world: World, name: str) -> None:
    world.record(
        ev.GateAnswered(step=name, target=LOCAL, gate="manual", answer="confirm", by="drew")
    )
    world.drive()


def reruns(events: list[ev.Event]) -> int:
    return sum(isinstance(event, ev.TargetReopened) and event.rerun for event in events)


def test_the_budget_of_reruns_is_the_runs_and_no_controllers() -> None:
    broken = [(BROKEN, True)] * (RERUNS + 3)
    assert reruns(story(watched("rerun"), broken, STEP)) == RERUNS


def test_when_the_reruns_are_used_up_people_are_asked() -> None:
    events = story(watched("rerun"), [(BROKEN, True)] * (RERUNS + 1), STEP)
    assert isinstance(events[-1], ev.RunPaused)


def test_a_person_who_wants_it_again_gives_a_new_budget() -> None:
    world = passed(watched("rerun"))
    for _ in range(RERUNS + 1):
        answer(world, watching(world), BROKEN)
    world.record(ev.TargetReopened(step="a", target=LOCAL, by="drew"))
    world.record(ev.RunUnpaused(by="drew"))
    world.drive()
    answer(world, watching(world), BROKEN)
    assert reruns([event for _, event in world.journal]) == RERUNS + 1


def test_what_answers_as_before_is_no_news() -> None:
    events = story(watched("pause", "3 of 5"), [(HOLDS, False)] * 50, STEP)
    assert sum(isinstance(event, ev.WatchSeen) for event in events) <= 5


def test_doubt_breaks_nothing() -> None:
    events = story(watched("pause", "2 of 3"), [(BROKEN, False)] + [(DOUBT, False)] * 9, STEP)
    assert not any(isinstance(event, ev.Regressed) for event in events)

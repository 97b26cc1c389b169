"""One fact is told in one way, wherever it is told."""

from dataclasses import fields
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Role
from drrun.core.rules.notices import notices
from drrun.core.state.event_text import tell
from drrun.report.facts import Fact
from drrun.report.text.lines import take_in
from drrun.report.words import words_of
from tests.unit.core.worlds import World, plan_of, step
from tests.unit.report.runs import begun, bound

KINDS: list[type[ev.EventBase]] = list(get_args(ev.Event))

#: Values of the members that are no plain text, by their annotation.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(max_size=20),
    "int": st.integers(0, 9),
    "bool": st.booleans(),
    "float": st.floats(0, 1e6),
    "int | None": st.none() | st.integers(0, 255),
    "float | None": st.none() | st.floats(0, 1e6),
    "tuple[str, ...]": st.lists(st.text(max_size=8), max_size=3).map(tuple),
    "tuple[bool, ...]": st.lists(st.booleans(), max_size=3).map(tuple),
    "Mapping[str, str]": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    "tuple[Mapping[str, str], ...]": st.lists(
        st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2), max_size=2
    ).map(tuple),
    "Mapping[str, Any]": st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
}


def annotation(written: object) -> str:
    return (
        str(getattr(written, "__name__", written))
        if isinstance(written, type)
        else str(written).replace("collections.abc.", "").replace("typing.", "")
    )


@st.composite
def events(draw: st.DrawFn) -> ev.Event:
    kind = draw(st.sampled_from(KINDS))
    given = {each.name: draw(VALUES[annotation(each.type)]) for each in fields(kind)}
    return ev.event_of(kind.__name__, given)


@given(event=events())
@settings(max_examples=400, deadline=None)
def test_whatever_an_event_says_it_can_be_told(event: ev.Event) -> None:
    told = tell(event)
    assert told is None or (told.word and told.text.startswith(told.word))


@given(event=events())
@settings(max_examples=400, deadline=None)
def test_who_did_it_and_to_what_is_never_lost(event: ev.Event) -> None:
    told = tell(event)
    by = getattr(event, "by", "")
    if told is not None and by != "controller" and not isinstance(event, ev.RunPaused):
        assert told.by == by
    if told is not None and isinstance(event, ev.StepEvent):
        assert told.about.startswith(event.step)


def gated(**keys: Any) -> World:
    """A run whose step is `me`'s, and wants an approval by `boss`."""
    boss = Role("boss", people=("simon",), deputies=("ann",))
    roles = {"me": Role("me", people=("drew",)), "boss": boss}
    plan: Plan = bound(step("a", owner="me", approval={"role": "boss"}, **keys), roles=roles)
    world = begun(plan)
    world.obey_all()
    return world


def log(world: World) -> list[str]:
    state = type(world.state)(world.plan)
    facts = [Fact(1, at, "controller", event) for at, event in world.journal]
    return [f"{line.word} {line.text}" for fact in facts for line in take_in(state, fact)]


def test_the_live_log_names_the_role_that_is_asked_and_not_the_owner() -> None:
    assert "waiting a asks boss (simon, ann): ?" in log(gated())


def test_a_notice_goes_to_the_role_that_is_asked() -> None:
    world = gated()
    opened = next(event for _, event in world.journal if isinstance(event, ev.GateOpened))
    (notice,) = notices(world.state, opened, "r")
    assert (notice.to, notice.text) == (("simon", "ann"), "a asks boss (simon, ann): ?")


LATE = ev.AttemptLate(step="a", target="local", attempt=1, p90=600)


def acting() -> World:
    world = World(plan_of(step("a")))
    world.obey_all()
    return world


def test_the_log_the_story_and_a_notice_tell_the_same() -> None:
    world = acting()
    fact = Fact(1, world.now, "controller", LATE)
    (notice,) = notices(world.state, LATE, "r")
    (line,) = take_in(world.state, fact)
    (word,) = words_of([fact])
    detail = "takes longer than 10m; it is still running"
    assert (line.word, line.text) == ("late", f"a: {detail}")
    assert (word.text, notice.text) == (f"late: {detail}", f"a late: {detail}")


def test_that_people_are_asked_about_a_late_attempt_has_a_line() -> None:
    world = acting()
    opened = ev.GateOpened(step="a", target="local", gate="late", text="Go on?", role="me")
    world.record(opened)
    assert log(world)[-1] == "running a asks me: Go on?"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_event_can_be_drawn(kind: type[ev.EventBase]) -> None:
    """So that a new one is among those that the tests above tell."""
    assert all(annotation(each.type) in VALUES for each in fields(kind))

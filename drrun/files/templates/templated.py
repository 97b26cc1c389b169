"""Which texts of a step are templates, and of what kind.

Rules:
- Every text that the engine renders is listed here and nowhere else: what is not listed is not
  linted. `on` and `for_each` are rendered when the plan is bound, all others when the step acts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import Enum
from operator import attrgetter
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.actions import Action, DecisionAction, ManualAction, RunAction, UsesAction
from drrun.core.model.errors import Place
from drrun.core.model.execution import Execution
from drrun.core.model.probes import Expect, Probe, ProbeKind
from drrun.core.model.runbook import StandIn, Step

#: Members of what a probe expects.
_EXPECTED = attrgetter(*(one.name for one in fields(Expect)))


class Kind(Enum):
    """How a text is rendered."""

    TEXT = "text"
    SHELL = "shell"
    EXPRESSION = "expression"


@dataclass(frozen=True, slots=True)
class Templated:
    """One text that may have templates in it."""

    #: Key of the step.
    key: str
    text: str
    place: Place
    kind: Kind = Kind.TEXT
    #: Rendered when the plan is bound: knows inputs and vars only.
    early: bool = False
    #: Rendered after the step's own action: may use what it captured.
    after: bool = False


def templated_of(step: Step) -> Iterator[Templated]:
    """All texts of a step that are rendered."""

    def at(key: str) -> Place:
        return step.places.get(key, step.place)

    yield from _of_action(step.action, at)
    yield from _of_execution(step.execution, "env", at("env"))
    yield from _of_stand_ins(step)
    for key in ("on", "for_each"):
        for text in _texts(getattr(step, key)):
            yield Templated(key, text, at(key), early=True)
    for name, text in (step.approval or {}).items():
        if isinstance(text, str):
            kind = Kind.EXPRESSION if name == "when" else Kind.TEXT
            yield Templated("approval", text, at("approval"), kind)
    if step.when is not None:
        yield Templated("when", step.when, at("when"), Kind.EXPRESSION)
    if step.not_before is not None:
        yield Templated("not_before", step.not_before, at("not_before"))
    for key in ("guard", "done_when", "verify", "watch"):
        for probe in getattr(step, key):
            yield from _of_probe(probe, key, after=key in {"verify", "watch"})


def _of_stand_ins(step: Step) -> Iterator[Templated]:
    for key in ("undo", "dry_run", "when_lost"):
        other = getattr(step, key)
        if isinstance(other, StandIn):
            yield from _of_stand_in(other, key, step.places.get(key, step.place))


def _of_stand_in(other: StandIn, key: str, place: Place) -> Iterator[Templated]:
    after = key == "undo"
    for each in _of_action(other.action, lambda _: place):
        yield Templated(key, each.text, place, each.kind, after=after)
    yield from _of_execution(other.execution, key, place, after=after)
    for probe in other.verify:
        yield from _of_probe(probe, key, after=True)


def _of_action(action: Action, at: Any) -> Iterator[Templated]:
    match action:
        case RunAction(text):
            yield Templated("run", text, at("run"), Kind.SHELL)
        case ManualAction(text):
            yield Templated("manual", text, at("manual"))
        case DecisionAction():
            yield Templated("decision", action.question, at("decision"))
            for given in action.options.values():
                for text in _texts(given):
                    yield Templated("options", text, at("options"))
        case UsesAction(_, arguments):
            for value in arguments.values():
                for probe in value if isinstance(value, tuple) else (value,):
                    if isinstance(probe, Probe):
                        yield from _of_probe(probe, "with")
                for text in _texts(value):
                    yield Templated("with", text, at("with"))


def _of_execution(
    execution: Execution, key: str, place: Place, *, after: bool = False
) -> Iterator[Templated]:
    given = (*execution.env.values(), execution.become, execution.chdir, execution.stdin)
    for text in given:
        if text is not None:
            yield Templated(key, text, place, after=after)


def _of_probe(probe: Probe, key: str, *, after: bool = False) -> Iterator[Templated]:
    for name, value in probe.ask.items():
        is_shell = probe.kind is ProbeKind.RUN and name == "text"
        kind = Kind.SHELL if is_shell else Kind.TEXT
        for text in _texts(value):
            yield Templated(key, text, probe.place, kind, after=after)
    for value in _EXPECTED(probe.expect):
        for text in _texts(value):
            yield Templated(key, text, probe.place, after=after)
    for pattern in probe.on or ():
        yield Templated(key, pattern, probe.place, after=after)
    yield from _of_execution(probe.execution, key, probe.place, after=after)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list() | tuple():
            for each in value:
                yield from _texts(each)
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case _:
            pass

"""What a plan is worth without something: a site, a host, a provider, a person, a dependency.

Rules:
- The run is simulated with the thing lost from its first moment: the real rules decide what is
  skipped, blocked, done in another form, or waits for ever.
- A dependency is lost as its provider, if the inventory's sites have that, and with all steps
  that carry its name as a tag; one with an alternate is not lost.
"""

from collections.abc import Iterator, Sequence

from drrun.cases.runbook_tests import unknown_thing
from drrun.cases.simulate import Scenario, simulated, trial_of
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Level
from drrun.core.model.status import FINAL, Status
from drrun.core.model.values import Duration
from drrun.core.nearest import did_you_mean
from drrun.core.tabletop.injects import Inject
from drrun.core.tabletop.simulation import Simulation
from drrun.report.services import ServiceView, service_views


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A plan without something."""

    without: tuple[str, ...]
    #: Step -> why it cannot be done.
    undone: dict[str, str]
    #: Service -> (the level that it reaches, the one that it would reach with everything).
    short: dict[str, tuple[Level, Level]]
    #: Of what can be done; None if nothing can.
    length: Duration
    usual: Duration
    critical: tuple[str, ...]
    #: What else is to be said: an alternate that takes over.
    notes: tuple[str, ...]


def what_if(plan: Plan, things: Sequence[str]) -> WhatIf:
    """Simulate a plan without these things.

    Raises:
        InputError: There is no such thing.
    """
    injects: list[Inject] = []
    notes: list[str] = []
    for thing in things:
        kind, _, name = thing.partition(":")
        if kind == "dependency":
            injects += _dependency(plan, name, notes)
            continue
        if why := unknown_thing(plan, thing):
            raise InputError(f"--without {thing}: {why}")
        injects.append(Inject("lose", thing))
    usual = simulated(Scenario(plan), None)
    lost = simulated(Scenario(plan, tuple(injects)), None)
    one = trial_of(lost, None)
    return WhatIf(
        without=tuple(things),
        undone=dict(_undone(lost, usual)),
        short=dict(_short(lost, usual)),
        length=Duration(one.length),
        usual=Duration(usual.journal[-1][0]),
        critical=one.critical,
        notes=tuple(notes),
    )


def _dependency(plan: Plan, name: str, notes: list[str]) -> Iterator[Inject]:
    known = plan.inventory.dependencies
    if name not in known:
        raise InputError(
            f"--without dependency:{name}: there is no such dependency{did_you_mean(name, known)}"
        )
    each = known[name]
    if each.alternate not in ("", "none"):
        notes.append(f"dependency {name}: {each.alternate} takes its place")
        return
    if any(site.provider == each.provider for site in plan.inventory.sites.values()):
        yield Inject("lose", f"provider:{each.provider}")
    tagged = [step for step, planned in plan.steps.items() if name in planned.step.tags]
    for step in tagged:
        yield Inject("fail", step)
    if not tagged:
        notes.append(f"dependency {name}: no step has the tag {name}, so none is counted as lost")


def _undone(lost: Simulation, usual: Simulation) -> Iterator[tuple[str, str]]:
    state = lost.state
    for step in state.plan.order:
        status = state.step(step)
        if status in (Status.PASSED, Status.SKIPPED) and status is usual.state.step(step):
            continue
        if status is Status.PASSED:
            continue
        notes = [state.targets[key].note for key in state.keys(step)]
        why = next((note for note in notes if note), "")
        if status not in FINAL:
            gate = next((state.targets[key].gate for key in state.keys(step)), None)
            role = gate.asked.role if gate is not None else ""
            why = f"nobody is left to answer for {role}" if gate is not None else "never begins"
        yield str(step), why or str(status)


def _short(lost: Simulation, usual: Simulation) -> Iterator[tuple[str, tuple[Level, Level]]]:
    wanted = {view.name: view.level for view in _views(usual)}
    for view in _views(lost):
        level, best = view.level or Level.DOWN, wanted[view.name] or Level.DOWN
        if level is not best:
            yield view.name, (level, best)


def _views(simulation: Simulation) -> tuple[ServiceView, ...]:
    return service_views(simulation.plan, simulation.state, simulation.now)

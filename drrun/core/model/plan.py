"""A plan: a runbook bound to an inventory and inputs, with concrete targets, order and length.

Rules:
- Binding contacts nothing and reads no clock: the same inputs give the same plan.
- All findings are reported at once, each with the place in the runbook.
- A step that does not exist in this mode or variant stays in the plan, marked with the reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from fnmatch import fnmatchcase
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model import graph
from drrun.core.model.actions import DecisionAction, ManualAction
from drrun.core.model.errors import Finding, InputError
from drrun.core.model.ids import LOCAL, StepId, TargetName
from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.runbook import RESPONSE, Mode, Runbook, Step
from drrun.core.model.values import Duration

#: Renders every text inside a value; the second argument are the names that may be used.
Render = Callable[[Any, Mapping[str, Any]], Any]
#: Why a step is left out that a person named with `--skip`.
NAMED_BY_SKIP = "named by --skip"


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """What one instance of a step acts on."""

    name: TargetName
    #: None: the controller itself, or nobody.
    host: Host | None = None
    #: The item of `for_each`.
    item: Any = None


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with its targets."""

    step: Step
    targets: tuple[PlannedTarget, ...]
    #: Why the step does not take part; "" if it does.
    left_out: str = ""
    #: A flag of the command left it out, not its mode or variant.
    by_choice: bool = False
    #: How many targets may have begun once so many batches are through, growing.
    batches: tuple[int, ...] = ()
    #: Seconds until people have answered what is asked before it acts, by their roles.
    answers: float = 0.0

    #: Targets that the command leaves out.
    without: tuple[TargetName, ...] = ()

    @property
    def allowed_failures(self) -> int:
        """How many targets may fail without failing the step."""
        return self.step.max_failures.of(len(self.targets))

    @property
    def length(self) -> float:
        """Expected seconds with the answers before it, 0 if the step is left out."""
        return 0.0 if self.left_out else self.answers + self.work

    @property
    def work(self) -> float:
        """Expected seconds of the step itself, 0 if it is left out or says nothing."""
        if self.left_out or self.step.estimate is None:
            return 0.0
        return float(self.step.estimate.p50)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run is going to do."""

    runbook: Runbook
    inventory: Inventory
    inputs: Mapping[str, Any]
    mode: Mode
    variant: str
    steps: Mapping[StepId, PlannedStep]
    order: tuple[StepId, ...]
    waves: tuple[tuple[StepId, ...], ...]
    critical_path: tuple[StepId, ...]
    #: Step -> seconds from its begin to the end of the longest path through it.
    tails: Mapping[StepId, float] = field(repr=False)
    #: Step -> seconds from the start of the run to its end, if all goes by the estimates.
    ends: Mapping[StepId, float] = field(repr=False)
    dependents: Mapping[StepId, tuple[StepId, ...]] = field(repr=False)
    #: Steps that another makes needless once it has passed.
    superseded: tuple[StepId, ...] = field(default=(), repr=False)

    @property
    def length(self) -> Duration:
        """Expected length of the whole run: that of its critical path."""
        return Duration(max(self.ends.values(), default=0.0))


@dataclass(frozen=True, slots=True)
class Selection:
    """What part of a runbook is executed, and how."""

    mode: Mode = Mode.LIVE
    variant: str = ""
    #: Step -> why it is left out, by the flags of the command.
    left_out: Mapping[StepId, str] = field(default_factory=dict)
    #: Only targets on these hosts: patterns as in `on`; none: on all.
    limit: tuple[str, ...] = ()


def hosts_matching(patterns: Iterable[str], inventory: Inventory) -> tuple[list[str], list[str]]:
    """Hosts named by patterns, in the order of the patterns, each once.

    A pattern is a host, a group, `site:NAME`, `local`, a glob of host names, or `!` and any of
    these to take hosts out again.

    Returns:
        The names, and the patterns that match nothing.
    """
    found: dict[str, None] = {}
    unmatched = []
    for pattern in patterns:
        hosts = _matching(pattern.removeprefix("!"), inventory)
        if not hosts:
            unmatched.append(pattern)
        for host in hosts:
            if pattern.startswith("!"):
                found.pop(host, None)
            else:
                found[host] = None
    return list(found), unmatched


def _matching(pattern: str, inventory: Inventory) -> Sequence[str]:
    if pattern == LOCAL or pattern in inventory.hosts:
        return (pattern,)
    grouped = inventory.hosts_of_group(pattern)
    if grouped:
        return grouped
    kind, _, name = pattern.partition(":")
    if kind == "site":
        return [host.name for host in inventory.hosts.values() if host.site == name]
    return [name for name in inventory.hosts if fnmatchcase(name, pattern)]


def bind(
    runbook: Runbook,
    inventory: Inventory,
    inputs: Mapping[str, Any],
    selection: Selection,
    render: Render,
) -> Plan:
    """Make the plan.

    Raises:
        InputError: A target does not exist, a list cannot be rendered, steps wait in a circle.
    """
    names = {"inputs": inputs, "vars": {**inventory.vars, **runbook.vars}}
    planned: dict[StepId, PlannedStep] = {}
    findings: list[Finding] = []
    for step in runbook.steps.values():
        try:
            made = _planned(step, inventory, selection, _own(step, names), render)
            planned[step.id] = replace(made, answers=_answers(runbook, step, selection.mode))
        except InputError as error:
            findings.extend(
                Finding(step.places.get("on", step.place), f"step {step.id}: {each.message}")
                for each in error.findings
            )
    findings += [*_undeclared(planned.values(), runbook, inventory), *_circles(runbook)]
    if findings:
        raise InputError(findings)
    lengths = {step: planned[step].length for step in planned}
    return Plan(
        runbook=runbook,
        inventory=inventory,
        inputs=inputs,
        mode=selection.mode,
        variant=selection.variant,
        steps=planned,
        **_shape(runbook, lengths),
    )


def _own(step: Step, names: Mapping[str, Any]) -> Mapping[str, Any]:
    """The names that a step sees: one of another runbook has the inputs of that."""
    return names if step.scope is None else {**names, "inputs": step.scope.inputs}


def _answers(runbook: Runbook, step: Step, mode: Mode) -> float:
    """Seconds until a gate before a step's action is answered; a dry-run opens none."""
    if mode is Mode.DRY_RUN or not (step.approval or step.irreversible):
        return 0.0
    name = str(step.approval.get("role", "")) if step.approval else step.owner
    role = runbook.roles.get(name)
    return float(role.response if role else RESPONSE)


def _circles(runbook: Runbook) -> Iterable[Finding]:
    for cycle in graph.find_cycles(runbook.steps):
        message = f"steps wait in a circle: {' -> '.join(cycle)}"
        yield Finding(runbook.steps[cycle[0]].place, message)


def _undeclared(
    planned: Iterable[PlannedStep], runbook: Runbook, inventory: Inventory
) -> Iterable[Finding]:
    """Addresses that are secrets which the runbook does not declare; each host once."""
    hosts = {each.host.name: each.host for step in planned for each in step.targets if each.host}
    passed = [name for host in hosts.values() for route in host.routes for name in route.via]
    hosts |= {name: inventory.hosts[name] for name in passed if name in inventory.hosts}
    for host in hosts.values():
        for route in host.routes:
            if route.secret and route.secret not in runbook.secrets:
                message = (
                    f"the address of host {host.name} is the secret '{route.secret}', which the "
                    f"runbook does not declare: add it to its 'secrets'"
                )
                yield Finding(runbook.place, message, code="unknown-secret")


def _shape(runbook: Runbook, lengths: Mapping[StepId, float]) -> dict[str, Any]:
    steps, order = runbook.steps, graph.order_of(runbook.steps)
    return {
        "order": order,
        "waves": tuple(tuple(wave) for wave in graph.waves_of(steps, order)),
        "critical_path": graph.critical_path(steps, order, lengths),
        "tails": graph.tails(steps, order, lengths),
        "ends": graph.finish_times(steps, order, lengths),
        "dependents": graph.dependents_of(steps),
        "superseded": tuple(step for step in order if steps[step].superseded_by),
    }


def _planned(
    step: Step,
    inventory: Inventory,
    selection: Selection,
    names: Mapping[str, Any],
    render: Render,
) -> PlannedStep:
    absent = _why_absent(step, selection)
    chosen = selection.left_out.get(step.id, "")
    if step.for_each is None:
        targets = [
            _target(name, inventory) for name in _hosts(step, inventory, names, render) or [LOCAL]
        ]
    else:
        targets = _items(step, inventory, names, render)
    kept = _within(selection.limit, step, targets, inventory)
    if not kept:
        chosen = chosen or f"acts on no host of --limit {', '.join(selection.limit)}"
    without = tuple(each.name for each in targets if kept and each not in kept)
    targets, left_out = kept or targets, absent or chosen
    return PlannedStep(
        step,
        tuple(targets),
        left_out,
        without=without,
        by_choice=bool(left_out and not absent),
        batches=_batches(step, len(targets)),
    )


def _within(
    limit: Sequence[str], step: Step, targets: list[PlannedTarget], inventory: Inventory
) -> list[PlannedTarget]:
    """Targets on the hosts of a limit; a question to people acts on none, and stays."""
    hosts, unmatched = hosts_matching(limit, inventory)
    if unmatched:
        raise InputError(f"--limit: no host, group or site matches {', '.join(unmatched)}")
    if not limit or (isinstance(step.action, _PEOPLE) and not step.on):
        return targets
    return [each for each in targets if (each.host.name if each.host else LOCAL) in hosts]


_PEOPLE = (ManualAction, DecisionAction)


def _why_absent(step: Step, selection: Selection) -> str:
    """Why the step does not exist in this mode or variant; "" if it does."""
    if step.modes is not None and selection.mode not in step.modes:
        return f"only in mode {' or '.join(step.modes)}"
    if step.variants is not None and selection.variant not in step.variants:
        return f"only in variant {' or '.join(step.variants)}"
    return ""


def _hosts(
    step: Step, inventory: Inventory, names: Mapping[str, Any], render: Render
) -> list[str]:
    patterns: list[str] = []
    for written in step.on:
        value = render(written, names)
        patterns.extend(str(each) for each in value) if isinstance(
            value, list | tuple
        ) else patterns.append(str(value))
    hosts, unmatched = hosts_matching(patterns, inventory)
    if unmatched:
        raise InputError(f"no host, group or site matches {', '.join(map(repr, unmatched))}")
    if step.on and not hosts and not isinstance(step.action, ManualAction):
        raise InputError("its `on` leaves no host")
    return hosts


def _target(name: str, inventory: Inventory) -> PlannedTarget:
    return PlannedTarget(TargetName(name), inventory.hosts.get(name))


def _items(
    step: Step, inventory: Inventory, names: Mapping[str, Any], render: Render
) -> list[PlannedTarget]:
    items = render(step.for_each, names)
    if isinstance(items, Mapping):
        items = [{"name": key, "value": value} for key, value in items.items()]
    if isinstance(items, str) or not isinstance(items, Sequence):
        raise InputError(f"for_each needs a list, not {items!r}")
    targets: dict[TargetName, PlannedTarget] = {}
    for item in items:
        hosts = _hosts(step, inventory, {**names, "item": item}, render) or [LOCAL]
        label = str(item.get("name", item)) if isinstance(item, Mapping) else str(item)
        for host in hosts:
            name = TargetName(label if len(hosts) == 1 else f"{label}@{host}")
            if name in targets:
                raise InputError(f"for_each has the item {label!r} twice")
            targets[name] = PlannedTarget(name, inventory.hosts.get(host), item)
    return list(targets.values())


def _batches(step: Step, total: int) -> tuple[int, ...]:
    """Sizes add up: `[1, 10%, 100%]` of 20 gives (1, 3, 20); the last size repeats."""
    if not step.batch or not total:
        return (total,)
    reached, sizes = 0, []
    shares = list(step.batch)
    while reached < total:
        share = shares.pop(0) if len(shares) > 1 else shares[0]
        reached = min(total, reached + max(1, share.of(total)))
        sizes.append(reached)
    return tuple(sizes)

"""The names that templates may use: inputs, steps, host, site, item, run, vars, secrets.

Rules:
- What a template sees of other steps comes from the journal's fold and from nowhere else, and is
  looked up when the template asks for it: no attempt pays for the steps that it does not name.
- A secret is resolved when a template asks for it, and from then on masked everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from drrun.core.integrity.masking import Mask
from drrun.core.lazily import Lazily
from drrun.core.model.errors import NotReady
from drrun.core.model.ids import RunId, StepId, TargetKey, TargetName
from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.plan import Plan, PlannedTarget
from drrun.core.model.runbook import Step
from drrun.core.state.run_state import RunState
from drrun.ports.credentials import Seals, Secrets
from drrun.ports.journal import NONE


class HostName(str):
    """A host in a template: prints as its name, and knows its address, site and variables."""

    __slots__ = ("_host", "_inventory", "address", "port", "site", "user")

    address: str
    port: int
    site: str
    user: str
    _host: Host
    _inventory: Inventory

    def __new__(cls, host: Host, inventory: Inventory) -> Self:
        """A name that carries the host's facts."""
        name = super().__new__(cls, host.name)
        name.address = host.routes[0].address or host.name
        name.port = host.routes[0].port or host.port or 22
        name.site = host.site
        name.user = host.user or ""
        name._host, name._inventory = host, inventory
        return name

    @property
    def vars(self) -> dict[str, Any]:
        """Its variables, with those of its groups and of the inventory."""
        return self._inventory.vars_of(self._host)


class LateSecrets(Mapping[str, str]):
    """Secrets of a runbook, each resolved when it is first asked for."""

    def __init__(
        self, names: Mapping[str, Any], source: Secrets, former: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Resolve nothing yet.

        Args:
            names: Those that the runbook declares.
            source: Finds them.
            former: Name and value of what some of them were before, as a person said; only masked.
        """
        self._names = names
        self._source = source
        self._former = former
        self._resolved: dict[str, str] = {}
        self._mask: Mask | None = None
        #: Marks of the values by name, of those from before, and all of them.
        self.marks: Mapping[str, str] = NONE
        self.former: Sequence[tuple[str, str]] = ()
        self.known: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> str:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._resolved:
            self._resolved[name] = self._source.resolve(name)
            self._mask = None
        return self._resolved[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"LateSecrets({', '.join(self._names)})"

    @property
    def resolved(self) -> Mapping[str, str]:
        """The values of those that were used, by name."""
        return self._resolved

    @property
    def mask(self) -> Mask:
        """Hides all that were used, and what they were before; made once for what is known."""
        if self._mask is None:
            self._mask = Mask((*self._resolved.values(), *(value for _, value in self._former)))
        return self._mask

    def mark(self, seals: Seals, run: RunId) -> None:
        """Learn the marks of all values that are known, those from before too."""
        named = (*self._resolved.items(), *self._former)
        with ThreadPoolExecutor() as pool:  # each takes its time, on purpose
            marks = list(pool.map(lambda each: seals.mark(run, *each), named))
        self.marks = dict(zip(self._resolved, marks, strict=False))
        names = (name for name, _ in self._former)
        self.former = list(zip(names, marks[len(self._resolved) :], strict=True))
        self.known = frozenset(marks)

    def resolve_all(self) -> None:
        """Resolve every secret, before anything starts.

        Raises:
            NotReady: Names all that cannot be resolved.
        """
        missing = []
        for name in self._names:
            try:
                self[name]
            except NotReady as error:
                missing.append(str(error))
        if missing:
            raise NotReady("\n".join(missing))


def run_names(
    plan: Plan, run: RunId, started: float | None, secrets: LateSecrets | None
) -> dict[str, Any]:
    """Names that are the same for all steps of a run."""
    return {
        "inputs": dict(plan.inputs),
        "vars": {**plan.inventory.vars, **plan.runbook.vars},
        "run": {
            "id": run,
            "mode": str(plan.mode),
            "variant": plan.variant,
            "name": plan.runbook.name,
            "started": started,
        },
        **({} if secrets is None else {"secrets": secrets}),
    }


def target_names(
    state: RunState, key: TargetKey, target: PlannedTarget, common: Mapping[str, Any]
) -> dict[str, Any]:
    """The names of a target: those of the run, and what it sees beside them or in their place.

    Args:
        state: What is known.
        key: The target.
        target: What the plan says of it.
        common: What `run_names` gave.
    """
    names = planned_names(state.plan, state.plan.steps[key.step].step, target, common)
    return names | {"steps": step_values(state, key)}


def planned_names(
    plan: Plan, step: Step, target: PlannedTarget, common: Mapping[str, Any]
) -> dict[str, Any]:
    """The names of a target that its plan knows: all but what other steps found out."""
    names = dict(common)
    if step.scope is not None:
        names["inputs"] = dict(step.scope.inputs)
    if target.host is not None:
        inventory, host = plan.inventory, target.host
        names |= {"host": HostName(host, inventory), "site": host.site}
        if host.vars:
            names["vars"] = {**common["vars"], **_own(inventory, host)}
    else:
        names["host"] = "local"
    if target.item is not None:
        names["item"] = target.item
    return names


def _own(inventory: Inventory, host: Host) -> dict[str, Any]:
    """Variables of a host that are nearer to it than those of the runbook."""
    common = inventory.vars
    return {name: value for name, value in host.vars.items() if common.get(name) != value}


def step_values(state: RunState, asking: TargetKey | None = None) -> Lazily:
    """What steps captured, were told or left as facts, by step; looked up when it is asked for.

    A step with several targets gives each asking target its own value where it has the same
    target, else a mapping from target to value. A step inside another runbook sees the steps of
    that one, by their names there.
    """
    scope = state.plan.steps[asking.step].step.scope if asking else None
    prefix = scope.prefix if scope else ""

    def values(name: str) -> dict[str, Any]:
        return _values(state, StepId(prefix + name), asking)

    return Lazily(state.steps_inside(prefix), values)


def _values(state: RunState, step: StepId, asking: TargetKey | None) -> dict[str, Any]:
    values: dict[str, Any] = {"state": str(state.step(step))}
    same = TargetKey(step, asking.target) if asking else None
    if len(state.plan.steps[step].targets) == 1:
        return {**values, **state.targets[next(state.keys(step))].values}
    if same in state.targets:
        return {**values, **state.targets[same].values}
    found: dict[str, dict[TargetName, Any]] = {}
    for key in state.keys(step):
        for name, value in state.targets[key].values.items():
            found.setdefault(name, {})[key.target] = value
    return values | found

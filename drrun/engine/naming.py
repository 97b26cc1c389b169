"""The names that templates may use: inputs, steps, host, site, item, run, vars, secrets.

Rules:
- What a template sees of other steps comes from the journal's fold and from nowhere else.
- A secret is resolved when a template asks for it, and from then on masked everywhere.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from drrun.core.errors import NotReady
from drrun.core.ids import RunId, StepId
from drrun.core.inventory import Host
from drrun.core.plan import Plan, PlannedTarget
from drrun.core.state import Key, RunState
from drrun.engine.ports import Secrets


class HostName(str):
    """A host in a template: prints as its name, and knows its address, site and variables."""

    __slots__ = ("address", "port", "site", "user", "vars")

    address: str
    port: int
    site: str
    user: str
    vars: dict[str, Any]

    def __new__(cls, host: Host, variables: Mapping[str, Any]) -> Self:
        """A name that carries the host's facts."""
        name = super().__new__(cls, host.name)
        name.address = host.routes[0].address or host.name
        name.port = host.routes[0].port or host.port or 22
        name.site = host.site
        name.user = host.user or ""
        name.vars = dict(variables)
        return name


class LateSecrets(Mapping[str, str]):
    """Secrets of a runbook, each resolved when it is first asked for."""

    def __init__(self, names: Mapping[str, Any], source: Secrets) -> None:
        self._names = names
        self._source = source
        self._resolved: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._resolved:
            self._resolved[name] = self._source.resolve(name)
        return self._resolved[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"LateSecrets({', '.join(self._names)})"

    @property
    def used(self) -> tuple[str, ...]:
        """The values that have been resolved, for masking."""
        return tuple(self._resolved.values())

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


def target_names(state: RunState, key: Key, target: PlannedTarget) -> dict[str, Any]:
    """Names that a target sees beside those of the run."""
    values = step_values(state, key)
    names: dict[str, Any] = {"steps": values, "item": target.item}
    scope = state.plan.steps[key.step].step.scope
    if scope is not None:
        names["inputs"] = dict(scope.inputs)
        names["steps"] = {
            StepId(step.removeprefix(scope.prefix)): found
            for step, found in values.items()
            if step.startswith(scope.prefix)
        }
    if target.host is not None:
        inventory = state.plan.inventory
        host = HostName(target.host, inventory.vars_of(target.host))
        names |= {"host": host, "site": target.host.site, "vars": _vars(state.plan, host.vars)}
    else:
        names["host"] = "local"
    if target.item is None:
        del names["item"]
    return names


def _vars(plan: Plan, of_host: Mapping[str, Any]) -> dict[str, Any]:
    """What a target sees as `vars`; what is nearer to it wins."""
    common = plan.inventory.vars
    own = {name: value for name, value in of_host.items() if common.get(name) != value}
    return {**common, **plan.runbook.vars, **own}


def step_values(state: RunState, asking: Key | None = None) -> dict[StepId, dict[str, Any]]:
    """What steps captured, were told or left as facts, by step.

    A step with several targets gives each asking target its own value where it has the same
    target, else a mapping from target to value.
    """
    found: dict[StepId, dict[str, Any]] = {}
    for step in state.plan.order:
        by_target = {key.target: state.targets[key] for key in state.keys(step)}
        values: dict[str, Any] = {"state": str(state.step(step))}
        if len(by_target) == 1:
            values |= next(iter(by_target.values())).values
        elif asking is not None and asking.target in by_target:
            values |= by_target[asking.target].values
        else:
            for name in {name for target in by_target.values() for name in target.values}:
                values[name] = {
                    target: seen.values[name]
                    for target, seen in by_target.items()
                    if name in seen.values
                }
        found[step] = values
    return found

"""Runbooks inside runbooks: `uses: runbook` becomes the steps of the other file.

Rules:
- The step `cutover` that uses a runbook with the steps `a` and `b` becomes `cutover--a` and
  `cutover--b`, and `cutover` itself, which passes once they have. What it needs they need.
- Inside, `inputs` are those that were given with `with: {inputs: …}` and `steps` are its own; both
  are fixed when the plan is made.
- Guards, approvals and conditions of the step hold for all of it: they come first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from drrun.core.model.actions import UsesAction
from drrun.core.model.errors import Finding, InputError
from drrun.core.model.ids import StepId
from drrun.core.model.plan import Render
from drrun.core.model.probes import Invariant
from drrun.core.model.runbook import Need, Runbook, Scope, Step
from drrun.files.runbook.inputs import bind_inputs

#: How deep runbooks may stand in each other.
DEEPEST = 5
#: Between the step and the steps of its runbook.
BETWEEN = "--"


def part_of(step: Step) -> str:
    """The file that a step stands for, "" if it is no runbook."""
    action = step.action
    is_part = isinstance(action, UsesAction) and action.name == "runbook"
    if not is_part or not isinstance(action, UsesAction):
        return ""
    # Without a usable name it is reported where its arguments are judged.
    named = action.arguments.get("file")
    return named if isinstance(named, str) else ""


def expand(
    runbook: Runbook, parts: Mapping[str, Runbook], inputs: Mapping[str, Any], render: Render
) -> Runbook:
    """Put the steps of other runbooks in place of the steps that use them.

    Args:
        runbook: Sound.
        parts: The other runbooks, sound, by the name that steps call them.
        inputs: Of `runbook`.
        render: Fills in templates.

    Raises:
        InputError: Inputs of a part are wrong, or two runbooks declare different things by a name.
    """
    return _Expansion(parts, render).expanded(runbook, inputs, depth=0)


class _Expansion:
    def __init__(self, parts: Mapping[str, Runbook], render: Render) -> None:
        self._parts = parts
        self._render = render

    def expanded(self, runbook: Runbook, inputs: Mapping[str, Any], depth: int) -> Runbook:
        steps: dict[StepId, Step] = {}
        for step in runbook.steps.values():
            if not part_of(step):
                steps[step.id] = step
                continue
            if depth >= DEEPEST:
                message = f"runbooks are nested more than {DEEPEST} deep"
                raise InputError([Finding(step.place, f"step {step.id}: {message}")])
            part, given = self._part(step, runbook, inputs)
            inner = self.expanded(part, given, depth + 1)
            steps |= dict(_in_place(step, inner, Scope(inputs=given, folder=_folder(step))))
            runbook = _merged(runbook, inner, step)
        return replace(runbook, steps=steps)

    def _part(
        self, step: Step, runbook: Runbook, inputs: Mapping[str, Any]
    ) -> tuple[Runbook, dict[str, Any]]:
        action = step.action
        assert isinstance(action, UsesAction)  # noqa: S101 - part_of said so
        part = self._parts[part_of(step)]
        names = {"inputs": inputs, "vars": runbook.vars}
        try:
            given = self._render(dict(action.arguments.get("inputs") or {}), names)
            return part, bind_inputs(part, given)
        except InputError as error:
            place = step.places.get("with", step.place)
            raise InputError(
                [Finding(place, f"step {step.id}: {each.message}") for each in error.findings]
            ) from None


def _folder(step: Step) -> str:
    return str(PurePosixPath(part_of(step)).parent)


def _in_place(step: Step, part: Runbook, scope: Scope) -> Iterator[tuple[StepId, Step]]:
    """The steps of a part, renamed, then the step itself behind them."""
    prefix = f"{step.id}{BETWEEN}"
    needed = {name for each in part.steps.values() for need in each.needs for name in need.any_of}
    begin = StepId(f"{prefix}begin")
    gated = bool(step.guard or step.approval or step.irreversible)
    if gated:
        yield (
            begin,
            replace(step, id=begin, verify=(), raises={}, restores=(), capture=()),
        )
    entry = (Need((begin,)),) if gated else step.needs
    for inner in part.steps.values():
        name = StepId(f"{prefix}{inner.id}")
        needs = tuple(
            Need(tuple(StepId(f"{prefix}{each}") for each in need.any_of)) for need in inner.needs
        )
        own = inner.scope or scope
        yield (
            name,
            replace(
                inner,
                id=name,
                needs=needs or entry,
                scope=replace(own, prefix=f"{prefix}{inner.scope.prefix if inner.scope else ''}"),
                superseded_by=f"{prefix}{inner.superseded_by}" if inner.superseded_by else "",
                only_if=(*inner.only_if, *([step.when] if step.when else [])),
                modes=inner.modes if inner.modes is not None else step.modes,
                variants=inner.variants if inner.variants is not None else step.variants,
            ),
        )
    ends = [StepId(f"{prefix}{name}") for name in part.steps if name not in needed]
    behind = tuple(Need((name,)) for name in ends)
    yield (
        step.id,
        replace(step, needs=(*step.needs, *behind), guard=(), approval=None, irreversible=False),
    )


def _merged(runbook: Runbook, part: Runbook, step: Step) -> Runbook:
    """What the part declares, beside what the runbook does."""
    merged: dict[str, Any] = {}
    for name in ("secrets", "roles", "people", "services", "locks", "vars"):
        ours, theirs = getattr(runbook, name), getattr(part, name)
        differ = [each for each in theirs if each in ours and ours[each] != theirs[each]]
        if differ:
            message = f"{name} {', '.join(differ)} mean something else in {part_of(step)}"
            raise InputError([Finding(step.place, f"step {step.id}: {message}")])
        merged[name] = {**theirs, **ours}
    return replace(
        runbook,
        invariants=(*runbook.invariants, *(_inside(each, step) for each in part.invariants)),
        waivers=(*runbook.waivers, *_accepted(part, step)),
        **merged,
    )


def _inside(invariant: Invariant, step: Step) -> Invariant:
    """An invariant of a part, with the steps of the part as they are called now."""
    since, until = (
        f"{step.id}{BETWEEN}{name}" if name else "" for name in (invariant.since, invariant.until)
    )
    return replace(invariant, since=since, until=until)


def _accepted(part: Runbook, step: Step) -> Iterator[Mapping[str, Any]]:
    """What the part accepts of its own steps; a rule of a whole runbook is not for it to waive."""
    for waiver in part.waivers:
        if waiver["rule"] == "missing-verify":
            names = waiver.get("steps", part.steps)
            yield {**waiver, "steps": [f"{step.id}{BETWEEN}{name}" for name in names]}

"""Mistakes in templates, found before the run: unknown names, unsure quoting, unused inputs.

Rules:
- `steps.ID` must be something the step needs, directly or not: else its value may not be there.
- What named actions find out is not declared, so `steps.ID.NAME` of such a step is not judged.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, assert_never

from drrun.core.model import graph
from drrun.core.model.actions import DecisionAction, ManualAction, RunAction, UsesAction
from drrun.core.model.errors import Finding, Place, Severity
from drrun.core.model.ids import StepId
from drrun.core.model.inventory import Inventory
from drrun.core.model.runbook import Runbook, Step
from drrun.core.nearest import did_you_mean
from drrun.files.templates.templated import Kind, Templated, templated_of
from drrun.files.templates.templating import has_template
from drrun.files.yaml.written import shortened

if TYPE_CHECKING:
    from drrun.files.templates.template_names import Use, Uses

_RUN: Final = ("id", "mode", "variant", "name", "started")
_HOST: Final = ("name", "address", "port", "site", "user", "vars")
#: Known when the plan is bound.
_EARLY: Final = ("inputs", "vars")
_ROOTS: Final = (*_EARLY, "steps", "host", "site", "run", "secrets")
#: Files that actions read may use inputs too.
_READS_FILES: Final = ("template", "runbook")
_NOT_MEANT: Final = "put braces that are not meant for drrun into {% raw %}…{% endraw %}"
#: Without one of these nothing is compared.
_COMPARING: Final = ("=", "<", ">", " in ")
_TIME: Final = re.compile(r"\d\d:\d\d.*|\d{4}-\d\d-\d\d.*", re.DOTALL)


def lint_templates(runbook: Runbook, inventory: Inventory | None = None) -> list[Finding]:
    """Findings about all templates of all steps.

    Without an inventory, `vars` are not judged: they may come from there.
    """
    scope = _Scope(runbook, inventory)
    used: set[str] = set()
    findings: list[Finding] = []
    for step in runbook.steps.values():
        for text in templated_of(step):
            findings += _of_text(text, step, scope, used)
    for number, probe in enumerate(runbook.invariants, 1):
        stand_in = Step(id=StepId(f"invariant {number}"), action=ManualAction(""), verify=(probe,))
        for text in templated_of(stand_in):
            findings += _of_text(text, stand_in, scope, used)
    findings += _unused_inputs(runbook, used)
    return findings


@dataclass
class _Scope:
    """What is declared."""

    runbook: Runbook
    inventory: Inventory | None

    @cached_property
    def declared(self) -> Mapping[str, tuple[str, Collection[str]]]:
        """Root -> what its members are called, and which there are, where that is known."""
        members: dict[str, tuple[str, Collection[str]]] = {
            "inputs": ("input", self.runbook.inputs),
            "secrets": ("secret", self.runbook.secrets),
            "run": ("name", _RUN),
            "host": ("name", _HOST),
        }
        if self.inventory is not None:
            known = {*self.runbook.vars, *self.inventory.vars}
            known.update(*(host.vars for host in self.inventory.hosts.values()))
            known.update(*(group.vars for group in self.inventory.groups.values()))
            members["vars"] = ("variable", known)
        return members

    @cached_property
    def position(self) -> Mapping[StepId, int]:
        """A number for every step."""
        return {step: number for number, step in enumerate(self.runbook.steps)}

    @cached_property
    def ancestors(self) -> Mapping[StepId, int] | None:
        """Step -> what it needs, directly or not, a bit each; None if there is a circle."""
        steps, position = self.runbook.steps, self.position
        if graph.find_cycles(steps):
            return None
        before: dict[StepId, int] = {}
        for step in graph.order_of(steps):
            bits = 0
            for need in steps[step].needs:
                for needed in need.any_of:
                    if needed in position:
                        bits |= before[needed] | 1 << position[needed]
            before[step] = bits
        return before

    def precedes(self, earlier: StepId, later: StepId) -> bool:
        """Whether `later` needs `earlier`; True where that cannot be told."""
        if self.ancestors is None or later not in self.ancestors:
            return True
        return bool(self.ancestors[later] >> self.position[earlier] & 1)


def _of_text(text: Templated, step: Step, scope: _Scope, used: set[str]) -> Iterator[Finding]:
    expression = text.kind is Kind.EXPRESSION
    if not expression and not has_template(text.text):
        return
    if text.key == "not_before" and _TIME.fullmatch(text.text):
        return
    uses = _uses(text, expression=expression)
    if isinstance(uses, str):
        yield _finding(text, step, f"{shortened(text.text)}: {uses}", "template")
        return
    for use in uses.names:
        if use.root == "inputs":
            used.add(use.path[0] if use.path else "*")
        wrong = _wrong_name(use, text, step, scope)
        if wrong:
            yield _finding(text, step, wrong, "undefined-name")
    for wrong in _comparisons(text, step, scope):
        yield _finding(text, step, wrong, "comparison")
    if text.kind is Kind.SHELL:
        yield from _of_shell(text, step, uses)


def _comparisons(text: Templated, step: Step, scope: _Scope) -> Iterator[str]:
    """Comparisons that would not say what is meant."""
    if not any(sign in text.text for sign in _COMPARING):
        return
    from drrun.files.templates.comparisons import wrong_comparisons
    from drrun.files.templates.value_types import declared_in

    declared = declared_in(scope.runbook, step)
    yield from wrong_comparisons(text.text, declared, expression=text.kind is Kind.EXPRESSION)


def _uses(text: Templated, *, expression: bool) -> "Uses | str":
    """What a template uses, or what is wrong with it."""
    from jinja2 import TemplateError

    from drrun.files.templates.template_names import uses_of

    try:
        return uses_of(text.text, expression=expression)
    except TemplateError as error:
        return f"{error.message}; {_NOT_MEANT}"
    except RecursionError:
        return "is nested too deeply"


def _of_shell(text: Templated, step: Step, uses: "Uses") -> Iterator[Finding]:
    from jinja2 import TemplateError

    from drrun.files.templates.template_source import values_of

    if uses.raw:
        message = "'| raw' puts a value into shell text unquoted"
        yield _finding(text, step, message, "raw-filter", Severity.WARNING)
    try:
        values = values_of(text.text)
    except TemplateError as error:
        yield _finding(text, step, error.message or "is not a shell text", "template")
        return
    warned = {each.spot.warned: each for each in values if each.spot.warned}
    for why, value in warned.items():
        message = f"{{{{ {value.expression} }}}} {why}"
        yield _finding(text, step, message, "nested-shell", Severity.WARNING)


def _wrong_name(use: "Use", text: Templated, step: Step, scope: _Scope) -> str:
    """Why a name is not known, or ""."""
    roots = _EARLY if text.early else _ROOTS
    if step.for_each is not None and not text.early:
        roots = (*roots, "item")
    if use.root not in roots:
        if text.early and use.root in _ROOTS:
            return f"'{use.root}' is not known yet when hosts are chosen: use inputs or vars"
        if use.root == "item":
            return "'item' is only known in a step with 'for_each'"
        return f"unknown name '{use.root}'{did_you_mean(use.root, roots)}"
    if use.root == "steps" and use.path:
        return _wrong_step(use, text, step, scope)
    declared = scope.declared.get(use.root)
    if declared is None or not use.path:
        return ""
    kind, names = declared
    return _unknown(kind, use.path[0], names, f"{use.root}.")


def _wrong_step(use: "Use", text: Templated, step: Step, scope: _Scope) -> str:
    steps, name = scope.runbook.steps, StepId(use.path[0])
    if name not in steps:
        return _unknown("step", name, steps)
    if name == step.id:
        if not text.after:
            return f"'steps.{name}' is this step itself: its values are known after its action"
    elif not scope.precedes(name, step.id):
        return f"'steps.{name}' may not have run yet: add '{name}' to 'needs'"
    if len(use.path) < 2:
        return ""
    known = _values_of(steps[name])
    if known is None or use.path[1] in known:
        return ""
    return _unknown("value", use.path[1], known, f"steps.{name}.")


def _values_of(step: Step) -> Collection[str] | None:
    """Names of the values that a step will have, None if they are not declared."""
    known = ["state", *(capture.name for capture in step.capture)]
    match step.action:
        case UsesAction():
            return None
        case ManualAction():
            known += step.action.input
        case DecisionAction():
            known.append("option")
        case RunAction():
            pass
        case _:
            assert_never(step.action)
    return known


def _unknown(kind: str, name: str, known: Iterable[str], before: str = "") -> str:
    names = known if isinstance(known, Collection) else list(known)
    return "" if name in names else f"unknown {kind} '{before}{name}'{did_you_mean(name, names)}"


def _unused_inputs(runbook: Runbook, used: set[str]) -> Iterator[Finding]:
    reads_files = any(
        isinstance(step.action, UsesAction) and step.action.name in _READS_FILES
        for step in runbook.steps.values()
    )
    if "*" in used or reads_files:
        return
    for name, declared in runbook.inputs.items():
        if name not in used:
            message = f"inputs.{name}: is used nowhere"
            yield Finding(declared.place, message, Severity.WARNING, "unused-input")


def _finding(
    text: Templated,
    step: Step,
    message: str,
    code: str,
    severity: Severity = Severity.ERROR,
) -> Finding:
    place: Place = text.place
    return Finding(place, f"steps.{step.id}.{text.key}: {message}", severity, code)

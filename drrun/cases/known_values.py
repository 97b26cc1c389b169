"""Values that are known before a run, where a shell computes with them: wrong ones are refused.

Rules:
- The same guards as when the step acts (`drrun.files.templates.shell_spots`); what is known only
  then is judged then, before anything is sent.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from drrun.core.model.errors import Finding, InputError
from drrun.core.model.ids import RunId
from drrun.core.model.plan import Plan, PlannedTarget
from drrun.core.model.runbook import Step
from drrun.engine.naming import planned_names, run_names
from drrun.files.templates.templated import Kind, Templated, templated_of
from drrun.files.templates.templating import Templates, has_template

if TYPE_CHECKING:
    from drrun.files.templates.template_source import Value

#: Names whose values a plan has.
_KNOWN = frozenset({"inputs", "vars", "item", "host", "site"})


def wrong_values(plan: Plan) -> Iterator[Finding]:
    """What is wrong with values that the plan has, each once."""
    common = run_names(plan, RunId(""), None, None)
    for planned in plan.steps.values():
        for text in templated_of(planned.step):
            if text.kind is Kind.SHELL and has_template(text.text):
                yield from _of_text(plan, planned.step, text, planned.targets, common)


def _of_text(
    plan: Plan,
    step: Step,
    text: Templated,
    targets: tuple[PlannedTarget, ...],
    common: Mapping[str, Any],
) -> Iterator[Finding]:
    from drrun.files.templates.template_names import uses_of
    from drrun.files.templates.template_source import values_of

    for value in values_of(text.text):
        uses = uses_of(value.expression, expression=True).names if value.spot.guard else ()
        if not uses or any(use.root not in _KNOWN for use in uses):
            continue
        names = (planned_names(plan, step, target, common) for target in targets)
        for why in dict.fromkeys(_why_wrong(value, each) for each in names):
            if why:
                message = f"steps.{step.id}.{text.key}: {why}"
                yield Finding(text.place, message, code="wrong-value")


def _why_wrong(value: "Value", names: Mapping[str, Any]) -> str:
    from drrun.files.templates.sandbox import Raw, guarded

    with suppress(InputError):  # what cannot be evaluated is told elsewhere
        found = Templates().value(f"{{{{ {value.expression} }}}}", names)
        try:
            if not isinstance(found, Raw):
                guarded(found, value.expression, value.spot.guard)
        except ValueError as error:
            return str(error)
    return ""

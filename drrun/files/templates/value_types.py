"""What is known of the names in a template before the run: their types, from what was declared."""

from collections.abc import Mapping
from typing import Final

from drrun.core.model.actions import DecisionAction, ManualAction, UsesAction
from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Capture, Input, Mode, Runbook, Step
from drrun.core.model.status import Status
from drrun.files.templates.comparisons import UNKNOWN, Declared, Typed, ValueType
from drrun.files.templates.template_names import Use

_TYPES: Final[Mapping[str, ValueType]] = {
    "string": ValueType.TEXT,
    "text": ValueType.TEXT,
    "choice": ValueType.TEXT,
    "int": ValueType.NUMBER,
    "float": ValueType.NUMBER,
    "number": ValueType.NUMBER,
    "bool": ValueType.TRUTH,
    "duration": ValueType.DURATION,
    "size": ValueType.SIZE,
    "list": ValueType.LIST,
}
_STATES: Final = tuple(str(each) for each in Status)
_MODES: Final = tuple(str(each) for each in Mode)


def declared_in(runbook: Runbook, asking: Step) -> Declared:
    """What is known of a name in a template of a step."""

    def declared(use: Use) -> Typed:
        match use.root, use.path:
            case "inputs", (name,) if name in runbook.inputs:
                return _of_input(runbook.inputs[name])
            case "run", ("mode",):
                return Typed(ValueType.TEXT, _MODES)
            case "run", ("variant",) if runbook.variants:
                return Typed(ValueType.TEXT, ("", *runbook.variants))
            case "steps", (step, name) if step in runbook.steps:
                return _of_step(runbook.steps[StepId(step)], name)
            case "site", ():
                return Typed(ValueType.TEXT) if asking.on else UNKNOWN
            case _:
                return UNKNOWN

    return declared


def _of_input(declared: Input) -> Typed:
    kind = _TYPES.get(declared.type, ValueType.UNKNOWN)
    if kind is not ValueType.TEXT or not declared.choices:
        return Typed(kind)
    return Typed(kind, tuple(str(each) for each in declared.choices))


def _of_step(step: Step, name: str) -> Typed:
    for capture in step.capture:
        if capture.name == name:
            return _of_capture(capture)
    if name == "state":
        return Typed(ValueType.TEXT, _STATES)
    match step.action:
        case DecisionAction(options=options) if name == "option":
            return Typed(ValueType.TEXT, tuple(options))
        case ManualAction(input=wanted) if name in wanted:
            return Typed(_TYPES.get(str(wanted[name]), ValueType.UNKNOWN))
        case UsesAction() | _:
            return UNKNOWN


def _of_capture(capture: Capture) -> Typed:
    if capture.type:
        return Typed(_TYPES[capture.type])
    return UNKNOWN if capture.json is not None else Typed(ValueType.AS_IT_READS)

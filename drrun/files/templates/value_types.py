"""What is known of the names in a template before the run: their types, from what was declared."""

from collections.abc import Mapping
from typing import Final

from drrun.core.model.actions import DecisionAction, ManualAction, UsesAction
from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Capture, Input, Mode, Runbook, Step
from drrun.core.model.status import Status
from drrun.files.templates.comparisons import UNKNOWN, Declared, DeclaredValue, ValueType
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

    def declared(use: Use) -> DeclaredValue:
        match use.root, use.path:
            case "inputs", (name,) if name in runbook.inputs:
                return _of_input(runbook.inputs[name])
            case "run", ("mode",):
                return DeclaredValue(ValueType.TEXT, _MODES)
            case "run", ("variant",) if runbook.variants:
                return DeclaredValue(ValueType.TEXT, ("", *runbook.variants))
            case "steps", (step, name) if step in runbook.steps:
                return _of_step(runbook.steps[StepId(step)], name)
            case "site", ():
                return DeclaredValue(ValueType.TEXT) if asking.on else UNKNOWN
            case _:
                return UNKNOWN

    return declared


def _of_input(declared: Input) -> DeclaredValue:
    kind = _TYPES.get(declared.type, ValueType.UNKNOWN)
    if kind is not ValueType.TEXT or not declared.choices:
        return DeclaredValue(kind)
    return DeclaredValue(kind, tuple(str(each) for each in declared.choices))


def _of_step(step: Step, name: str) -> DeclaredValue:
    for capture in step.capture:
        if capture.name == name:
            return _of_capture(capture)
    if name == "state":
        return DeclaredValue(ValueType.TEXT, _STATES)
    match step.action:
        case DecisionAction(options=options) if name == "option":
            return DeclaredValue(ValueType.TEXT, tuple(options))
        case ManualAction(input=wanted) if name in wanted:
            return DeclaredValue(_TYPES.get(str(wanted[name]), ValueType.UNKNOWN))
        case UsesAction() | _:
            return UNKNOWN


def _of_capture(capture: Capture) -> DeclaredValue:
    if capture.type:
        return DeclaredValue(_TYPES[capture.type])
    return UNKNOWN if capture.json is not None else DeclaredValue(ValueType.AS_IT_READS)

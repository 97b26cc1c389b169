"""Names of things, as distinct types, so that one cannot be passed for another."""

from typing import NamedTuple, NewType

#: One execution of a plan, `20240111-0900-datacentre-migration-7f3a`.
RunId = NewType("RunId", str)
#: A step's key in the runbook, `[a-z0-9][a-z0-9-]*`.
StepId = NewType("StepId", str)
#: What one instance of a step acts on: a host's name, an item of `for_each`, or `local`.
TargetName = NewType("TargetName", str)

#: The target of a step that acts on the controller itself, or on nobody (a manual step).
LOCAL = TargetName("local")


class TargetKey(NamedTuple):
    """One target of one step."""

    step: StepId
    target: TargetName

    def __str__(self) -> str:
        return self.step if self.target == LOCAL else f"{self.step}@{self.target}"

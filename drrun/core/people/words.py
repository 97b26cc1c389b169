"""What becomes of a request, and which targets it means."""

from collections.abc import Mapping, Sequence
from typing import Any

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.ids import Key, StepId
from drrun.core.state import RunState


@dataclass(frozen=True, slots=True)
class Granted:
    """The request can be done; these facts are to be recorded (none: it was done before)."""

    events: Sequence[ev.Event]
    message: str


@dataclass(frozen=True, slots=True)
class Denied:
    """The request cannot be done."""

    why: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A request: who asks what of which run, and when."""

    state: RunState
    kind: str
    #: `step`, `target`, `reason`, `input`, `evidence`, `text`… as the command gave them.
    body: Mapping[str, Any]
    by: str
    #: Seconds since the epoch.
    now: float

    @property
    def reason(self) -> str:
        """Why, in their own words."""
        return str(self.body.get("reason", ""))

    def text(self, name: str) -> str:
        """One member of the request, "" if it was not given."""
        return str(self.body.get(name, "") or "")

    def step(self) -> StepId | Denied:
        """The step that is meant."""
        name = self.text("step").partition("@")[0]
        if name not in self.state.plan.steps:
            return Denied(f"there is no step {name!r}; `drrun status` lists them")
        return StepId(name)

    def keys(self) -> list[Key] | Denied:
        """The targets that are meant: one, or all of a step."""
        step = self.step()
        if isinstance(step, Denied):
            return step
        target = self.text("target") or self.text("step").partition("@")[2]
        keys = [key for key in self.state.keys(step) if target in ("", key.target)]
        if not keys:
            names = ", ".join(key.target for key in self.state.keys(step))
            return Denied(f"step {step} has no target {target!r}, only {names}")
        return keys

"""Named actions executed on this machine."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drrun.builtin.actions import actions
from drrun.builtin.probes import Probes
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Outcome
from drrun.engine.captured import CapturedOutput
from drrun.files.templates.templating import Templates
from drrun.hands.local import LocalPlace
from drrun.ports.places import ActionCall, AttemptOrder, Remote

Act = Callable[..., Outcome]


class Here:
    """Every host is this machine."""

    def place(self, host: Host | None) -> Remote:
        return LocalPlace()


@dataclass
class Acting:
    """Executes a named action here; the folder is the runbook's."""

    folder: Path
    #: What the last one printed.
    output: CapturedOutput

    def __call__(
        self, name: str, /, *, order: dict[str, Any] | None = None, **given: Any
    ) -> Outcome:
        attempt = AttemptOrder(
            RunId("r"), StepId("s"), TargetName("local"), 1, 1, None, name, given,
            folder=self.folder, names={"word": "hello"}, **(order or {}),
        )  # fmt: skip
        self.output = CapturedOutput()
        known = actions(Templates(), Probes(Here()), {})
        return known[name].perform(
            ActionCall(attempt, LocalPlace(), self.output, lambda _: None, threading.Event())
        )


@pytest.fixture
def act(tmp_path: Path) -> Acting:
    return Acting(tmp_path, CapturedOutput())

"""Named actions that act. What each takes is declared in `drrun.core.actions`."""

from collections.abc import Mapping

from drrun.builtin.actions.copying import Copy, Template
from drrun.builtin.actions.scripts import RunScript
from drrun.builtin.actions.waiting import WaitForTtl
from drrun.engine.ports import BuiltInAction, Clock, Renderer


def actions(renderer: Renderer, clock: Clock) -> Mapping[str, BuiltInAction]:
    """The actions by name. `wait` is here for TTLs only; the engine itself waits."""
    return {
        "copy": Copy(),
        "template": Template(renderer),
        "script": RunScript(),
        "wait": WaitForTtl(clock),
    }

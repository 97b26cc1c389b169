"""Removes secrets from events. Every event passes here on its way to the journal.

Rules:
- Every text of an event is masked, but for names that the plan or drrun itself gave: a secret
  that reads like the name of a step must not make the journal name another step.
- What a place said of a target that acted with a secret's former value is left out where nobody
  gave that value: what cannot be recognised cannot be masked.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from functools import cache
from typing import Any, Final

from drrun.core import events as ev
from drrun.core.integrity.masking import Mask
from drrun.core.state.run_state import RunState
from drrun.core.state.secrecy import withheld
from drrun.engine.naming import LateSecrets

#: Members with names of the plan, of machines or of drrun's own; never what somebody said.
NAMES: Final = frozenset(
    {"step", "steps", "target", "purpose", "verdict", "status", "cause", "action", "gate"}
    | {"answer", "option", "default", "kind", "becomes", "thing", "role", "mode", "variant"}
    | {"host", "boot", "route", "host_key", "environment", "because", "suspects", "added"}
    | {"changed", "decision", "marks", "tool", "output", "bypass"}
)
#: Members with what a place said.
_SAID = ("value", "why", "note")
_ABOUT_A_TARGET = (
    ev.ProbeSeen,
    ev.WatchSeen,
    ev.Regressed,
    ev.AttemptEnded,
    ev.AttemptTimedOut,
    ev.AttemptStopped,
)


class Redaction:
    """Makes events what may be recorded of them."""

    def __init__(self, state: RunState, secrets: LateSecrets) -> None:
        self._state = state
        self._secrets = secrets

    def __call__(self, event: ev.Event) -> ev.Event:
        """What may be recorded."""
        return masked(self._without_former(event), self._secrets.mask)

    def _without_former(self, event: ev.Event) -> ev.Event:
        secrecy, known = self._state.secrecy, self._secrets.known
        if isinstance(event, _ABOUT_A_TARGET):
            names: Iterable[str] = secrecy.outdated(event.key, known)
        elif isinstance(event, ev.InvariantSeen | ev.InvariantBroken):
            names = secrecy.lost(known)
        else:
            return event
        return _left_out(event, names) if names else event


def _left_out(event: ev.Event, names: Iterable[str]) -> ev.Event:
    said = [name for name in _SAID if getattr(event, name, "")]
    return _changed(event, dict.fromkeys(said, withheld(names)))


def masked(event: ev.Event, mask: Mask) -> ev.Event:
    """The event without secrets; the very same where there are none."""
    said = {name: getattr(event, name) for name in _texts(ev.kind_of(event))}
    hidden = mask.structure(said)
    if hidden is said:
        return event
    changed = {
        name: tuple(hidden[name]) if isinstance(value, tuple) else hidden[name]
        for name, value in said.items()
    }
    return _changed(event, changed)


def _changed(event: ev.Event, members: dict[str, Any]) -> ev.Event:
    return replace(event, **members)


@cache
def _texts(kind: str) -> tuple[str, ...]:
    return tuple(each.name for each in fields(ev.KINDS[kind]) if each.name not in NAMES)

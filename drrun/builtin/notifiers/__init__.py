"""Ways to reach people: webhook, e-mail, command, and a public status text.

Rules:
- Declared in the settings file under `notify`; a wrong declaration is an error before a run.
- Every delivery has a deadline and a small number of tries (tenacity).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from drrun.builtin.notifiers.command import CommandNotifier
from drrun.builtin.notifiers.mail import MailNotifier
from drrun.builtin.notifiers.status_text import StatusText
from drrun.builtin.notifiers.webhook import WebhookNotifier
from drrun.core.dataclass import dataclass
from drrun.core.rules.notices import KINDS
from drrun.engine.notifying import Notifier

_WAYS = ("webhook", "email", "command", "status_text")


@dataclass(frozen=True, slots=True)
class _Declared:
    """One entry of `notify`, checked."""

    way: str
    values: Mapping[str, Any]
    on: frozenset[str]


def notifiers(declared: Iterable[Mapping[str, Any]]) -> list[Notifier]:
    """The ways that the settings declare.

    Raises:
        ValueError: One of them says something that cannot be.
    """
    return [_notifier(_checked(number, each)) for number, each in enumerate(declared, 1)]


def _checked(number: int, given: Mapping[str, Any]) -> _Declared:
    ways = [way for way in _WAYS if way in given]
    if len(ways) != 1:
        raise ValueError(f"notify {number}: give exactly one of {', '.join(_WAYS)}")
    on = given.get("on", KINDS)
    wanted = frozenset([on] if isinstance(on, str) else on)
    unknown = sorted(wanted - set(KINDS))
    if unknown:
        raise ValueError(f"notify {number}: on: unknown {', '.join(unknown)}; {', '.join(KINDS)}")
    return _Declared(ways[0], given, wanted)


def _notifier(declared: _Declared) -> Notifier:
    values = declared.values
    match declared.way:
        case "webhook":
            return WebhookNotifier(declared.on, str(values["webhook"]))
        case "email":
            return MailNotifier(
                declared.on,
                str(values["email"]),
                server=str(values.get("smtp", "localhost:25")),
                sender=str(values.get("from", "drrun@localhost")),
            )
        case "command":
            return CommandNotifier(declared.on, str(values["command"]))
        case _:
            template = values.get("template")
            return StatusText(
                Path(str(values["status_text"])), Path(template) if template else None
            )

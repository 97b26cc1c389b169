"""`notify`: tell people something, by the ways of the settings or a webhook named here.

Rules:
- Told at least once: after a controller's death it is told again rather than not at all.
- Nobody to tell is a failure, and so is a way that could not be used when no other could.
"""

from collections.abc import Sequence
from threading import Event

from drrun.builtin.notifiers.webhook import WebhookNotifier
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.core.rules.notices import Notice
from drrun.engine.notifying import Notifier
from drrun.ports.places import ActionCall

_MESSAGE = "message"


class Notify:
    """Tells people."""

    def __init__(self, ways: Sequence[Notifier]) -> None:
        self._ways = ways

    def perform(self, call: ActionCall) -> Outcome:
        """Tell them once by each way."""
        order, given = call.order, call.order.arguments
        to = given.get("to") or ()
        said = "\n\n".join(str(given[key]) for key in ("subject", "message") if given.get(key))
        text = order.mask.text(said)
        whom = (str(to),) if isinstance(to, str) else tuple(str(each) for each in to)
        notice = Notice(_MESSAGE, order.run, text, whom, order.step)
        ways: list[Notifier] = [way for way in self._ways if way.wants(notice)]
        if given.get("url"):
            try:
                ways = [WebhookNotifier(frozenset({_MESSAGE}), str(given["url"]))]
            except ValueError as error:
                return NeverStarted(str(error), final=True)
        if not ways:
            why = "there is nobody to tell: give `url` here, or `notify` in drrun.yaml"
            return NeverStarted(why, final=True)
        faults = [why for way in ways if (why := way.deliver(notice, Event()))]
        call.output.write("stdout", f"{text}\n".encode())
        if len(faults) == len(ways):
            return Ended(1, note="; ".join(faults))
        call.output.write("stderr", "".join(f"{fault}\n" for fault in faults).encode())
        return Ended(0, note=f"told {', '.join(whom) or 'by ' + str(len(ways)) + ' way(s)'}")

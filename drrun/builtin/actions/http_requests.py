"""`http.request`: one request to somebody's interface, and what it answers.

Rules:
- Sent by the controller, once. Only GET and HEAD are sent again by themselves; for all others a
  lost answer leaves the outcome unknown, because nobody knows whether the request arrived.
- The answer's body is the output of the step, so `capture` with `json:` reads it.
"""

import socket
import ssl
from http.client import HTTPException

from drrun.builtin.local_paths import local_path
from drrun.builtin.probes.http import fetch
from drrun.core.model.errors import InputError
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown
from drrun.core.model.values import Duration
from drrun.ports.places import ActionCall

_HARMLESS = frozenset({"GET", "HEAD"})
_WITHIN = Duration(30)


class SendRequest:
    """Sends one HTTP request."""

    def perform(self, call: ActionCall) -> Outcome:
        """Send it once."""
        order, given = call.order, call.order.arguments
        method = str(given.get("method") or "GET").upper()
        if order.again and method not in _HARMLESS:
            return OutcomeUnknown(
                f"whether the {method} arrived is not known: drrun was ended then"
            )
        try:
            wanted = _wanted(given.get("status"))
            if given.get("ca"):
                given = {**given, "ca": str(local_path(order, "ca"))}
            status, body = fetch(given, order.timeout or _WITHIN)
        except (ValueError, InputError) as error:
            return NeverStarted(str(error), final=True)
        except (socket.gaierror, ConnectionRefusedError, ssl.SSLCertVerificationError) as error:
            return NeverStarted(f"{given['url']}: {(error.strerror or str(error)).lower()}")
        except (OSError, HTTPException) as error:
            why = f"{given['url']}: {str(error) or type(error).__name__}".lower()
            return NeverStarted(why) if method in _HARMLESS else OutcomeUnknown(why)
        call.output.write("stdout", body.encode())
        facts = {"status": status}
        if status in wanted:
            return Ended(0, note=f"it answers {status}", facts=facts)
        return Ended(1, note=f"it answers {status}")


def _wanted(written: object) -> frozenset[int]:
    if written is None:
        return frozenset(range(200, 300))
    values = written if isinstance(written, list | tuple) else [written]
    try:
        return frozenset(int(str(value)) for value in values)
    except ValueError:
        raise ValueError(f"status: {written!r} is no HTTP status") from None

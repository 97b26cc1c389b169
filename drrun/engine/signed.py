"""Signatures of answers are checked by the controller, whoever posted them.

Rules:
- A signature that is not good is no answer: the request is refused, and the refusal recorded.
"""

from collections.abc import Mapping
from typing import Any

from drrun.core.people.words import Asking, Denied
from drrun.core.signing import signed_text
from drrun.core.state import RunState
from drrun.engine.ports import Request, Signatures


class Unsigned:
    """Knows nobody's keys: no signature is good. A `Signatures`."""

    def is_good(self, text: str, signature: str, who: str) -> bool:
        """Never."""
        del text, signature, who
        return False


def answer_of(kind: str, body: Mapping[str, Any]) -> str:
    """The answer as it is signed."""
    return f"{kind} {body['option']}" if kind == "decide" else kind


def unsound(state: RunState, request: Request, signatures: Signatures) -> str:
    """Why a request must not be believed, "" if it may be."""
    given = request.body.get("signatures") or {}
    if not given:
        return ""
    asking = Asking(state, request.kind, request.body, request.actor, request.at)
    keys = asking.keys()
    if isinstance(keys, Denied):
        return keys.why
    answer = answer_of(request.kind, request.body)
    for key in keys:
        signature = given.get(key.target)
        if signature is None:
            continue
        text = signed_text(state, request.run, key, answer, request.actor)
        if not signatures.is_good(text, signature, request.actor):
            return (
                f"the signature of {request.actor} for {key} is not good: the runbook names their "
                "keys under `people`, and what is asked may have changed meanwhile"
            )
    return ""

"""Signatures of answers are checked by the controller, whoever posted them.

Rules:
- A signature that is not good is no answer: the request is refused, and the refusal recorded.
"""

from drrun.core.integrity.signing import signed_text
from drrun.core.people.commands import Approve, Command, Decide
from drrun.core.people.request import Denied, keys_of
from drrun.core.state.run_state import RunState
from drrun.ports.credentials import Signatures
from drrun.ports.journal import Request


class Unsigned:
    """Knows nobody's keys: no signature is good. A `Signatures`."""

    def is_good(self, text: str, signature: str, who: str) -> bool:
        """Never."""
        del text, signature, who
        return False


def answer_of(command: Approve | Decide) -> str:
    """The answer as it is signed."""
    return f"decide {command.option}" if isinstance(command, Decide) else "approve"


def unsound(state: RunState, request: Request, command: Command, signatures: Signatures) -> str:
    """Why a command must not be believed, "" if it may be.

    Args:
        state: The run.
        request: As it was posted.
        command: What it says.
        signatures: Checks them.
    """
    if not isinstance(command, Approve | Decide) or not command.signatures:
        return ""
    keys = keys_of(state, command)
    if isinstance(keys, Denied):
        return keys.why
    answer = answer_of(command)
    for key in keys:
        signature = command.signatures.get(key.target)
        if signature is None:
            continue
        text = signed_text(state, request.run, key, answer, request.actor)
        if not signatures.is_good(text, signature, request.actor):
            return (
                f"the signature of {request.actor} for {key} is not good: the runbook names their "
                "keys under `people`, and what is asked may have changed meanwhile"
            )
    return ""

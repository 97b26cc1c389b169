"""The one door at which errors of paramiko and of sockets become outcomes.

Rules:
- While the whole script was not sent, a fault is `NeverStarted`: provably no effect. From then on
  it is `OutcomeUnknown`, which says nothing about the effect (rule R5).
- `final` only where another try cannot help. An identity that is not proved is `RefusedByHost`.
- A sentence says which host, by which route and address, what happened, and what to do next.
"""

import socket

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import NotReady
from drrun.core.model.outcomes import NeverStarted, Outcome, OutcomeUnknown, RefusedByHost
from drrun.ssh.user_config import BadConfig
from drrun.ssh.wire import BadScript


@dataclass(frozen=True, slots=True)
class Way:
    """How a host is reached, for messages."""

    host: str
    route: str = ""
    address: str = ""
    port: int = 22
    #: Its address is a secret.
    hidden: bool = False

    def __str__(self) -> str:
        if not self.address:
            return self.host
        if self.hidden:
            return f"{self.host} (route {self.route}, port {self.port})"
        by = f"route {self.route}, " if self.route not in {"", self.address} else ""
        return f"{self.host} ({by}{self.address} port {self.port})"


class HostIdentityError(Exception):
    """The host did not prove that it is who it should be; the message says what to do."""


class LoginError(Exception):
    """No key opened the door; the message says which were tried and what to do."""


class GreetingError(Exception):
    """The server closed before the handshake was over, as one does that has too many callers."""


class DeadlineError(Exception):
    """Time was over; the message says for what."""


class StoppedBeforeSending(Exception):
    """The caller was told to stop before anything was sent."""


class HopUnreachable(Exception):
    """A host on the way was not reached; another route may avoid it."""

    def __init__(self, outcome: NeverStarted | RefusedByHost) -> None:
        self.outcome = outcome
        super().__init__(outcome.why)


class Unreachable(Exception):
    """The host was not reached by any route; carries what that means."""

    def __init__(self, outcome: NeverStarted | RefusedByHost) -> None:
        self.outcome = outcome
        super().__init__(outcome.why)


def before_sending(error: BaseException, way: Way) -> NeverStarted | RefusedByHost:
    """What a fault means while nothing was sent that could act."""
    match error:
        case Unreachable():
            return error.outcome
        case HostIdentityError():
            return RefusedByHost(str(error))
        case LoginError() | BadConfig() | BadScript() | NotReady():
            return NeverStarted(f"{way}: {error}", final=True)
        case StoppedBeforeSending():
            return NeverStarted(f"{way}: stopped before anything was sent")
        case paramiko.ssh_exception.IncompatiblePeer():
            why = (
                f"{_short(error)}. The server and drrun have no such algorithm in common (drrun "
                "does not use SHA-1 and DSA any more): update its sshd, or go through a host that "
                "it accepts"
            )
            return NeverStarted(f"{way}: {why}", final=True)
        case _:
            return NeverStarted(f"{way}: {_sentence(error)}")


def after_sending(error: BaseException | str, way: Way) -> Outcome:
    """What a fault means once the script may have begun."""
    text = error if isinstance(error, str) else _short(error)
    return OutcomeUnknown(f"contact with {way} was lost: {text}. The command may still be running")


def _sentence(error: BaseException) -> str:
    match error:
        case socket.gaierror():
            return f"its name cannot be looked up ({_short(error)}); give an address in its routes"
        case GreetingError():
            return (
                f"the server ends connections before the login ({_short(error)}); it may have too "
                "many callers (MaxStartups) or be no SSH server"
            )
        case ConnectionRefusedError():
            return "connection refused; is sshd running there, on this port?"
        case DeadlineError():
            return str(error)
        case TimeoutError():
            return "no answer in time; is the host up, and does the network let it through?"
        case paramiko.ChannelException():
            return f"the server opens no channel for it ({_short(error)})"
        case EOFError():
            return "the server ended the connection"
        case OSError():
            return error.strerror or _short(error)
        case _:
            return _short(error)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__

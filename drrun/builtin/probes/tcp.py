"""`tcp`: somebody takes connections.

Rules:
- `host:port` is asked from the controller, or with `on` from that host. A bare port is the
  target's own, asked there.
- Refused or no answer in time: does not hold. A name that cannot be looked up: could not tell.
- With an expectation about text, the first bytes that the other end says are judged.
"""

import socket
import time

from drrun.builtin.probes.asking import command, doubt, ended_with, judged, no, unanswered
from drrun.core.model.probes import Expect
from drrun.core.rules.judging import Observed
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question

#: Longest greeting that is read, in bytes.
_GREETING = 4096


def evaluate(question: Question, places: Places, cancel: Cancel) -> ProbeAnswer:
    """Connect once."""
    port = int(question.ask["port"])
    address = str(question.ask.get("host") or "")
    if question.host is not None:
        return _from_host(question, places, cancel, (address or "127.0.0.1", port))
    return _from_here(question, (address or "127.0.0.1", port))


def _from_here(question: Question, address: tuple[str, int]) -> ProbeAnswer:
    shown = f"{address[0]}:{address[1]}"
    deadline = time.monotonic() + question.timeout
    try:
        with socket.create_connection(address, timeout=question.timeout) as line:
            greeting = _greeting(line, deadline) if question.expect != Expect() else ""
    except socket.gaierror as error:
        return doubt(question, f"{address[0]} cannot be looked up: {error.strerror}")
    except TimeoutError:
        return no(question, "no answer", f"{shown}: no answer within {question.timeout}")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return no(question, reason, f"{shown}: {reason}")
    return judged(question, question.expect, Observed(greeting or "connected"))


def _greeting(line: socket.socket, deadline: float) -> str:
    """What the other end says first, up to a line's end."""
    said = b""
    while b"\n" not in said and len(said) < _GREETING:
        line.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            more = line.recv(_GREETING)
        except TimeoutError:
            break
        if not more:
            break
        said += more
    return said.decode("utf-8", "replace")


#: Whichever of these the host has; 120 means that it has none.
_FROM_THERE = """
if command -v nc >/dev/null 2>&1; then nc -z -w {wait} {host} {port} </dev/null; exit $?; fi
if command -v bash >/dev/null 2>&1; then
    exec bash -c 'exec 3<>"/dev/tcp/$1/$2"' drrun {host} {port} 2>/dev/null
fi
if command -v python3 >/dev/null 2>&1; then
    exec python3 -c 'import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()' \
    {host} {port} {wait} 2>/dev/null
fi
exit 120
"""


def _from_host(
    question: Question, places: Places, cancel: Cancel, address: tuple[str, int]
) -> ProbeAnswer:
    import shlex

    text = _FROM_THERE.format(
        host=shlex.quote(address[0]), port=address[1], wait=max(1, int(question.timeout))
    )
    reply = command(question, places, cancel, text)
    status = ended_with(reply)
    if status is None:
        return unanswered(question, reply)
    if status == 120:
        return doubt(question, "neither nc, bash nor python3 is there to connect with")
    shown = f"{address[0]}:{address[1]}"
    if status != 0:
        return no(question, "no connection", f"{shown}: refused, or no answer")
    return judged(question, question.expect, Observed("connected"))

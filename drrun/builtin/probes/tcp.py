"""`tcp`: what becomes of an attempt to connect.

Rules:
- `host:port` is asked from the controller, or with `on` from that host. A bare port is the
  target's own, asked there.
- Without `state` the port must be open: refused or no answer in time does not hold. With
  `refused` or `silent` only an answer of these three kinds tells anything: who has no way there
  could not tell. A name that cannot be looked up never tells anything.
- With an expectation about text, the first bytes that the other end says are judged.
"""

import errno
import socket
import time

from drrun.builtin.probes.asking import command, doubt, ended_with, judged, no, unanswered
from drrun.core.dataclass import dataclass
from drrun.core.model.probes import Expect, PortState
from drrun.core.rules.judging import Observed
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question

#: Longest greeting that is read, in bytes.
_GREETING = 4096


@dataclass(frozen=True, slots=True)
class _Found:
    """What an attempt to connect found."""

    #: None: there is no way to the port.
    state: PortState | None
    #: In words.
    why: str = ""
    greeting: str = ""


class _Unknown(Exception):
    """Nothing was found out."""


def evaluate(question: Question, places: Places, cancel: Cancel) -> ProbeAnswer:
    """Connect once."""
    address = str(question.ask.get("host") or "") or "127.0.0.1", int(question.ask["port"])
    if question.host is not None:
        return _from_host(question, places, cancel, address)
    try:
        return _answer(question, address, _connect(question, address))
    except _Unknown as unknown:
        return doubt(question, str(unknown))


def _answer(question: Question, address: tuple[str, int], found: _Found) -> ProbeAnswer:
    """What was found, compared with what is wanted."""
    shown = f"{address[0]}:{address[1]}"
    wanted = PortState(question.ask.get("state") or PortState.OPEN)
    if found.state is wanted is PortState.OPEN:
        return judged(question, question.expect, Observed(found.greeting or "connected"))
    if found.state is wanted:
        return judged(question, Expect(), Observed(str(wanted)))
    if found.state is PortState.OPEN:
        return no(question, "connected", f"{shown}: somebody takes the connection")
    if found.state is None and wanted is not PortState.OPEN:
        return doubt(question, f"{shown}: {found.why}")
    return no(question, found.why, f"{shown}: {found.why}")


def _connect(question: Question, address: tuple[str, int]) -> _Found:
    deadline = time.monotonic() + question.timeout
    try:
        with socket.create_connection(address, timeout=question.timeout) as line:
            greeting = _greeting(line, deadline) if question.expect != Expect() else ""
    except socket.gaierror as error:
        raise _Unknown(f"{address[0]} cannot be looked up: {error.strerror}") from None
    except OSError as error:
        silent = isinstance(error, TimeoutError) and error.errno in (None, errno.ETIMEDOUT)
        if silent:
            return _Found(PortState.SILENT, f"no answer within {question.timeout}")
        refused = isinstance(error, ConnectionRefusedError)
        why = (error.strerror or str(error)).lower()
        return _Found(PortState.REFUSED if refused else None, why)
    return _Found(PortState.OPEN, greeting=greeting)


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


#: Asks with the tools that the host has, until one says clearly what it found. Its exit code: 0
#: open, 3 refused, 4 silent, 5 no way there, 6 no such name, 120 no tool told.
_FROM_THERE = r"""
LC_ALL=C
export LC_ALL
told() {{
    case $1 in
    *[Rr]efused*) exit 3 ;;
    *[Tt]imed\ out* | *TIMEOUT*) exit 4 ;;
    *nreachable* | *No\ route*) exit 5 ;;
    *not\ known* | *not\ resolve* | *esolution* | *bad\ address* | *lookup\ failed*) exit 6 ;;
    esac
}}
if command -v nc >/dev/null 2>&1; then
    said=$(nc -v -z -w {wait} {host} {port} 2>&1 </dev/null) && exit 0
    told "$said"
fi
if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    said=$(timeout {wait} bash -c 'exec 3<>"/dev/tcp/$1/$2"' drrun {host} {port} 2>&1)
    case $? in 0) exit 0 ;; 124 | 143) exit 4 ;; esac
    told "$said"
fi
if command -v python3 >/dev/null 2>&1; then
    said=$(python3 -c 'import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()' \
        {host} {port} {wait} 2>&1) && exit 0
    told "$said"
fi
exit 120
"""
_TOLD = {
    0: _Found(PortState.OPEN),
    3: _Found(PortState.REFUSED, "connection refused"),
    4: _Found(PortState.SILENT, "no answer"),
    5: _Found(None, "there is no way there"),
}


def _from_host(
    question: Question, places: Places, cancel: Cancel, address: tuple[str, int]
) -> ProbeAnswer:
    import shlex

    # The tool gives up first, so that silence is its answer and not the end of the question.
    wait = max(1, int(question.timeout) - 1)
    text = _FROM_THERE.format(host=shlex.quote(address[0]), port=address[1], wait=wait)
    reply = command(question, places, cancel, text)
    status = ended_with(reply)
    if status is None:
        return unanswered(question, reply)
    if status in _TOLD:
        return _answer(question, address, _TOLD[status])
    if status == 6:
        return doubt(question, f"{address[0]} cannot be looked up there")
    return doubt(question, "neither nc, bash nor python3 there tells what becomes of a connection")

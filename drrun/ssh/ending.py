"""Ending a script that runs too long: everything in its session, and the proof that it is gone.

Rules:
- Asked of the host itself, by `end.sh`, as the user whose processes they are; TERM, five seconds,
  KILL, five seconds, and then what is left. A kill without that answer proves nothing.
"""

from collections.abc import Callable

from drrun.core.model.runbook import Execution
from drrun.core.model.values import Duration
from drrun.ports.places import Script
from drrun.ssh.script_session import Ender
from drrun.ssh.wire import Started, ending

#: Seconds between TERM and KILL.
_GRACE = "5"
#: Seconds that ending, with its proof, may take.
END_WITHIN = 20.0


#: For our own short scripts: nothing is done about one that does not end, but not to wait for it.
HELPLESS = Ender(end=lambda _: False, look=lambda _: None)


def ender(aside: Callable[[Script], bytes], become: str | None) -> Ender:
    """How to end what was started; `aside` runs a short script at the same place."""

    def ask(started: Started, grace: str) -> bytes:
        text = ending(started.pid, started.start, grace)
        try:
            return aside(Script(text, Execution(become=become))).strip()
        except Exception:  # noqa: BLE001 - no answer, whatever the reason, proves nothing
            return b""

    def look(started: Started) -> bool | None:
        return {b"gone": False, b"alive": True}.get(ask(started, "ask"))

    return Ender(end=lambda started: ask(started, _GRACE) == b"gone", look=look)


def kill_script(pid: int, start: str, become: str | None) -> Script:
    """What ends the session `pid`, as the user whose processes they are.

    Args:
        pid: Its leader.
        start: The leader's start time in clock ticks, "-" where there is no /proc.
        become: As whom the command runs.
    """
    text = ending(pid, "" if start == "-" else start, _GRACE)
    return Script(text, Execution(become=become), timeout=Duration(END_WITHIN))

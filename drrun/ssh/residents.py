"""One launcher for each host, opened when first needed and again after every loss.

Rules:
- A host that was never reached has an outcome of its own: nothing was started. Only for a job that
  may be going on is contact sought again, by all routes, with growing pauses.
- The launcher's text travels on standard input, length first; nothing is installed on the host.
"""

import os
import secrets
import select
import subprocess
import threading
from contextlib import suppress
from dataclasses import field

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late
import tenacity  # noqa: TID253 - same

from drrun.core.dataclass import dataclass
from drrun.core.inventory import Host
from drrun.engine.faultpoints import point
from drrun.engine.ports import Cancel
from drrun.ssh.connections import Connections
from drrun.ssh.contact import Enough, Parted
from drrun.ssh.deadlines import Deadlines
from drrun.ssh.faults import Unreachable
from drrun.ssh.link import Link
from drrun.ssh.resident import Resident, ResidentLost, program
from drrun.ssh.wire import Launch

#: Pauses between tries, in seconds: the first and the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
#: Seconds that saying good-bye to a host may take; what is left there is found by clean-up.
LEAVE_WITHIN = 5.0
_BOOT = 'exec 2>/dev/null; p=$(head -c "$2") && eval "$p"'


class NoLauncher(Exception):
    """The place is reached, but cannot run the launcher; the message says why."""


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    resident: Resident | None = None
    link: Link | None = None
    #: The route that a person had chosen when it was opened.
    chosen: str = ""


class Residents:
    """The launchers of a run's hosts, and of this machine."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        #: Tells people of hosts that do not answer.
        self.watch = Deadlines()
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def reach(self, host: Host | None, cancel: Cancel) -> tuple[Resident, Link | None]:
        """An answering launcher; opens what has to be opened, once.

        Raises:
            Unreachable: No route works; nothing was sent.
            NoLauncher: The place cannot run it.
        """
        with self._lock:
            slot = self._slots.setdefault(host.name if host else "", _Slot())
        with slot.lock:
            chosen = host.chosen_route if host else ""
            stays = slot.resident is not None and not slot.resident.lost and _alive(slot.link)
            if slot.resident is not None and stays and slot.chosen == chosen:
                return slot.resident, slot.link
            slot.chosen = chosen
            if slot.resident is not None:
                slot.resident.close()
            slot.link = self._connections.reach(host, cancel) if host else None
            slot.resident = _open(slot.link)
            return slot.resident, slot.link

    def find(
        self, host: Host | None, cancel: Cancel, enough: Enough
    ) -> tuple[Resident, Link | None]:
        """An answering launcher of a place that may hold a job, sought with patience.

        Raises:
            Parted: Not found until it was `enough`, or told to let go.
        """

        def pause(seconds: float) -> None:
            if cancel.wait(seconds):
                raise Parted("let go; the command goes on")

        seeking = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Unreachable, NoLauncher)),
            wait=tenacity.wait_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE),
            stop=lambda tried: enough(tried.seconds_since_start or 0.0),
            sleep=pause,
            reraise=True,
        )
        try:
            return seeking(self.reach, host, cancel)
        except (Unreachable, NoLauncher) as error:
            raise Parted(f"contact was lost and not found again: {error}") from error

    def clear(self, run: str) -> None:
        """Remove what is left of a run, wherever a launcher still answers."""
        with self._lock:
            slots = list(self._slots.values())
        for slot in slots:
            if slot.resident is not None and not slot.resident.lost:
                limit = self.watch.limit(LEAVE_WITHIN, slot.resident.close)
                with suppress(ResidentLost), limit:
                    slot.resident.leave(run)

    def close(self) -> None:
        """Hang up; jobs go on."""
        with self._lock:
            slots = list(self._slots.values())
        for slot in slots:
            if slot.resident is not None:
                slot.resident.close()


def _alive(link: Link | None) -> bool:
    return link is None or link.alive


def _open(link: Link | None) -> Resident:
    nonce = secrets.token_hex(8)
    text = program().encode()
    boot = Launch(("/bin/sh", "-c", _BOOT, "drrun", nonce, str(len(text))), b"", nonce)
    try:
        point("before launcher")
        pipe = _NearPipe(boot) if link is None else _FarPipe(link, boot)
        resident = Resident(pipe, nonce)
        pipe.send(text)
        resident.greet()
        point("after launcher")
    except (ResidentLost, OSError, EOFError) as error:
        raise NoLauncher(f"it cannot run our launcher: {error}") from error
    return resident


class _FarPipe:
    """A channel of an open connection."""

    def __init__(self, link: Link, boot: Launch) -> None:
        try:
            self._channel = link.transport.open_session(timeout=link.options.channel_within)
            with link.deadlines.limit(link.options.start_within, self._channel.close):
                self._channel.exec_command(boot.line)
        except paramiko.SSHException as error:
            raise OSError(str(error)) from error

    def send(self, data: bytes) -> None:
        self._channel.settimeout(60)
        self._channel.sendall(data)

    def receive(self, most: int, seconds: float) -> bytes:
        self._channel.settimeout(seconds)
        return self._channel.recv(most)

    def close(self) -> None:
        with suppress(OSError, EOFError):
            self._channel.close()


class _NearPipe:
    """A launcher on this machine."""

    def __init__(self, boot: Launch) -> None:
        self._process = subprocess.Popen(
            boot.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._watch = threading.Lock()

    def send(self, data: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def receive(self, most: int, seconds: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        if not ready:
            raise TimeoutError("the launcher does not answer")
        return os.read(self._process.stdout.fileno(), most)

    def close(self) -> None:
        with suppress(OSError):
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)

"""One attempt as a job on a host: started once, followed, picked up again after any loss.

Rules (FAULTS section 2):
- The job is named after run, step, target and attempt; the host's `mkdir` decides who starts it.
  Asking again after a lost answer is therefore harmless (case 4).
- Losing contact ends nothing: the job goes on, and is followed on from the byte where it stopped.
- What is not known stays not known: a job that is gone without an exit code, or whose host has
  rebooted, is `ContactLost`, never a failure (cases 12, 14, 16).
- Only a written time limit ends a job: its whole session, proved gone, or said that it could not.
"""

import hashlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import quote

from drrun.core.outcomes import ContactLost, Ended, NeverStarted, Outcome, RefusedByHost, TimedOut
from drrun.engine.faultpoints import point
from drrun.engine.ports import AttemptOrder, Cancel, Output, Script
from drrun.ssh.resident import JobState, Resident, ResidentLost
from drrun.ssh.session import Ender
from drrun.ssh.wire import Beginning, Launch, Started, launch

#: Bytes of each stream that a host keeps of one attempt.
KEPT_ON_HOST = 1 << 30
#: Bytes asked for at once.
WINDOW = 1 << 20
#: Seconds between looks: at first, and at most.
SOON, SELDOM = 0.02, 0.5
#: Seconds that a claim may stand without a process behind it.
CLAIM_GRACE = 10.0
#: Seconds that output may go on behind the exit.
AFTER_EXIT = 2.0
#: Looks at a job that seems gone, in case its exit code is just being written.
GONE_LOOKS = 3


class Parted(Exception):
    """Contact was lost; the job, if there is one, goes on."""


_Answer = TypeVar("_Answer")


class Place(Protocol):
    """Where a job runs."""

    def reach(self) -> Resident:
        """An answering launcher, tried once.

        Raises:
            Absent: There is none; nothing was sent.
        """
        ...

    def find(self) -> Resident:
        """An answering launcher, sought with patience, for a job that may be going on.

        Raises:
            Parted: There is none.
        """
        ...

    def __str__(self) -> str:
        """For messages."""
        ...


class Absent(Exception):
    """The place was not reached. `outcome` says what that means."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(getattr(outcome, "why", ""))
        self.outcome = outcome


def job_name(order: AttemptOrder) -> str:
    """`RUN STEP@TARGET.ATTEMPT`, safe as a request and as a folder's name."""
    target = quote(order.target, safe="")
    if len(target) > 100:
        target = hashlib.sha256(order.target.encode()).hexdigest()[:40]
    return f"{order.run} {order.step}@{target}.{order.attempt}"


@dataclass(slots=True)
class Job:
    """One attempt on one host, from claim to outcome."""

    order: AttemptOrder
    script: Script
    place: Place
    output: Output
    ender: Ender
    #: Called once the place has taken the job.
    taken: Callable[[], None]
    name: str = field(init=False)
    launch: Launch = field(init=False)
    _begin: dict[str, Beginning] = field(init=False)
    _offsets: dict[str, int] = field(default_factory=lambda: {"out": 0, "err": 0})
    _begun_at: float = field(default_factory=time.monotonic)
    _ended_at: float | None = None
    _gone: int = 0

    def __post_init__(self) -> None:
        self.name = job_name(self.order)
        # The mark is the same for whoever picks the job up; it marks, and proves nothing.
        mark = hashlib.sha256(self.name.encode()).hexdigest()[:16]
        self.launch = launch(self.script, mark)
        self._begin = {stream: Beginning(mark) for stream in ("out", "err")}

    def perform(self, cancel: Cancel) -> Outcome:
        """Start the job, or find it started, and follow it to its end."""
        try:
            refusal = self._start(self.place.reach())
            return refusal or self._follow(cancel)
        except Absent as absent:
            return absent.outcome
        except Parted as parted:
            return ContactLost(str(parted))

    def reconcile(self, cancel: Cancel, *, was_taken: bool) -> Outcome:
        """Find out about a job of an earlier controller, and follow it if it goes on.

        Args:
            cancel: Tells to let go.
            was_taken: The journal knows that the place took the job; then its absence is no proof
                that nothing happened (FAULTS 65).
        """
        try:
            state = self._again(lambda resident: resident.look(self.name))
            if state.word == "absent" and not was_taken:
                return self.perform(cancel)
            self.taken()
            return self._follow(cancel)
        except Parted as parted:
            return ContactLost(str(parted))

    def _start(self, resident: Resident) -> Outcome | None:
        try:
            words = self._ask_to_start(resident)
        except ResidentLost:
            # Whether it arrived is not known; asking again is harmless.
            words = self._again(self._ask_to_start)
        match words:
            case ["started"] | ["exists"]:
                self.taken()
                return None
            case ["refused", newest]:
                return RefusedByHost(
                    f"{self.place} has seen a newer controller of this run (token {newest}, ours "
                    f"is {self.order.epoch}); nothing was started"
                )
            case ["cut"]:
                return NeverStarted(f"the command did not arrive whole on {self.place}")
            case _:
                return NeverStarted(f"{self.place} cannot keep jobs: {' '.join(words)}")

    def _ask_to_start(self, resident: Resident) -> list[str]:
        point("before start")
        words = resident.start(
            self.name,
            self.order.epoch,
            self.launch.line.encode(),
            self.launch.payload,
            KEPT_ON_HOST,
        )
        point("after start")
        return words

    def _again(self, ask: Callable[[Resident], _Answer]) -> _Answer:
        """Ask, and ask again after a loss; every request may be repeated."""
        while True:
            resident = self.place.find()
            try:
                return ask(resident)
            except ResidentLost:
                continue

    def _follow(self, cancel: Cancel) -> Outcome:
        pause = SOON
        while True:
            state = self._again(lambda resident: resident.look(self.name))
            point(f"looked {state.word}")
            came = self._take(state)
            outcome = self._over(state) or self._late()
            if outcome is not None:
                return outcome
            pause = SOON if came else min(pause * 1.5, SELDOM)
            if cancel.wait(pause):
                return ContactLost(f"detached from {self.place}; the command goes on there")

    def _take(self, state: JobState) -> bool:
        """Read on; whether anything came."""
        came = False
        for stream, there in zip(("out", "err"), state.kept, strict=True):
            while self._offsets[stream] < there:
                data = self._read(stream)
                if not data:
                    break
                came = True
        return came

    def _read(self, stream: str) -> bytes:
        offset = self._offsets[stream]
        data = self._again(lambda resident: resident.read(self.name, stream, offset, WINDOW))
        self._offsets[stream] += len(data)
        own = self._begin[stream].feed(data)
        if own:
            self.output.write(f"std{stream}", own)
        return data

    def _over(self, state: JobState) -> Outcome | None:
        match state.word:
            case "ended":
                self._ended_at = self._ended_at or time.monotonic()
                if state.drained:
                    return self._ended(state, "")
                if time.monotonic() - self._ended_at > AFTER_EXIT:
                    return self._ended(
                        state, "a process that it left behind keeps its output open"
                    )
            case "rebooted":
                return ContactLost(f"{self.place} has rebooted in the middle of it")
            case "absent":
                return ContactLost(f"its folder on {self.place} is gone, with what it knew")
            case "gone":
                self._gone += 1
                if self._gone >= GONE_LOOKS:
                    return ContactLost(
                        f"its process on {self.place} is gone without an exit code: killed from "
                        "outside, or out of memory"
                    )
            case "claimed" if time.monotonic() - self._begun_at > CLAIM_GRACE:
                return NeverStarted(f"{self.place} took the command but never began it")
        return None

    def _ended(self, state: JobState, note: str) -> Outcome:
        status = state.exit
        if self._begin["out"].said is None:
            return self._refused(status)
        if any(state.beyond):
            note = f"output beyond {KEPT_ON_HOST} bytes was not kept"
        if status is not None and 128 < status < 160:
            return Ended(status, _signal(status - 128), note)
        return Ended(status, note=note)

    def _refused(self, status: int | None) -> Outcome:
        """The runner ended before our script began: sudo, or a shell that is not there."""
        chatter = b" ".join(each.chatter for each in self._begin.values()).split()
        said = b" ".join(chatter).decode("utf-8", "replace")[-300:]
        shown = "".join(each if each.isprintable() else "?" for each in said)
        user = self.script.execution.become
        what = f"did not let us become {user}" if user else "did not execute the command"
        return NeverStarted(
            f"{self.place} {what}, exit {status}: {shown or 'it said nothing'}", final=True
        )

    def _late(self) -> Outcome | None:
        limit = self.script.timeout
        if limit is None or time.monotonic() - self._begun_at < limit:
            return None
        started = Started.read(self._begin["out"].said or "")
        gone = started.leads and self.ender.end(started)
        if gone:
            self._take(self._again(lambda resident: resident.look(self.name)))
        how = "all its processes were ended" if gone else "its processes could not be proved dead"
        return TimedOut(gone=gone, note=f"longer than {limit} on {self.place}; {how}")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return ""

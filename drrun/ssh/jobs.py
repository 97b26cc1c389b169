"""One attempt as a job on a host: started once, followed, picked up again after any loss.

Rules (FAULTS section 2):
- The job is named after run, step, target and attempt; the host's `mkdir` decides who starts it.
  Asking again after a lost answer is therefore harmless (case 4).
- Losing contact ends nothing: the job goes on, and is followed on from the byte where it stopped.
- What is not known stays not known: a job that is gone without an exit code, or whose host has
  rebooted, is `ContactLost`, never a failure (cases 12, 14, 16).
- Only a written time limit, or a request, ends a job: its whole session, proved gone, or said that
  it could not.
"""

import hashlib
import math
import signal
import time
from collections.abc import Callable
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.jobnames import job_of
from drrun.core.outcomes import (
    ContactLost,
    Ended,
    NeverStarted,
    Outcome,
    RefusedByHost,
    Stopped,
    TimedOut,
)
from drrun.core.values import Duration
from drrun.engine.faultpoints import point
from drrun.engine.ports import AttemptOrder, Cancel, Output, Progress, Script
from drrun.ssh.contact import Absent, Contact, Parted, Place
from drrun.ssh.deadlines import Deadlines
from drrun.ssh.resident import ANSWER_WITHIN, JobState, Resident, ResidentLost
from drrun.ssh.session import Ender
from drrun.ssh.wire import Beginning, Launch, Started, launch

#: Bytes of each stream that a host keeps of one attempt.
KEPT_ON_HOST = 1 << 30
#: Bytes asked for at once.
WINDOW = 1 << 20
#: Seconds between looks: at first, and at most.
SOON, SELDOM = 0.005, 0.5
#: Seconds that a claim may stand without a process behind it.
CLAIM_GRACE = 10.0
#: Seconds that output may go on behind the exit.
AFTER_EXIT = 2.0
#: Looks at a job that seems gone, in case its exit code is just being written.
GONE_LOOKS = 3
#: Seconds for which contact with a job that may be going on is sought.
PATIENCE = 900.0
#: The same for a job that is to be ended, or is over its time.
END_PATIENCE = 10.0
#: Seconds until a host must be back from a reboot that is the step, where no timeout is written.
REBOOT_WITHIN = 900.0


def job_name(order: AttemptOrder) -> str:
    """`RUN STEP@TARGET.ATTEMPT`, as a launcher is asked for it."""
    return f"{order.run} {job_of(order.step, order.target, order.attempt)}"


@dataclass(frozen=True, slots=True)
class Dealings:
    """What a job needs from whoever wants it done."""

    output: Output
    tell: Callable[[Progress], None]
    #: Called once the place has taken the job.
    taken: Callable[[], None]
    ender: Ender
    #: Tells to end it with all its processes.
    ends: Cancel
    watch: Deadlines


@dataclass(slots=True)
class Job:
    """One attempt on one host, from claim to outcome."""

    order: AttemptOrder
    script: Script
    place: Place
    with_: Dealings
    name: str = field(init=False)
    launch: Launch = field(init=False)
    _contact: Contact = field(init=False)
    _begin: dict[str, Beginning] = field(init=False)
    _offsets: dict[str, int] = field(default_factory=lambda: {"out": 0, "err": 0})
    _begun_at: float = field(init=False)
    _ended_at: float | None = None
    _gone: int = 0

    def __post_init__(self) -> None:
        self.name = job_name(self.order)
        # The mark is the same for whoever picks the job up; it marks, and proves nothing.
        mark = hashlib.sha256(self.name.encode()).hexdigest()[:16]
        self.launch = launch(self.script, mark)
        self._begin = {stream: Beginning(mark) for stream in ("out", "err")}
        self._begun_at = time.monotonic() - self.order.age
        self._contact = Contact(self.place, self.with_.tell, self.with_.watch, self._sought,
                                self._patience)  # fmt: skip

    def perform(self, cancel: Cancel) -> Outcome:
        """Start the job, or find it started, and follow it to its end."""
        if self.with_.ends.is_set():
            return Stopped(gone=True, note="it was never begun")
        try:
            refusal = self._start(self.place.reach())
            return refusal or self._follow(cancel)
        except Absent as absent:
            return absent.outcome
        except Parted as parted:
            return self._parted(str(parted))

    def reconcile(self, cancel: Cancel, *, was_taken: bool) -> Outcome:
        """Find out about a job of an earlier controller, and follow it if it goes on.

        Args:
            cancel: Tells to let go.
            was_taken: The journal knows that the place took the job; then its absence is no proof
                that nothing happened (FAULTS 65).
        """
        try:
            state = self._contact.ask(lambda resident: resident.look(self.name))
            if state.word == "absent" and not was_taken:
                return self.perform(cancel)
            self.with_.taken()
            return self._follow(cancel)
        except Parted as parted:
            return self._parted(str(parted))

    def _parted(self, why: str) -> Outcome:
        if self.with_.ends.is_set():
            return Stopped(gone=False, note=f"it could not be ended: {why}")
        if self._overdue() > 0 and not self.order.reboots:
            return TimedOut(gone=False, note=f"out of time, and it could not be ended: {why}")
        return ContactLost(why)

    def _sought(self, seconds: float) -> bool:
        """Whether contact was sought for long enough."""
        hurry = self.with_.ends.is_set() or self._overdue() > 0
        limited = self.script.timeout is not None or self.order.reboots
        return seconds > END_PATIENCE if hurry else seconds > PATIENCE and not limited

    def _patience(self) -> float:
        """Seconds for one answer: what is over its time does not wait for a silent host."""
        if self.with_.ends.is_set():
            return END_PATIENCE
        return min(ANSWER_WITHIN, max(0.0, -self._overdue()) + END_PATIENCE)

    def _start(self, resident: Resident) -> Outcome | None:
        try:
            words = self._ask_to_start(resident)
        except ResidentLost:
            # Whether it arrived is not known; asking again is harmless.
            words = self._contact.ask(self._ask_to_start)
        match words:
            case ["started"] | ["exists"]:
                self.with_.taken()
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

    def _follow(self, cancel: Cancel) -> Outcome:
        pause = SOON
        while True:
            state = self._contact.ask(lambda resident: resident.look(self.name))
            point(f"looked {state.word}")
            came = self._take(state)
            outcome = self._over(state) or self._to_be_ended() or self._late()
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
        data = self._contact.ask(lambda resident: resident.read(self.name, stream, offset, WINDOW))
        self._offsets[stream] += len(data)
        own = self._begin[stream].feed(data)
        if own:
            self.with_.output.write(f"std{stream}", own)
        return data

    def _over(self, state: JobState) -> Outcome | None:
        if self.order.reboots and (state.exit or 0) == 0:
            return self._back(state)
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

    def _back(self, state: JobState) -> Outcome | None:
        """For a reboot that is the step: whether the host has been booted anew (FAULTS 58)."""
        if state.rebooted or state.word == "absent":
            return Ended(0, note=f"{self.place} is back with a new boot id")
        if self._overdue() > 0:
            late = Duration(self._limit())
            return Ended(None, note=f"{self.place} was not booted anew within {late}")
        return None

    def _to_be_ended(self) -> Outcome | None:
        if not self.with_.ends.is_set():
            return None
        gone = self._end()
        return Stopped(gone=gone, note=f"ended on request on {self.place}; {_proof(gone)}")

    def _limit(self) -> float:
        """Seconds that the job may take."""
        unlimited = REBOOT_WITHIN if self.order.reboots else math.inf
        return self.script.timeout if self.script.timeout is not None else unlimited

    def _overdue(self) -> float:
        """Seconds for which the job is over its time; negative before."""
        return time.monotonic() - self._begun_at - self._limit()

    def _late(self) -> Outcome | None:
        if self._overdue() <= 0 or self.order.reboots:
            return None
        gone = self._end()
        longer = f"longer than {self.script.timeout} on {self.place}"
        return TimedOut(gone=gone, note=f"{longer}; {_proof(gone)}")

    def _end(self) -> bool:
        """End all processes of the job; whether they are proved to be gone."""
        started = Started.read(self._begin["out"].said or "")
        gone = started.leads and self.with_.ender.end(started)
        if gone:
            self._take(self._contact.ask(lambda resident: resident.look(self.name)))
        return gone


def _proof(gone: bool) -> str:
    return "its whole session was ended" if gone else "its processes could not be proved dead"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return ""

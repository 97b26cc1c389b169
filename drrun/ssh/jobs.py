"""One attempt on one host: requested once, followed, and picked up again after any loss.

The protocol and its proof are in docs/explanation/attempts.md.

Rules:
- Asking again is harmless: the host decides once about a name.
- We say *never started* only with a proof: we never sent anything; or the host refused the only
  request; or a withdrawal won, on the boot on which the first request can have arrived.
- A loss of contact ends nothing. What we do not know is an `OutcomeUnknown`, never a failure.
- Only a written time limit, or a person, ends a command. We end its whole session, and prove that
  it is gone or say that we could not. The limit counts from the moment at which the command began
  on the host.
"""

import dataclasses
import math
import signal
from collections.abc import Sequence
from dataclasses import field
from enum import Enum, auto
from functools import partial
from typing import Protocol

from drrun.core.model.jobnames import job_of
from drrun.core.model.outcomes import (
    Ended,
    NeverStarted,
    Outcome,
    OutcomeUnknown,
    Stopped,
    TimedOut,
)
from drrun.core.model.values import Duration
from drrun.engine.captured import CapturedOutput
from drrun.engine.faultpoints import point
from drrun.ports.places import AttemptOrder, AttemptProgress, Output, Script
from drrun.ssh import launcher_answers as a
from drrun.ssh.asks import Streams, end, not_begun
from drrun.ssh.checks import Checks
from drrun.ssh.following import Alarm, Unreached
from drrun.ssh.lane import KEPT_ON_HOST, Lane
from drrun.ssh.launcher_requests import Work, work_of

#: Seconds until what a command prints is first looked for, between two looks while it prints, and
#: at most between two looks.
FIRST_LOOK, BUSY_LOOK, LONGEST_LOOK = 0.25, 0.5, 30.0
#: Seconds between looks at something that must change soon: a reboot, an end, a decision.
SOON = 0.5
#: Seconds for which a decision without content, or an end without an exit code, is looked at.
DOUBT = 60.0
#: Seconds for which contact with a job that may be going on is sought.
PATIENCE = 900.0
#: The same for a job that is to be ended, or is over its time.
END_PATIENCE = 10.0
#: Seconds until a host must be back from a reboot that is the step, where no timeout is written.
REBOOT_WITHIN = 900.0


class Ending(Enum):
    """Why somebody ends a job."""

    BY_TIME = auto()
    BY_REQUEST = auto()


class Teller(Protocol):
    """Receives the news of a job; on the lane's thread."""

    def news(self, progress: AttemptProgress) -> None:
        """The job goes on."""
        ...

    def checked(self, index: int, reply: CapturedOutput | None, code: int) -> None:
        """One of its checks was answered; None: the answer will not come."""
        ...

    def done(self, outcome: Outcome, checks: Sequence[int]) -> None:
        """The job is over, as far as we can tell; the answers to `checks` are still to come."""
        ...


@dataclasses.dataclass(slots=True, eq=False)
class Job:
    """One attempt. A `Follower`. Raises BadScript where it, or a check, cannot be sent."""

    lane: Lane
    order: AttemptOrder
    script: Script
    output: Output
    teller: Teller
    #: The checks that the host answers right after it.
    asked: tuple[Script, ...] = ()
    name: str = field(init=False)
    names: tuple[str, ...] = field(init=False)
    _work: Work = field(init=False)
    _streams: Streams = field(init=False)
    _checks: Checks = field(init=False)
    #: The boot of the host since which it can have been asked for; "" if it never was, "-" if that
    #: cannot be told.
    _boot: str = field(init=False)
    #: How often it was asked for here, and of which launcher last.
    _sent: int = 0
    _sent_to: a.LauncherReady | None = None
    #: The launcher that answers now.
    _ready: a.LauncherReady | None = None
    _process: a.CommandBegun | None = None
    _began_at: float | None = None
    #: Why the host did not begin the attempt.
    _refusal: str = ""
    #: The run's folder on the host was new, so the host may have forgotten our request.
    _forgot: bool = False
    _ending: Ending | None = None
    _killing: bool = False
    #: Somebody ended it: the outcome to report once its last output is here.
    _stop: Outcome | None = None
    #: Since when nothing was heard of it, though a host was sought; and when that is given up.
    _sought_since: float | None = None
    _patience: Alarm | None = None
    #: When its time limit ends.
    _due: Alarm | None = None
    #: Since when we cannot tell what became of it.
    _doubt: float | None = None
    _look_after: float = FIRST_LOOK
    _looking: Alarm | None = None
    #: Sizes of its outputs at our last look.
    _seen: tuple[int, int] = (0, 0)
    #: The host had no space left to record its end.
    _full: bool = False
    #: It has ended, and its last output is on the way.
    _last: bool = False
    _over: bool = False
    _forgotten: bool = False

    def __post_init__(self) -> None:
        self.name = job_of(self.order.step, self.order.target, self.order.attempt)
        self._checks = Checks(self.lane, self.name, self.asked, self._checked)
        self.names = (self.name, *self._checks.names)
        self._work = work_of(self.script)
        self._streams = Streams(self.lane, self.name, self.output, marked=self._work.marked)
        self._boot = self.order.asked_on if self.order.again else ""

    # --- what the engine wants; on the lane's thread ---------------------------------------------

    def begin(self) -> None:
        """Begin the attempt, or pick it up."""
        if self.order.ending:
            self._ending = Ending.BY_REQUEST
        if self.order.was_taken:
            self._began_at = self.lane.clock() - self.order.age
        self.lane.follow(self)

    def end(self) -> None:
        """End all processes of the attempt."""
        if self._over or self._ending is not None:
            return
        self._ending = Ending.BY_REQUEST
        if not self._sent and not self.order.again:
            self._finish(Stopped(gone=True, note="it was never begun"))
        elif self._ready is None:
            self._hurry()
        else:
            self._end()

    def let_go(self) -> None:
        """Stop following the attempt; its processes go on."""
        self._finish(
            OutcomeUnknown(f"detached from {self.lane.place}; the command continues there")
        )

    def forget(self) -> None:
        """The outcome is durable: let the host forget what the attempt printed."""
        self._forgotten = True
        self._leave()

    # --- the lane tells -------------------------------------------------------------------------

    def opened(self, ready: a.LauncherReady) -> None:
        """A launcher answers: begin the attempt, or find out what became of it."""
        if self._over:
            return
        self._ready = ready
        asked_before = self._boot != "" and ready is not self._sent_to
        self._forgot = self._forgot or (ready.lost and asked_before)
        if self.order.reboots and self._process and ready.boot != self._boot:
            self._finish(_back(self.lane.place))
        elif self._refusal:
            self._settle_refusal()
        elif self._sent or self.order.again:
            self._look()
        else:
            self._start(ready)

    def lost(self, why: str) -> None:
        """The attempt goes on without us; the lane reconnects for as long as that makes sense."""
        if self._over:
            self._checks.give_up()
            return
        self._ready, self._killing, self._last = None, False, False
        self._streams.again()
        # Their answers may be lost with the channel.
        self._checks.drop()
        if self._stop is not None:
            self._finish(self._stop)
        else:
            self._seek(why)

    def unreached(self, outcome: Unreached) -> None:
        """The host was not reached this time."""
        if self._over:
            return
        if not self._sent and not self.order.again:
            # We never sent anything of it.
            self._finish(outcome)
        elif self._patience is None or self._patience.act is None:
            self._seek(outcome.why)

    def _seek(self, why: str) -> None:
        """Note that contact is lost, and until when to try again.

        A launcher that answers, but dies before it says anything about this attempt, is no
        contact, however often that happens.
        """
        if self._patience is not None:
            self._patience.cancel()
        now = self.lane.clock()
        if self._sought_since is None:
            self._sought_since = now
        if self._ending is not None or self._overdue() > 0:
            until = self._sought_since + END_PATIENCE
        elif self._limit() is not None and self._began_at is not None:
            until = now + self._left() + END_PATIENCE
        else:
            until = self._sought_since + PATIENCE
        self._patience = self.lane.at(max(0.0, until - now), partial(self._give_up, why))

    def _hurry(self) -> None:
        """Somebody ends it: try to reconnect again, but not for long."""
        self._sought_since = None
        self._seek("it does not answer")

    def _found(self) -> None:
        """The host said something about the attempt."""
        self._sought_since = None
        if self._patience is not None:
            self._patience.cancel()

    def silent(self, seconds: float, why: str) -> None:
        """Its host is silent."""
        self.teller.news(AttemptProgress(silent=seconds, note=why))

    def regained(self, seconds: float) -> None:
        """Its host answers again."""
        self.teller.news(AttemptProgress(found_after=seconds, route=self._route))

    def broken(self, why: str) -> None:
        """A fault in drrun: nobody here will learn what became of the attempt."""
        if self._over:
            self._checks.give_up()
        self._finish(OutcomeUnknown(why))

    def heard(self, answer: a.LauncherAnswer) -> None:
        """The host says something about the attempt."""
        if (
            isinstance(answer, a.QuestionEnded | a.CommandBegun | a.StartRefused)
            and answer.name != self.name
        ):
            self._checks.heard(answer)
            return
        if self._over:
            return
        self._found()
        match answer:
            case a.CommandBegun():
                self._begun(answer)
            case a.CommandEnded(code=code, out=out, err=err, mark=mark, full=full):
                point("heard ended")
                self._full = full
                self._ended(code, mark, out, err)
            case a.AttemptExists():
                self._look()
            case a.StartRefused():
                self._refused(answer)
            case a.TokenStale(memory=memory):
                # Nothing was started for us; what the other one did under this name is not known.
                self._finish(
                    OutcomeUnknown(
                        f"{self.lane.place} obeys another controller of this run (token "
                        f"{memory.epoch}, ours is {self.order.epoch}), and does nothing for us"
                    )
                )
            case a.Withdrawal(word=word):
                self._withdrawn(word)
            case a.AttemptState():
                self._state(answer)
            case _:
                pass

    # --- beginning ------------------------------------------------------------------------------

    def _start(self, ready: a.LauncherReady) -> None:
        """Request the attempt; a repeated request changes nothing."""
        self._boot = self._boot or ready.boot
        self._sent += 1
        self._sent_to = ready
        point("before start")
        if self._work.ahead is None:
            self._ask()
        else:
            self.lane.store(self.name, self._work.ahead, self._stored)

    def _stored(self, stored: a.InputStored) -> None:
        if self._over:
            return
        if stored.whole:
            self._ask()
        else:
            # The launcher that read half of the request is gone; we ask the next one to withdraw.
            self._refusal = self.lane.refusal(stored.why)
            if self._sent <= 1 and not self.order.again:
                self._finish(self._nothing())

    def _ask(self) -> None:
        start = self._work.start(self.name, self.lane.end, self.order.mark)
        self.lane.send(self._checks.requests + start)
        point("after start")
        self._look_later(LONGEST_LOOK)

    def _begun(self, begun: a.CommandBegun, age: float | None = None) -> None:
        if self._process is not None:
            return
        self._process = begun
        self._began_at = self.lane.clock() - (age or 0.0)
        link = self.lane.wire.link if self.lane.wire else None
        self.teller.news(
            AttemptProgress(
                route=link.way.route if link else "",
                host_key=link.host_key if link else "",
                user=link.user if link else "",
            )
        )
        if self._limit() is not None:
            self._due = self.lane.at(self._left(), self._late)
        if self._ending is not None:
            self._end()
        else:
            self._look_later(FIRST_LOOK)

    @property
    def _folder(self) -> str:
        return self._ready.folder if self._ready else ""

    @property
    def _route(self) -> str:
        link = self.lane.wire.link if self.lane.wire else None
        return link.way.route if link else ""

    def _refused(self, refused: a.StartRefused) -> None:
        self._refusal = self.lane.refusal(refused.why)
        if refused.decided:
            # It won the decision, and itself says that it did nothing.
            self._finish(NeverStarted(self._refusal))
        else:
            self._settle_refusal()

    def _settle_refusal(self) -> None:
        """Make sure that nobody else begins the attempt either."""
        self.lane.send(f"withdraw {self.name}\n".encode())

    def _withdrawn(self, word: str) -> None:
        if word == "lost":
            self._look()
        elif self._known:
            place = self.lane.place
            self._finish(
                OutcomeUnknown(f"{place} has lost what it knew of this, while it was running")
            )
        elif word == "won" and self._on_same_boot and not self._forgot:
            self._finish(self._nothing())
        elif self._sent <= 1 and not self.order.again and self._refusal:
            # There was only one request, and its only reader refused it.
            self._finish(self._nothing())
        else:
            self._finish(OutcomeUnknown(f"{self.lane.place} cannot tell whether it was begun"))

    def _nothing(self) -> Outcome:
        if self._ending is Ending.BY_REQUEST:
            return Stopped(gone=True, note="it was never begun")
        return NeverStarted(self._refusal or f"it was withdrawn on {self.lane.place}")

    # --- following ------------------------------------------------------------------------------

    def _look(self) -> None:
        self.lane.send(f"look {self.name}\n".encode())

    def _look_later(self, seconds: float) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self._looking = self.lane.at(seconds, self._look_now)

    def _look_now(self) -> None:
        if not self._over and self._ready is not None and not self._last:
            self._look()
            # A line may be lost; we look again until we know something.
            self._look_later(LONGEST_LOOK)

    def _state(self, state: a.AttemptState) -> None:
        point(f"looked {state.word}")
        if self._stop is not None:
            self._streams.bring(state.out, state.err, partial(self._finish, self._stop))
            return
        if state.begun is not None and state.word != "withdrawn":
            self._begun(state.begun, state.age)
            if self._over:
                return
        match state.word:
            case "absent":
                self._absent()
            case "withdrawn":
                self._withdrawn("won")
            case "ended" if state.code is not None:
                self._ended(state.code, state.mark, state.out, state.err)
            case "running":
                self._doubt = None
                self._going_on(state)
            case "rebooted" if self.order.reboots:
                self._finish(_back(self.lane.place))
            case "rebooted":
                self._finish(OutcomeUnknown(f"{self.lane.place} has rebooted in the middle of it"))
            case word:
                self._doubtful(word)

    def _absent(self) -> None:
        """The host knows nothing of the attempt: it has not begun, or the host forgot it."""
        ready = self._ready
        if ready is None:
            return
        rebooted = not self._same_boot(ready)
        if self._known or rebooted or self._forgot:
            if self.order.reboots and self._known:
                self._finish(_back(self.lane.place))
                return
            why = "may have rebooted" if rebooted else "has lost the run's folder"
            self._finish(OutcomeUnknown(f"{self.lane.place} {why}, with what it knew of this"))
        elif self._ending is not None:
            self._settle_refusal()
        else:
            self._start(ready)

    @property
    def _on_same_boot(self) -> bool:
        return self._ready is not None and self._same_boot(self._ready)

    def _same_boot(self, ready: a.LauncherReady) -> bool:
        """Whether the host has certainly not rebooted since our first request can have arrived."""
        if ready.boot == "-":
            # Nothing tells one boot from the next; but no channel outlives one.
            return self._boot == "" or ready is self._sent_to
        return self._boot in ("", ready.boot)

    @property
    def _known(self) -> bool:
        """Whether we know that the attempt began."""
        return self._process is not None or self.order.was_taken

    def _going_on(self, state: a.AttemptState) -> None:
        grown = (state.out.size, state.err.size) != self._seen
        self._seen = (state.out.size, state.err.size)
        if grown:
            self._streams.bring(state.out, state.err, lambda: None)
        self._look_after = BUSY_LOOK if grown else min(self._look_after * 2, LONGEST_LOOK)
        self._look_later(self._look_after)
        if self._ending is not None or self._overdue() > 0:
            self._late()

    def _doubtful(self, word: str) -> None:
        """The host is writing the rest at this moment, or it never will."""
        if self._doubt is None:
            self._doubt = self.lane.clock()
        if word != "gone" and self.lane.clock() < self._doubt + DOUBT:
            self._look_later(SOON)
        elif word == "torn":
            self._finish(
                OutcomeUnknown(
                    f"{self.lane.place} decided about it and did not note how; its disk may have "
                    "been full"
                )
            )
        else:
            self._finish(
                OutcomeUnknown(
                    f"its process on {self.lane.place} is gone without an exit code: killed from "
                    "outside, or out of memory"
                )
            )

    # --- its end --------------------------------------------------------------------------------

    def _ended(self, code: int, mark: str, out: a.KeptOutput, err: a.KeptOutput) -> None:
        if self._last:
            return
        if mark != self.order.mark:
            # Another controller began it, by a copy of the journal, or somebody else wrote this.
            why = "the exit code that is kept there does not carry the mark of this attempt"
            self._finish(OutcomeUnknown(f"{self.lane.place} cannot tell how it ended: {why}"))
            return
        self._last = True
        self._streams.bring(out, err, partial(self._all_came, code))

    def _all_came(self, code: int) -> None:
        if self._over or self._killing:
            return
        if self.order.reboots and code == 0:
            # The host goes down soon; we look again when it is back.
            self._last = False
            self._look_later(SOON)
            return
        place = self.lane.place
        if not self._streams.begun and code > 128:
            # The process that changes the user was killed; its shell may still begin.
            self._finish(
                OutcomeUnknown(f"{place} cannot tell whether it began: it was killed there")
            )
            return
        if not self._streams.begun and (self._streams.gone or not self._on_same_boot):
            self._finish(OutcomeUnknown(f"{place} has lost what it printed, and whether it began"))
            return
        if not self._streams.begun:
            become = self.script.execution.become
            self._finish(not_begun(place, self._streams, self.output, code, become))
            return
        note = f"output beyond {KEPT_ON_HOST} bytes was not kept" if self._streams.beyond else ""
        if self._full:
            note = f"no space left on {self.lane.place}:{self._folder}"
        killed = _signal(code - 128) if 128 < code < 160 else ""
        self._finish(Ended(code, killed, note))

    def _finish(self, outcome: Outcome) -> None:
        if self._over:
            return
        self._over = True
        for alarm in (self._looking, self._due, self._patience):
            if alarm is not None:
                alarm.cancel()
        good = isinstance(outcome, Ended) and outcome.good and self._last
        if not good:
            self._checks.drop()
        self._checks.watch()
        self.teller.done(outcome, self._checks.coming)
        self._leave()

    def _checked(self, index: int, reply: CapturedOutput | None, code: int) -> None:
        self.teller.checked(index, reply, code)
        self._leave()

    def _leave(self) -> None:
        """Report the end, once all output and answers are here."""
        if self._over and not self._checks.coming:
            self.lane.unfollow(self)
            if self._forgotten:
                self.lane.forget(self.name)

    # --- ending it ------------------------------------------------------------------------------

    def _limit(self) -> float | None:
        """Its time limit in seconds."""
        if self.script.timeout is not None:
            return float(self.script.timeout)
        return REBOOT_WITHIN if self.order.reboots else None

    def _left(self) -> float:
        """Seconds until its time limit."""
        return max(0.0, -self._overdue())

    def _overdue(self) -> float:
        """Seconds since its time limit passed; negative before."""
        limit = self._limit()
        if limit is None or self._began_at is None:
            return -math.inf
        return self.lane.clock() - self._began_at - limit

    def _late(self) -> None:
        if self._over or self._last:
            return
        if self.order.reboots and self._ending is None:
            late = Duration(self._limit() or REBOOT_WITHIN)
            note = f"{self.lane.place} did not reboot within {late}"
            self._finish(Ended(None, note=note))
            return
        self._ending = self._ending or Ending.BY_TIME
        if self._ready is None:
            self._hurry()
        else:
            self._end()

    def _end(self) -> None:
        """Ask the host to end all processes of the attempt."""
        if self._killing:
            return
        if self._process is None:
            self._refusal = ""
            self._settle_refusal()
            return
        self._killing = True
        become = self.script.execution.become
        end(self.lane, self._process, become, self._killed)

    def _killed(self, gone: bool) -> None:
        if self._over or not self._killing:
            return
        if not gone:
            self._finish(self._stopped(gone=False))
            return
        # First fetch what it printed until then.
        self._stop, self._last = self._stopped(gone=True), False
        self._look()

    def _stopped(self, *, gone: bool) -> Outcome:
        proof = "its whole session was ended" if gone else "its processes could not be proved dead"
        if self._ending is Ending.BY_REQUEST:
            return Stopped(gone=gone, note=f"ended on request on {self.lane.place}; {proof}")
        longer = f"longer than {self.script.timeout} on {self.lane.place}"
        return TimedOut(gone=gone, note=f"{longer}; {proof}")

    def _give_up(self, why: str = "it does not answer") -> None:
        """We tried to reconnect for as long as that makes sense."""
        if self._over or self._ready is not None:
            return
        if self._ending is Ending.BY_REQUEST:
            self._finish(Stopped(gone=False, note=f"it could not be ended: {why}"))
        elif self._overdue() > 0 and not self.order.reboots:
            note = f"out of time, and it could not be ended: {why}"
            self._finish(TimedOut(gone=False, note=note))
        else:
            place = self.lane.place
            self._finish(
                OutcomeUnknown(f"contact with {place} was lost and not found again: {why}")
            )


def _back(place: str) -> Outcome:
    """Judge a reboot that is the step itself (fault F58)."""
    return Ended(0, note=f"{place} is back with a new boot id")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return ""

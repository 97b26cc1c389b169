"""One attempt on one host: asked for once, followed, picked up again after any loss.

The protocol and its proof are in docs/explanation/attempts.md.

Rules:
- Asking again is harmless: the host decides once about a name.
- *Never started* is said only where it is proved: nothing was ever sent; or the host refused the
  one request there is; or a withdrawal won, on the boot on which it can first have been asked for.
- Losing contact ends nothing. What is not known stays so: `OutcomeUnknown`, never a failure.
- Only a written time limit, or a person, ends a command: its whole session, proved gone, or said
  that it could not. The limit counts from the moment at which the command began on the host.
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
    """Why a job is to be ended."""

    BY_TIME = auto()
    BY_REQUEST = auto()


class Teller(Protocol):
    """What a job tells of itself; on the lane's thread."""

    def news(self, progress: AttemptProgress) -> None:
        """It goes on."""
        ...

    def checked(self, index: int, reply: CapturedOutput | None, code: int) -> None:
        """The answer to one of its checks; None: it will not come."""
        ...

    def done(self, outcome: Outcome, checks: Sequence[int]) -> None:
        """It is over, as far as can be told; answers to `checks` are still to come."""
        ...


@dataclasses.dataclass(slots=True, eq=False)
class Job:
    """One attempt. A `Follower`. Raises BadScript where it, or a check, cannot be sent."""

    lane: Lane
    order: AttemptOrder
    script: Script
    output: Output
    teller: Teller
    #: What is asked right behind it.
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
    #: Why the host did not begin it.
    _refusal: str = ""
    #: The host may have forgotten that it was asked for this: its folder was new.
    _forgot: bool = False
    _ending: Ending | None = None
    _killing: bool = False
    #: What it ends with once its last words are here, when it was ended.
    _stop: Outcome | None = None
    #: Since when nothing was heard of it, though a host was sought; and when that is given up.
    _sought_since: float | None = None
    _patience: Alarm | None = None
    #: When its time is over.
    _due: Alarm | None = None
    #: Since when it cannot be told what became of it.
    _doubt: float | None = None
    _look_after: float = FIRST_LOOK
    _looking: Alarm | None = None
    #: Sizes of its outputs when it was looked at last.
    _seen: tuple[int, int] = (0, 0)
    #: The host had no room to note its end.
    _full: bool = False
    #: It has ended, and its last words are on their way.
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

    # --- what is wanted of it; on the lane's thread ---------------------------------------------

    def begin(self) -> None:
        """Begin it, or pick it up."""
        if self.order.ending:
            self._ending = Ending.BY_REQUEST
        if self.order.was_taken:
            self._began_at = self.lane.clock() - self.order.age
        self.lane.follow(self)

    def end(self) -> None:
        """End all its processes."""
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
        """Follow it no longer; what it began goes on."""
        self._finish(OutcomeUnknown(f"detached from {self.lane.place}; the command goes on there"))

    def forget(self) -> None:
        """Its outcome is durable: the host may forget what it printed."""
        self._forgotten = True
        self._leave()

    # --- the lane tells -------------------------------------------------------------------------

    def opened(self, ready: a.LauncherReady) -> None:
        """A launcher answers: begin, or find out what became of it."""
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
        """It goes on without us; contact is sought for as long as that makes sense."""
        if self._over:
            self._checks.give_up()
            return
        self._ready, self._killing, self._last = None, False, False
        self._streams.again()
        # Their answers may have gone with the channel.
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
            # Nothing of it was ever sent.
            self._finish(outcome)
        elif self._patience is None or self._patience.act is None:
            self._seek(outcome.why)

    def _seek(self, why: str) -> None:
        """Contact is sought, for as long as that makes sense.

        A launcher that answers and dies before it says anything of this is no contact, however
        often that happens.
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
        """It is to be ended: contact is sought anew, and not for long."""
        self._sought_since = None
        self._seek("it does not answer")

    def _found(self) -> None:
        """Something was heard of it."""
        self._sought_since = None
        if self._patience is not None:
            self._patience.cancel()

    def silent(self, seconds: float, why: str) -> None:
        """Nothing is heard of its host."""
        self.teller.news(AttemptProgress(silent=seconds, note=why))

    def regained(self, seconds: float) -> None:
        """Its host answers again."""
        self.teller.news(AttemptProgress(found_after=seconds, route=self._route))

    def broken(self, why: str) -> None:
        """Nobody here will learn what became of it."""
        if self._over:
            self._checks.give_up()
        self._finish(OutcomeUnknown(why))

    def heard(self, answer: a.LauncherAnswer) -> None:
        """The host says something of it."""
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
        """Ask for it; asking again changes nothing."""
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
            # The launcher that read half of it is gone; the next is asked to withdraw.
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
            # It won the decision, and says itself that it did nothing.
            self._finish(NeverStarted(self._refusal))
        else:
            self._settle_refusal()

    def _settle_refusal(self) -> None:
        """Make sure that nobody else begins it either."""
        self.lane.send(f"withdraw {self.name}\n".encode())

    def _withdrawn(self, word: str) -> None:
        if word == "lost":
            self._look()
        elif self._known:
            place = self.lane.place
            self._finish(
                OutcomeUnknown(f"{place} has lost what it knew of this, while it was going on")
            )
        elif word == "won" and self._on_same_boot and not self._forgot:
            self._finish(self._nothing())
        elif self._sent <= 1 and not self.order.again and self._refusal:
            # The only request there ever was has been refused by the only one who read it.
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
            # A line may be lost; looking goes on until something is known.
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
        """The host knows nothing of it: it was not begun yet, or the host forgot."""
        ready = self._ready
        if ready is None:
            return
        rebooted = not self._same_boot(ready)
        if self._known or rebooted or self._forgot:
            if self.order.reboots and self._known:
                self._finish(_back(self.lane.place))
                return
            why = "may have been booted anew" if rebooted else "has lost the run's folder"
            self._finish(OutcomeUnknown(f"{self.lane.place} {why}, with what it knew of this"))
        elif self._ending is not None:
            self._settle_refusal()
        else:
            self._start(ready)

    @property
    def _on_same_boot(self) -> bool:
        return self._ready is not None and self._same_boot(self._ready)

    def _same_boot(self, ready: a.LauncherReady) -> bool:
        """Whether the host cannot have been booted since it can have been asked for this."""
        if ready.boot == "-":
            # Nothing tells one boot from the next; but no channel outlives one.
            return self._boot == "" or ready is self._sent_to
        return self._boot in ("", ready.boot)

    @property
    def _known(self) -> bool:
        """Whether it is known to have begun."""
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
        """Something is being written at this moment, or never will be."""
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
            # Somebody else wrote it, or another controller by a copy of the journal began it.
            why = "the exit code that is kept there does not carry the mark of this attempt"
            self._finish(OutcomeUnknown(f"{self.lane.place} cannot tell how it ended: {why}"))
            return
        self._last = True
        self._streams.bring(out, err, partial(self._all_came, code))

    def _all_came(self, code: int) -> None:
        if self._over or self._killing:
            return
        if self.order.reboots and code == 0:
            # It goes down soon, and is looked at when it is back.
            self._last = False
            self._look_later(SOON)
            return
        place = self.lane.place
        if not self._streams.begun and code > 128:
            # Whoever was to become another user was killed; its shell may begin later.
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
        """Nothing is heard of it any more, once all that was to come has come."""
        if self._over and not self._checks.coming:
            self.lane.unfollow(self)
            if self._forgotten:
                self.lane.forget(self.name)

    # --- ending it ------------------------------------------------------------------------------

    def _limit(self) -> float | None:
        """Seconds that it may take."""
        if self.script.timeout is not None:
            return float(self.script.timeout)
        return REBOOT_WITHIN if self.order.reboots else None

    def _left(self) -> float:
        """Seconds until its limit."""
        return max(0.0, -self._overdue())

    def _overdue(self) -> float:
        """Seconds for which it is over its time; negative before."""
        limit = self._limit()
        if limit is None or self._began_at is None:
            return -math.inf
        return self.lane.clock() - self._began_at - limit

    def _late(self) -> None:
        if self._over or self._last:
            return
        if self.order.reboots and self._ending is None:
            late = Duration(self._limit() or REBOOT_WITHIN)
            note = f"{self.lane.place} was not booted anew within {late}"
            self._finish(Ended(None, note=note))
            return
        self._ending = self._ending or Ending.BY_TIME
        if self._ready is None:
            self._hurry()
        else:
            self._end()

    def _end(self) -> None:
        """End all processes of it, by asking the host itself."""
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
        # What it printed until then is fetched first.
        self._stop, self._last = self._stopped(gone=True), False
        self._look()

    def _stopped(self, *, gone: bool) -> Outcome:
        proof = "its whole session was ended" if gone else "its processes could not be proved dead"
        if self._ending is Ending.BY_REQUEST:
            return Stopped(gone=gone, note=f"ended on request on {self.lane.place}; {proof}")
        longer = f"longer than {self.script.timeout} on {self.lane.place}"
        return TimedOut(gone=gone, note=f"{longer}; {proof}")

    def _give_up(self, why: str = "it does not answer") -> None:
        """Contact was sought for as long as that makes sense."""
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
    """For a reboot that is the step (fault F58)."""
    return Ended(0, note=f"{place} is back with a new boot id")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return ""

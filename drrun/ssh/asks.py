"""Asks a host a question: a short command that changes nothing, sent over the host's lane.

Rules:
- After a loss of contact the question is sent again, under another name. Its deadline stays the
  same. The answer stays in memory until it is complete.
- The caller gets exactly one answer.
"""

from collections.abc import Callable
from functools import partial

from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown, TimedOut
from drrun.engine.captured import CapturedOutput
from drrun.ports.places import Output, Script
from drrun.ssh.bulk import FetchRequest
from drrun.ssh.ending import kill_script
from drrun.ssh.following import Alarm, Unreached
from drrun.ssh.lane import KEPT_ON_HOST, Lane
from drrun.ssh.launcher_answers import (
    CommandBegun,
    InputStored,
    KeptOutput,
    LauncherAnswer,
    LauncherReady,
    QuestionEnded,
    StartRefused,
)
from drrun.ssh.launcher_requests import Work, mark_of, work_of
from drrun.ssh.wire import Beginning

#: Bytes that one request asks for.
WINDOW = 1 << 20


class Streams:
    """Fetches both outputs of one command, in order."""

    def __init__(self, lane: Lane, name: str, output: Output, *, marked: bool) -> None:
        self._lane = lane
        self._name = name
        self._output = output
        #: For each output: how far we wrote it, and how far we asked for it.
        self._at = {"o": 0, "e": 0}
        self._asked = {"o": 0, "e": 0}
        self._coming = 0
        self._then: list[Callable[[], None]] = []
        self._mark = Beginning(mark_of(name)) if marked else None
        #: The command printed more than the host keeps.
        self.beyond = False
        #: The host lost the output that it kept.
        self.gone = False

    @property
    def begun(self) -> bool:
        """Whether the script began, according to the mark."""
        return self._mark is None or self._mark.said is not None

    @property
    def chatter(self) -> bytes:
        """What the command printed instead of the mark."""
        return self._mark.chatter if self._mark else b""

    def bring(self, out: KeptOutput, err: KeptOutput, then: Callable[[], None]) -> None:
        """Fetch all that the host keeps now, then call `then`; a loss of contact calls nothing."""
        self._then.append(then)
        for stream, kept in (("o", out), ("e", err)):
            self._take(stream, kept)
        self._all_came()

    def again(self) -> None:
        """Contact was lost: the answer to our request will not come."""
        self._asked, self._coming, self._then = dict(self._at), 0, []

    def _take(self, stream: str, kept: KeptOutput) -> None:
        self.beyond = self.beyond or kept.size > KEPT_ON_HOST
        self.gone = self.gone or kept.gone
        if kept.data is not None and self._asked[stream] == self._at[stream]:
            self._write(stream, kept.data[self._at[stream] :])
            self._asked[stream] = self._at[stream]
            return
        size = min(kept.size, KEPT_ON_HOST)
        while (offset := self._asked[stream]) < size:
            # Ask up to the next whole window: the host reads whole windows fastest.
            length = min(WINDOW - offset % WINDOW, size - offset)
            self._asked[stream] = offset + length
            self._coming += 1
            into = partial(self._write, stream)
            self._lane.fetch(FetchRequest(self._name, stream, offset, length, into, self._came))

    def _came(self) -> None:
        self._coming -= 1
        self._all_came()

    def _all_came(self) -> None:
        if self._coming == 0:
            waiting, self._then = self._then, []
            for then in waiting:
                then()

    def _write(self, stream: str, data: bytes) -> None:
        self._at[stream] += len(data)
        if stream == "o" and self._mark is not None:
            data = self._mark.feed(data)
        if data:
            self._output.write("stdout" if stream == "o" else "stderr", data)


class HostQuestion:
    """One question. A `Follower`."""

    def __init__(
        self, lane: Lane, script: Script, output: Output, done: Callable[[Outcome], None]
    ) -> None:
        """Prepare the question; nothing is sent yet.

        Raises:
            BadScript: The script cannot be sent.
        """
        self.names: tuple[str, ...] = ()
        self._lane = lane
        self._script = script
        self._work: Work = work_of(script)
        self._output = output
        self._reply = CapturedOutput()
        self._streams: Streams | None = None
        self._done = done
        self._process: CommandBegun | None = None
        self._asked = False
        self._over = False
        self._due: Alarm | None = None

    def begin(self) -> None:
        """Ask; on the lane's thread."""
        if self._script.timeout is not None:
            self._due = self._lane.at(float(self._script.timeout), self._late)
        self._lane.follow(self)

    def let_go(self) -> None:
        """Drop the question: nobody wants its answer. Called on the lane's thread."""
        self._finish(OutcomeUnknown(f"detached from {self._lane.place}"))

    def opened(self, ready: LauncherReady) -> None:
        """Ask, also after a loss of contact."""
        del ready
        if self._over:
            return
        self._forget()
        self._asked = True
        name = self._lane.fresh_name()
        self._lane.rename(self, name)
        self._reply, self._process = CapturedOutput(), None
        self._streams = Streams(self._lane, name, self._reply, marked=self._work.marked)
        if self._work.ahead is None:
            self._lane.send(self._work.ask(name))
        else:
            self._lane.store(name, self._work.ahead, partial(self._stored, name))

    def _stored(self, name: str, stored: InputStored) -> None:
        if stored.whole:
            self._lane.send(self._work.ask(name))
        else:
            self._finish(NeverStarted(self._lane.refusal(stored.why)))

    def lost(self, why: str) -> None:
        """A new launcher will make us ask again."""

    def unreached(self, outcome: Unreached) -> None:
        """Answer that the host cannot be reached."""
        self._finish(OutcomeUnknown(outcome.why) if self._asked else outcome)

    def silent(self, seconds: float, why: str) -> None:
        """Do nothing: the deadline decides."""

    def regained(self, seconds: float) -> None:
        """Do nothing: the question is sent again anyway."""

    def broken(self, why: str) -> None:
        """Answer that no answer will come."""
        self._finish(OutcomeUnknown(why))

    def heard(self, answer: LauncherAnswer) -> None:
        """Take the news that the command began, or ended."""
        match answer:
            case CommandBegun():
                self._process = answer
            case StartRefused(why=why):
                self._finish(NeverStarted(self._lane.refusal(why)))
            case QuestionEnded(code=code, out=out, err=err) if self._streams is not None:
                self._streams.bring(out, err, partial(self._answered, self._streams, code))
            case _:
                pass

    def _answered(self, streams: Streams, code: int) -> None:
        if self._process is None:
            why = f"{self._lane.place} could not execute it, exit {code}"
            self._finish(NeverStarted(why))
            return
        if not streams.begun:
            self._finish(not_begun(self._lane.place, streams, self._reply, code))
            return
        for stream, data in self._reply.streams.items():
            if data:
                self._output.write(stream, bytes(data))
        self._finish(Ended(code))

    def _late(self) -> None:
        if self._over:
            return
        if self._process is not None:
            end(self._lane, self._process, self._script.execution.become)
        note = f"longer than {self._script.timeout} on {self._lane.place}"
        self._finish(TimedOut(gone=False, note=note))

    def _finish(self, outcome: Outcome) -> None:
        if self._over:
            return
        self._over = True
        if self._due is not None:
            self._due.cancel()
        self._lane.unfollow(self)
        self._forget()
        self._done(outcome)

    def _forget(self) -> None:
        for name in self.names:
            self._lane.forget(name)


def not_begun(
    place: str, streams: Streams, output: Output, code: int, become: str | None = None
) -> NeverStarted:
    """The mark did not come: the command could not become its user, or start its shell."""
    said = " ".join((streams.chatter.decode("utf-8", "replace") + output.text("stderr")).split())
    shown = "".join(each if each.isprintable() else "?" for each in said[-300:])
    what = f"did not let the user become {become}" if become else "did not execute the command"
    return NeverStarted(f"{place} {what}, exit {code}: {shown or 'it said nothing'}", final=True)


def end(
    lane: Lane,
    process: CommandBegun,
    become: str | None,
    then: Callable[[bool], None] | None = None,
) -> None:
    """End everything in a command's session, as the user who owns the processes.

    Args:
        lane: The way to its host; called on its thread.
        process: The command's own process.
        become: As whom the command runs.
        then: Called with True if everything is proved gone.
    """
    if not process.leads:
        if then is not None:
            then(False)  # noqa: FBT003 - what is awaited
        return
    told = CapturedOutput()
    script = kill_script(process.pid, process.start, become)

    def ended(_: Outcome) -> None:
        if then is not None:
            then(told.text("stdout").strip() == "gone")

    HostQuestion(lane, script, told, ended).begin()

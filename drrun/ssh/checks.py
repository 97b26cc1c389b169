"""Checks that travel with an attempt: the host answers them right after its exit 0.

Rules:
- The host executes them one after the other. The time of each begins with the answer before it.
- If an answer does not come, the controller asks that question again. So nothing is lost here,
  and nothing waits for ever.
"""

from collections.abc import Callable
from functools import partial

from drrun.engine.captured import CapturedOutput
from drrun.ports.places import Script
from drrun.ssh.asks import Streams, end
from drrun.ssh.following import Alarm
from drrun.ssh.lane import Lane
from drrun.ssh.launcher_answers import CommandBegun, QuestionEnded, StartRefused
from drrun.ssh.launcher_requests import work_of

#: Position, what it printed (None: it will not come), exit code.
Tell = Callable[[int, CapturedOutput | None, int], None]
#: Seconds for one that has no limit of its own.
_LIMIT = 60.0


class Checks:
    """The checks of one attempt. Used on its lane's thread."""

    def __init__(self, lane: Lane, attempt: str, scripts: tuple[Script, ...], tell: Tell) -> None:
        """Ask nothing yet.

        Raises:
            BadScript: One of them cannot be sent.
        """
        self._lane = lane
        self._scripts = scripts
        self._works = tuple(work_of(each) for each in scripts)
        self._tell = tell
        #: The names that the host uses for them.
        self.names = tuple(f"{attempt},{index}" for index in range(len(scripts)))
        #: Index of the first check without an answer.
        self._next = 0
        self._process: CommandBegun | None = None
        self._limit: Alarm | None = None

    @property
    def requests(self) -> bytes:
        """The requests that precede the one that starts the attempt."""
        return b"".join(each.check() for each in self._works)

    @property
    def coming(self) -> range:
        """Indexes of the checks whose answers are still to come."""
        return range(self._next, len(self._scripts))

    def watch(self) -> None:
        """Limit the time of the next answer, now that the attempt has ended well."""
        self._process = None
        if self._limit is not None:
            self._limit.cancel()
        if self.coming:
            seconds = float(self._scripts[self._next].timeout or _LIMIT)
            self._limit = self._lane.at(seconds, partial(self._late, self._next))

    def heard(self, answer: QuestionEnded | CommandBegun | StartRefused) -> None:
        """Take what the host says about one of them."""
        index = self._next
        if not self.coming or answer.name != self.names[index]:
            return
        match answer:
            case CommandBegun():
                self._process = answer
            case StartRefused():
                self.give_up()
            case QuestionEnded() if self._process is None:
                # The process that should execute it failed before that.
                self.give_up()
            case QuestionEnded(name=name, code=code, out=out, err=err):
                reply = CapturedOutput()
                streams = Streams(self._lane, name, reply, marked=self._works[index].marked)
                streams.bring(out, err, partial(self._answered, index, streams, reply, code))

    def give_up(self) -> None:
        """No more answers come."""
        coming, self._next = self.coming, len(self._scripts)
        if self._limit is not None:
            self._limit.cancel()
        for index in coming:
            self._tell(index, None, 0)

    def drop(self) -> None:
        """Nobody wants the answers any more."""
        self._next = len(self._scripts)

    def _answered(self, index: int, streams: Streams, reply: CapturedOutput, code: int) -> None:
        if index != self._next:
            return
        self._next += 1
        if self._limit is not None:
            self.watch()
        self._tell(index, reply if streams.begun else None, code)

    def _late(self, index: int) -> None:
        if index == self._next:
            if self._process is not None:
                end(self._lane, self._process, self._scripts[index].execution.become)
            self.give_up()

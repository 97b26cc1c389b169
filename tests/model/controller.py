"""The controller's side of the model: the real `Job`, seen as an automaton.

Rules:
- Nothing of the protocol is copied here. A state is what a real job came to through a list of
  things that it was told; it is rebuilt by telling a new one the same again.
- Two jobs with the same key behave alike from now on: the key holds all that a job decides by.
- Time is whatever the model says: an alarm may ring at any moment. The clock moves only where a
  job decides by it: while it doubts, and at its time limit.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from drrun.core.integrity.chain import Head
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.outcomes import (
    Ended,
    NeverStarted,
    Outcome,
    OutcomeUnknown,
    RefusedByHost,
    Stopped,
    TimedOut,
)
from drrun.core.model.runbook import Execution
from drrun.core.model.values import Duration
from drrun.engine.captured import CapturedOutput
from drrun.ports.places import AttemptOrder, AttemptProgress, Script
from drrun.ssh import jobs
from drrun.ssh.asks import HostQuestion
from drrun.ssh.bulk import FetchRequest
from drrun.ssh.following import Alarm, Follower, Unreached
from drrun.ssh.jobs import Job
from drrun.ssh.launcher_answers import InputStored, LauncherAnswer, LauncherReady

#: A job's name, as the model writes it; every attempt has files of its own, so one is enough.
NAME = "step@host.1"
#: Seconds that it may take, where there is a limit: longer than all doubts.
LIMIT = 10**6


class Start(NamedTuple):
    """How a controller comes to an attempt."""

    epoch: int = 1
    #: It is picked up: an earlier controller intended it.
    again: bool = False
    was_taken: bool = False
    #: For one that is picked up: the boot since which it can have been asked for.
    asked_on: str = ""
    ending: bool = False
    reboots: bool = False
    timeout: bool = False
    #: Executed by another user.
    become: bool = False
    #: With input that is sent ahead.
    ahead: bool = False


#: Something that a job is told: a word and what belongs to it.
Input = tuple[Any, ...]


class Told(NamedTuple):
    """What a job did when it was told something."""

    key: "JobKey"
    #: Words of the requests that it sent.
    sent: tuple[str, ...]
    #: It said that the attempt began.
    begun: bool


class Verdict(NamedTuple):
    """What a job said at last, as a value that can be compared."""

    word: str
    why: str = ""
    code: int | None = None
    #: All of it is proved dead.
    gone: bool = False

    @classmethod
    def of(cls, outcome: Outcome) -> "Verdict":
        """The same in few words."""
        word = type(outcome).__name__
        match outcome:
            case Ended(exit=code, note=note):
                return cls(word, note, code)
            case TimedOut(gone=gone, note=note) | Stopped(gone=gone, note=note):
                return cls(word, note, gone=gone)
            case NeverStarted(why=why) | RefusedByHost(why=why) | OutcomeUnknown(why=why):
                return cls(word, why)

    @property
    def never(self) -> bool:
        """Whether it says that nothing happened."""
        before = self.word == "Stopped" and self.why == "it was never begun"
        return before or self.word in ("NeverStarted", "RefusedByHost")

    @property
    def final(self) -> bool:
        """Whether it says that nothing happens any more."""
        return self.never or self.gone or self.word == "Ended"


class JobKey(NamedTuple):
    """What a job decides by, and what it was told to come there."""

    start: Start
    facts: tuple[Any, ...]
    #: Alarms that may ring.
    alarms: tuple[str, ...]
    verdict: Verdict | None


class _Lane:
    """Stands for a `Lane`: hands over what the model says, and notes what a job sends."""

    place = "host"
    wire = None
    end = Head(1, "h1")

    def __init__(self) -> None:
        self.ready: LauncherReady | None = None
        self.sent: list[str] = []
        self.alarms: list[Alarm] = []
        self.following: list[Follower] = []
        self.storing: Callable[[InputStored], None] | None = None
        self.asked = 0
        self.now = 1000.0
        self.overdue = False

    def clock(self) -> float:
        return self.now

    def follow(self, follower: Follower) -> None:
        self.following.append(follower)
        if self.ready is not None:
            follower.opened(self.ready)

    def rename(self, follower: Follower, *names: str) -> None:
        follower.names = names

    def unfollow(self, follower: Follower) -> None:
        if follower in self.following:
            self.following.remove(follower)

    def send(self, data: bytes) -> None:
        if self.ready is not None:
            verb, name, *_ = data.decode().split()
            self.sent.append(f"{verb} {name}" if verb == "ask" else verb)

    def store(self, name: str, data: bytes, then: Callable[[InputStored], None]) -> None:
        if self.ready is not None:
            self.storing = then
            self.sent.append("put")

    def refusal(self, why: str) -> str:
        return why

    def fetch(self, wanted: FetchRequest) -> None:
        raise AssertionError("outputs of the model are short")

    def fresh_name(self) -> str:
        # Four are enough: answers of an earlier channel never come on a later one.
        self.asked = (self.asked + 1) % 4
        return f"q{self.asked}"

    def forget(self, name: str) -> None:
        pass

    def at(self, seconds: float, act: Callable[[], None]) -> Alarm:
        self.alarms.append(Alarm(act))
        return self.alarms[-1]

    def pending(self) -> list[Alarm]:
        return [each for each in self.alarms if each.act is not None]

    def tell(self, told: Input) -> None:
        word, *rest = told
        getattr(self, f"_{word}")(*rest)

    def _opened(self, ready: LauncherReady) -> None:
        self.ready = ready
        for each in list(self.following):
            each.opened(ready)

    def _lost(self) -> None:
        self.ready, self.storing = None, None
        for each in list(self.following):
            each.lost("cut")

    def _unreached(self, outcome: Unreached) -> None:
        for each in list(self.following):
            each.unreached(outcome)

    def _heard(self, name: str, answer: LauncherAnswer) -> None:
        for each in list(self.following):
            if name in each.names:
                each.heard(answer)

    def _stored(self, stored: InputStored) -> None:
        then, self.storing = self.storing, None
        if then is not None:
            then(stored)

    def _alarm(self, name: str) -> None:
        alarm = next(each for each in self.pending() if _called(each) == name)
        self.alarms.remove(alarm)
        assert alarm.act is not None
        alarm.act()


def _called(alarm: Alarm) -> str:
    act: Any = alarm.act
    if isinstance(act, partial):
        act = act.func
    return str(act.__qualname__)


class _Teller:
    def __init__(self) -> None:
        self.begun = False
        self.outcome: Outcome | None = None

    def news(self, progress: AttemptProgress) -> None:
        self.begun = True

    def checked(self, index: int, reply: CapturedOutput | None, code: int) -> None:
        raise AssertionError("the model has no checks")

    def done(self, outcome: Outcome, checks: object) -> None:
        self.outcome = outcome


class _Nowhere:
    """An `Output`."""

    def write(self, stream: str, data: bytes) -> None:
        pass

    def text(self, stream: str) -> str:
        return ""

    def close(self) -> Mapping[str, Any]:
        return {}


class Controllers:
    """All jobs that a kind of job can come to, found as they are needed."""

    def __init__(self, kind: type[Job] = Job) -> None:
        self._kind = kind
        self._paths: dict[JobKey, tuple[Input, ...]] = {}
        self._known: dict[tuple[JobKey, Input], Told] = {}

    def begin(self, start: Start) -> JobKey:
        """A job that was begun, with nobody reached yet."""
        key = self._key(start, *self._rebuilt(start, ()))
        self._paths.setdefault(key, ())
        return key

    def tell(self, key: JobKey, told: Input) -> Told:
        """What a job does when it is told something."""
        found = self._known.get((key, told))
        if found is None:
            path = (*self._paths[key], told)
            job, lane, teller = self._rebuilt(key.start, path)
            after = self._key(key.start, job, lane, teller)
            self._paths.setdefault(after, path)
            found = Told(after, tuple(lane.sent), teller.begun)
            self._known[key, told] = found
        return found

    def _rebuilt(self, start: Start, path: tuple[Input, ...]) -> tuple[Job, _Lane, _Teller]:
        lane, teller = _Lane(), _Teller()
        order = AttemptOrder(
            run=RunId("run"),
            step=StepId("step"),
            target=TargetName("host"),
            attempt=1,
            epoch=start.epoch,
            host=None,
            action="run",
            arguments={},
            folder=Path(),
            was_taken=start.was_taken,
            asked_on=start.asked_on,
            ending=start.ending,
            reboots=start.reboots,
            again=start.again,
        )
        execution = Execution(
            become="root" if start.become else None, stdin="input" if start.ahead else None
        )
        script = Script("true", execution, timeout=Duration(LIMIT) if start.timeout else None)
        anything: Any = lane
        with patch.object(jobs, "DOUBT", 2 * jobs.SOON):
            job = self._kind(anything, order, script, _Nowhere(), teller)
            job.begin()
            for told in path:
                lane.sent, teller.begun = [], False
                if told == ("end",):
                    job.end()
                    continue
                if told == ("alarm", "Job._look_now") and job._doubt is not None:
                    lane.now += jobs.SOON
                elif told == ("alarm", "Job._late"):
                    lane.now += LIMIT
                lane.tell(told)
            # What remains of the time is a fact that it decides by.
            lane.overdue = job._overdue() > 0
        return job, lane, teller

    @staticmethod
    def _key(start: Start, job: Job, lane: _Lane, teller: _Teller) -> JobKey:
        if teller.outcome is not None:
            return JobKey(start, (), (), Verdict.of(teller.outcome))
        streams = job._streams
        facts = (
            job._boot,
            # Whether it was asked for never, once or more often is all that it looks at.
            min(job._sent, 2),
            job._ready,
            job._sent_to is not None and job._sent_to is job._ready,
            job._process,
            bool(job._refusal),
            job._forgot,
            job._ending,
            job._killing,
            job._stop is None,
            None if job._doubt is None else lane.now - job._doubt,
            lane.overdue,
            job._full,
            job._last,
            tuple(streams._at.values()),
            tuple(streams._asked.values()),
            streams._coming,
            len(streams._then),
            streams.begun,
            streams.gone,
            lane.storing is not None,
            lane.asked,
            tuple(
                (each.names, each._asked, each._process)
                for each in lane.following
                if isinstance(each, HostQuestion)
            ),
        )
        alarms = {_called(each) for each in lane.pending()}
        return JobKey(start, facts, tuple(sorted(alarms)), None)

"""Hands that really act: on hosts over SSH, and on the controller.

Rules:
- Commands need no thread of their own. Built-in actions block, so each gets a thread.
- Each attempt has one job, named after it. An action that needs a command runs exactly one.
- If an attempt is let go or ended before its command was sent, the command is not sent.
- `_followed` drops an attempt when it was forgotten or its outcome is not known: nobody will ask
  about it.
- No exception escapes. A fault in an action becomes `OutcomeUnknown`, because nobody knows how far
  the action came.
- Importing this module imports Fabric. Code that only shows runs must not import it.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import (
    Ended,
    NeverStarted,
    Outcome,
    OutcomeUnknown,
    Stopped,
    is_known,
)
from drrun.engine.cancel import AnyCancel
from drrun.engine.captured import CapturedOutput
from drrun.engine.pool import Pool
from drrun.hands.lanes import LanePlace, Lanes, awaited
from drrun.hands.local import LocalPlace
from drrun.ports.clock import Cancel
from drrun.ports.hands import AttemptListener, HostClaim
from drrun.ports.places import (
    ActionCall,
    AttemptOrder,
    AttemptProgress,
    BuiltInAction,
    Output,
    ProbeAnswer,
    Question,
    Remote,
    Script,
)
from drrun.ssh.connections import Connections
from drrun.ssh.following import Visit
from drrun.ssh.jobs import Job
from drrun.ssh.remote import SshRemote
from drrun.ssh.wire import BadScript

#: How many built-in actions are carried out at once.
_AT_ONCE = 256

#: Actions that count as begun when their command begins on the host; others at once.
_BY_COMMAND = frozenset({"copy", "template", "fetch", "script", "rsync"})

#: What the reply to a question means: question, outcome, standard output and error.
Judge = Callable[[Question, Outcome, str, str], ProbeAnswer]


@dataclass(frozen=True, slots=True)
class LivePlaces:
    """The controller, and hosts over SSH, without leaving anything there. A `Places`."""

    connections: Connections

    def place(self, host: Host | None) -> Remote:
        """Where to execute for `host`; None: on the controller."""
        return LocalPlace() if host is None else SshRemote(self.connections, host)


@dataclass(slots=True)
class _Followed:
    """An attempt that is followed here."""

    #: Kept alive, because `_followed` uses its `id()` as the key.
    order: AttemptOrder
    job: Job | None = None
    leave: threading.Event = field(default_factory=threading.Event)
    ends: threading.Event = field(default_factory=threading.Event)


class LiveHands:
    """Executes attempts as jobs. A `Hands`, and a `Places`."""

    def __init__(
        self, connections: Connections, actions: Mapping[str, BuiltInAction], judge: Judge
    ) -> None:
        """Connect to no host yet.

        Args:
            connections: To the hosts.
            actions: Named actions by name; `run` is built in here.
            judge: What the reply to a check means.
        """
        self._connections = connections
        self._actions = actions
        self._judge = judge
        self._lanes = Lanes(connections)
        self._pool = Pool(_AT_ONCE)
        self._lock = threading.Lock()
        self._followed: dict[int, _Followed] = {}
        self._left = threading.Event()

    def take_up(self, claim: HostClaim) -> None:
        """Act for a run from now on."""
        self._lanes = Lanes(self._connections, claim)

    def visit(self, places: Collection[Host | None]) -> Callable[[], bool]:
        """Connect to places once; see `Hands.visit`."""
        visits = [Visit(self._lanes.to(host)) for host in places]
        for each in visits:
            each.lane.post(each.begin)
        return lambda: all(each.over for each in visits)

    def place(self, host: Host | None) -> Remote:
        """Where to ask for `host`; None: the controller."""
        return LanePlace(self._lanes.to(host))

    def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
        """Carry out one attempt, or find out what became of it; see `Hands.begin`."""
        followed = _Followed(order)
        if order.ending:
            followed.ends.set()
        with self._lock:
            self._followed[id(order)] = followed
        if order.action == "run":
            self._run(order, output, report, followed)
        else:
            self._pool.run(lambda: self._act(order, output, report, followed))

    def let_go(self, order: AttemptOrder) -> None:
        """Follow an attempt no longer; what it began goes on."""
        followed = self._followed.get(id(order))
        if followed is not None:
            followed.leave.set()
            self._tell(followed, Job.let_go)

    def end(self, order: AttemptOrder) -> None:
        """End all processes of an attempt."""
        followed = self._followed.get(id(order))
        if followed is not None:
            followed.ends.set()
            self._tell(followed, Job.end)

    def forget(self, order: AttemptOrder) -> None:
        """Let the host forget what an attempt printed."""
        with self._lock:
            followed = self._followed.pop(id(order), None)
        if followed is not None:
            self._tell(followed, Job.forget)

    def leave(self) -> None:
        """Let go of all attempts; what they began goes on."""
        self._left.set()
        self._lanes.leave()

    def close(self) -> None:
        """Disconnect from all hosts; commands go on, and hosts remember the journal's head."""
        self._lanes.close()
        self._connections.close()

    def _tell(self, followed: _Followed, what: Callable[[Job], None]) -> None:
        job = followed.job
        if job is not None:
            job.lane.post(lambda: what(job))

    def _over(self, order: AttemptOrder, outcome: Outcome) -> None:
        """Drop an attempt with unknown outcome: `forget` is not called for it."""
        if not is_known(outcome):
            with self._lock:
                self._followed.pop(id(order), None)

    def _run(
        self, order: AttemptOrder, output: Output, report: AttemptListener, followed: _Followed
    ) -> None:
        script = Script(str(order.arguments["text"]), order.execution, timeout=order.timeout)
        teller = _Reported(order, report, self._judge, partial(self._over, order))
        try:
            self._follow(order, script, output, teller, followed)
        except BadScript as error:
            report.done(NeverStarted(str(error), final=True))

    def _follow(
        self,
        order: AttemptOrder,
        script: Script,
        output: Output,
        teller: "_Reported",
        followed: _Followed,
    ) -> None:
        checks = tuple(_script_of(each) for each in teller.checks.values())
        lane = self._lanes.to(order.host)
        job = Job(lane, order, script, output, teller, checks)

        def begin() -> None:
            if self._left.is_set() or followed.leave.is_set():
                job.let_go()
            elif followed.ends.is_set() and not order.again:
                job.end()
            else:
                job.begin()

        # Post `begin` before setting `job`: all other calls to the job come after it.
        lane.post(begin)
        followed.job = job

    def _act(
        self, order: AttemptOrder, output: Output, report: AttemptListener, followed: _Followed
    ) -> None:
        place = _JobPlace(self, order, followed)
        leave: Cancel = AnyCancel(self._left, followed.leave)
        cancel = AnyCancel(leave, followed.ends)
        if order.action not in _BY_COMMAND:
            report.news(AttemptProgress())
        outcome = act(self._actions, ActionCall(order, place, output, report.news, cancel))
        if followed.ends.is_set() and isinstance(outcome, OutcomeUnknown):
            outcome = Stopped(gone=False, note=f"to be ended; {outcome.why}")
        self._over(order, outcome)
        report.done(outcome)


@dataclass(slots=True)
class _JobPlace:
    """A place for the one command of one attempt of a built-in action. A `Remote`."""

    hands: LiveHands
    order: AttemptOrder
    followed: _Followed

    def run(
        self,
        script: Script,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute `script` as the attempt's job, or pick that job up."""
        del cancel  # covers both reasons; a job must know which
        hands, followed = self.hands, self.followed

        def begin(done: Callable[[Outcome], None]) -> Callable[[], None]:
            teller = _Awaited(tell, done)
            hands._follow(self.order, script, output, teller, followed)  # noqa: SLF001 - its own
            if followed.ends.is_set():
                hands.end(self.order)
            return lambda: hands.let_go(self.order)

        return awaited(begin, AnyCancel(hands._left, followed.leave))  # noqa: SLF001 - its own


class _Reported:
    """Reports a job to the engine. A `Teller`."""

    def __init__(
        self,
        order: AttemptOrder,
        report: AttemptListener,
        judge: Judge,
        over: Callable[[Outcome], None],
    ) -> None:
        self.checks: Mapping[int, Question] = {} if order.again else order.checks
        self._positions = tuple(self.checks)
        self._report = report
        self._judge = judge
        self._over = over

    def news(self, progress: AttemptProgress) -> None:
        """Report progress."""
        self._report.news(progress)

    def checked(self, index: int, reply: CapturedOutput | None, code: int) -> None:
        """Report the answer to one of its checks."""
        position = self._positions[index]
        seen = None
        if reply is not None:
            question = self.checks[position]
            texts = (reply.text("stdout"), reply.text("stderr"))
            seen = self._judge(question, Ended(code), *texts)
        self._report.checked(position, seen)

    def done(self, outcome: Outcome, checks: Collection[int]) -> None:
        """Report the end."""
        self._over(outcome)
        self._report.done(outcome, [self._positions[each] for each in checks])


class _Awaited(_Reported):
    """Reports a job to the thread that waits for it."""

    def __init__(
        self, tell: Callable[[AttemptProgress], None], done: Callable[[Outcome], None]
    ) -> None:
        self.checks = {}
        self._tell = tell
        self._done = done

    def news(self, progress: AttemptProgress) -> None:
        """Report progress."""
        self._tell(progress)

    def done(self, outcome: Outcome, checks: Collection[int]) -> None:
        """Report the end."""
        del checks
        self._done(outcome)


def _script_of(question: Question) -> Script:
    return Script(str(question.ask["text"]), question.execution, timeout=question.timeout)


def act(actions: Mapping[str, BuiltInAction], call: ActionCall) -> Outcome:
    """Carry out a call; every fault becomes an outcome."""
    order = call.order
    try:
        if order.action == "run":
            script = Script(str(order.arguments["text"]), order.execution, timeout=order.timeout)
            return call.run(script)
        action = actions.get(order.action)
        if action is None:
            return NeverStarted(f"this version has no action {order.action!r}", final=True)
        return action.perform(call)
    except BadScript as error:
        return NeverStarted(str(error), final=True)
    except Exception as error:  # noqa: BLE001 - the promise above: nothing escapes
        fault = f"{type(error).__name__}: {error}"
        return OutcomeUnknown(
            f"{order.action} broke off, and nobody knows how far it came: {fault}"
        )

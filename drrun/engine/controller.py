"""The loop, and the only writer: observe, record, fold, decide, record intent, obey.

Rules:
- Everything that a run does follows from `decide`. The controller remembers nothing that the
  journal does not hold, except what is in flight.
- A turn has one commit: observations, requests of people, and all that follows from both become
  durable together. Only after it does the controller act, answer requests, and let places forget.
- The controller looks at its inbox several times a second, so that an answer from any terminal
  has its effect within a second (contract section 4).
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field, replace
from enum import Enum
from functools import partial

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import IllegalMove, RecordDisputed
from drrun.core.model.outcomes import is_known
from drrun.core.model.runbook import Mode
from drrun.core.model.seat import Seat
from drrun.core.model.status import RunStatus, Status
from drrun.core.people.commands import command_of
from drrun.core.people.consider import Denied, Granted, consider
from drrun.core.people.seats import seat_taken
from drrun.core.rules import wishes as w
from drrun.core.rules.agenda import Agenda
from drrun.core.rules.capacity import Capacity
from drrun.core.rules.decision import Decision
from drrun.core.state.clocks import MAY_DIFFER
from drrun.core.state.reached import FIRST_LINE
from drrun.core.state.run_state import RunState
from drrun.engine.crew import Crew
from drrun.engine.ledger import Ledger
from drrun.engine.obey import WishHandler
from drrun.engine.observations import AttemptFinished, Met, WatchAnswered
from drrun.engine.observe import facts
from drrun.engine.orders import Orders
from drrun.engine.signed import Unsigned, unsound
from drrun.engine.watching import Watching
from drrun.ports.clock import Clock, Ids
from drrun.ports.credentials import Signatures
from drrun.ports.hands import ReachedHost
from drrun.ports.journal import Inbox, Leases, Request, RequestAnswer

#: Seconds between two looks at the inbox.
INBOX_EVERY = 0.2
#: Seconds between two signs of life.
RENEW_EVERY = 5.0
#: Seconds that a run which has ended waits for hosts that it still wants to visit.
VISITS_WITHIN = 5.0


class Leaving(Enum):
    """How the controller was told to leave."""

    NOT = "not"
    #: Start nothing new, let running steps finish.
    AFTER_RUNNING = "after running"
    #: Leave at once; remote commands go on.
    AT_ONCE = "at once"


@dataclass(frozen=True, slots=True)
class RunEnding:
    """Where the run stood when its controller left it."""

    status: RunStatus
    why: str = ""
    #: Every failure was a host that could not be reached.
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much happens at once, and how long the controller waits for people."""

    max_parallel: int
    #: Seconds to stay when only a person can go on; None: for ever.
    linger: float | None = 0.0
    #: A person sits here who can put right what failed: a run that has failed does not end by
    #: itself, but waits for them as for any answer.
    stays: bool = False


@dataclass(slots=True)
class Edges:
    """What the controller works with."""

    ledger: Ledger
    orders: Orders
    crew: Crew
    clock: Clock
    inbox: Inbox
    leases: Leases
    ids: Ids
    signatures: Signatures = field(default_factory=Unsigned)


class Controller:
    """Drives one run for as long as it holds its lease."""

    def __init__(self, edges: Edges, limits: Limits) -> None:
        self._edges = edges
        self._limits = limits
        self._state: RunState = edges.ledger.state
        self._agenda = Agenda(self._state)
        self._obedience = WishHandler(
            edges.ledger, edges.orders, edges.crew, edges.clock, edges.ids
        )
        #: A host whose memory does not fit our journal.
        self._dispute: RecordDisputed | None = None
        self._mark = edges.ids.new_mark()[: len(FIRST_LINE)]
        self._leaving = Leaving.NOT
        self._leaving_why = ""
        self._stays = limits.stays
        self._lock = threading.Lock()
        self._still_since: float | None = None
        self._ended_at: float | None = None
        self._inbox_at = 0.0
        self._renew_at = edges.clock.now() + RENEW_EVERY
        self._watching = Watching(self._state, edges.orders)
        self._sessions = {
            name: host.max_sessions for name, host in self._state.plan.inventory.hosts.items()
        }

    @property
    def name(self) -> str:
        """A name that no other controller has, not even one with the same token."""
        return self._state.reached.lines[-1] + self._mark

    def leave(self, how: Leaving, why: str = "") -> None:
        """Ask the loop to end, from any thread; `why` is kept in the record."""
        with self._lock:
            if self._leaving is not Leaving.AT_ONCE:
                self._leaving, self._leaving_why = how, why
        self._edges.crew.wake()

    def drive(self, visited: Callable[[], bool] = lambda: True) -> RunEnding:
        """Go on until the run ends, nothing can move, or somebody asks to leave.

        Args:
            visited: Whether all places were visited; nobody else will, once the run has ended.

        Raises:
            LeaseLost: Another controller took over; nothing more was recorded or begun.
            StateUnusable: The journal cannot be written; nothing more was begun.
            RecordDisputed: A host remembers another journal of the run; nothing was begun there.
        """
        wait = 0.0
        while True:
            later = self._observe(wait)
            if self._dispute is not None:
                self._left(RunStatus.INTERRUPTED, self._dispute.how)
                raise self._dispute
            self._look_at_the_wall()
            answers = self._take_requests()
            decision = self._settle()
            for request, answer in answers:
                self._edges.inbox.settle(self._without_secrets(request), answer)
            for act in later:
                act()
            self._watch()
            self._renew()
            standing = self._finished(decision)
            if standing is not None and not self._waits_for_visits(visited):
                return standing
            wait = self._until(decision.wake_at)

    def _observe(self, wait: float) -> list[Callable[[], None]]:
        """Record the observations; returns what may be done once they are durable."""
        later: list[Callable[[], None]] = []
        for observation in self._edges.crew.collect(wait):
            if isinstance(observation, WatchAnswered):
                found = self._watching.seen(observation.what, observation.seen, observation.at)
            else:
                found = facts(self._state, observation)
            for event in found:
                self._record(event, at=observation.at)
            if isinstance(observation, AttemptFinished) and is_known(observation.outcome):
                later.append(partial(self._edges.crew.forget, observation.order))
            elif isinstance(observation, Met):
                self._compare(observation.meeting)
                later.append(observation.then)
        return later

    def _compare(self, meeting: ReachedHost) -> None:
        """Check that this journal continues what a host remembers; otherwise it must not act.

        Raises:
            LeaseLost: The other one that the host obeys holds this very journal by now.
        """
        memory, ledger = meeting.memory, self._edges.ledger
        if memory is None:
            return
        lease, earlier = ledger.lease, self._state.reached.lines[:-1]
        if memory.controller[: len(FIRST_LINE)] in earlier:
            seq, digest = memory.end.seq, memory.end.hash
            self._record(
                ev.HostOverruled(host=meeting.host, seq=seq, hash=digest, epoch=memory.epoch)
            )
            return
        ours = (memory.epoch, memory.controller) == (lease.epoch, self.name)
        if not ours and memory.epoch >= lease.epoch:
            self._edges.leases.renew(lease)
        elif ledger.holds(memory.end):
            return
        told = memory.end.seq, memory.epoch
        self._dispute = RecordDisputed(lease.run, meeting.host, told, ledger.end.seq)

    def _look_at_the_wall(self) -> None:
        """Record that the machine's clock was set; limits and durations do not depend on it."""
        time = self._state.time
        ahead = time.own + self._edges.clock.skew()
        if abs(ahead - time.wall) > MAY_DIFFER:
            self._record(ev.WallClockSet(ahead=ahead))

    def _record(self, event: ev.Event, actor: str = "controller", at: float | None = None) -> None:
        with suppress(IllegalMove):  # a person has settled it in the meantime
            self._edges.ledger.record(event, actor, at=at)

    def _settle(self) -> Decision:
        """Decide and obey until nothing more follows; then commit; then act."""
        self._obedience.part(self._watching)
        decision = self._decide()
        while decision.wishes:
            for wish in decision.wishes:
                self._obedience.obey(wish)
            self._obedience.part(self._watching)
            decision = self._decide()
        self._edges.ledger.commit()
        for act in self._obedience.take_acts():
            act()
        return decision

    def _decide(self) -> Decision:
        room = Capacity(self._edges.crew.air, self._limits.max_parallel, self._sessions)
        begin = self._leaving is Leaving.NOT
        decision = self._agenda.decide(room, self._edges.clock.now(), begin=begin)
        if self._stays and begin and self._can_be_put_right():
            # The only wish there is in such a state: that the run ends, and that as failed.
            decision.wishes = [each for each in decision.wishes if not _ends_failed(each)]
        return decision

    def _can_be_put_right(self) -> bool:
        """Whether a person could go on with a run that has failed."""
        state = self._state
        over = state.aborted or state.rolling_back
        return not over and state.plan.mode is not Mode.DRY_RUN

    def _take_requests(self) -> list[tuple[Request, RequestAnswer]]:
        """Do what people asked for; returns the answers, to be given once it is durable."""
        now = self._edges.clock.now()
        if now < self._inbox_at:
            return []
        self._inbox_at = now + INBOX_EVERY
        pending = self._edges.inbox.pending(self._edges.ledger.lease.run)
        return [(request, self._answer(request)) for request in pending]

    def _answer(self, request: Request) -> RequestAnswer:
        by, seat = request.actor, Seat.of_request(request.body)
        for event in seat_taken(self._state, by, seat):
            self._record(event, by)
        found = self._consider(request)
        if isinstance(found, Denied):
            self._record(
                ev.RequestRefused(
                    kind=request.kind,
                    by=by,
                    why=found.why,
                    step=str(request.body.get("step", "")),
                ),
                by,
            )
            return RequestAnswer(accepted=False, message=found.why)
        for event in found.events:
            self._record(event, by)
        return RequestAnswer(accepted=True, message=found.message)

    def _consider(self, request: Request) -> Granted | Denied:
        command = command_of(request.kind, request.body)
        if command is None:
            return Denied(f"unknown request {request.kind!r}")
        why = unsound(self._state, request, command, self._edges.signatures)
        why = why or self._unrecordable(request)
        if why:
            return Denied(why)
        return consider(self._state, command, request.actor, self._edges.clock.now())

    def _unrecordable(self, request: Request) -> str:
        """Why the journal cannot hold this request unmasked, although later decisions need it."""
        kept = request.body if request.kind == "amend" else request.body.get("input")
        if self._edges.orders.mask.structure(kept) is kept:
            return ""
        return (
            "it holds the value of a secret, and it is recorded: name the secret instead, as in "
            "{{ secrets.NAME }}"
        )

    def _without_secrets(self, request: Request) -> Request:
        return replace(request, body=self._edges.orders.mask.structure(request.body))

    def _watch(self) -> None:
        if self._state.ended is None and self._leaving is Leaving.NOT:
            for watched, questions in self._watching.due(self._edges.clock.now()):
                self._edges.crew.watch(watched, questions)

    def _renew(self) -> None:
        now = self._edges.clock.now()
        if now >= self._renew_at:
            self._edges.leases.renew(self._edges.ledger.lease)
            self._renew_at = now + RENEW_EVERY

    def _until(self, wake_at: float | None) -> float:
        now = self._edges.clock.now()
        moments = [self._inbox_at, self._renew_at]
        moments += [at for at in (wake_at, self._watching.wake_at()) if at is not None]
        return max(0.0, min(moments) - now)

    def _finished(self, decision: Decision) -> RunEnding | None:
        state = self._state
        if state.ended is not None:
            return RunEnding(state.ended, unreachable=_only_unreachable(state))
        if self._leaving is Leaving.AT_ONCE:
            return self._left(
                RunStatus.INTERRUPTED,
                self._leaving_why,
            )
        if self._edges.crew.air:
            self._still_since = None
            return None
        if self._leaving is Leaving.AFTER_RUNNING and decision.wake_at is None:
            return self._left(RunStatus.INTERRUPTED, "asked to leave")
        if decision.wake_at is not None:
            self._still_since = None
            return None
        return self._still()

    def _waits_for_visits(self, visited: Callable[[], bool]) -> bool:
        """Whether a host may still be reached that has to delete what this run left there."""
        if self._state.ended is None or self._leaving is Leaving.AT_ONCE:
            return False
        now = self._edges.clock.now()
        self._ended_at = self._ended_at or now
        return not visited() and now < self._ended_at + VISITS_WITHIN

    def _still(self) -> RunEnding | None:
        """Nothing moves without a person: stay for a while, then leave."""
        now = self._edges.clock.now()
        if self._still_since is None:
            self._still_since = now
        linger = self._limits.linger
        if linger is None or now < self._still_since + linger:
            return None
        if self._state.paused:
            return self._left(RunStatus.PAUSED, self._state.paused)
        if self._state.all_final:  # it has failed, and nobody came: now it ends
            self._stays = False
            return None
        return self._left(RunStatus.WAITING, waits_for(self._state))

    def _left(self, status: RunStatus, why: str) -> RunEnding:
        self._record(ev.ControllerLeft(why=why))
        self._edges.ledger.commit()
        return RunEnding(status, why)


def _ends_failed(wish: w.Wish) -> bool:
    """Whether a run is to end as failed."""
    return (
        isinstance(wish, w.Record)
        and isinstance(wish.event, ev.RunEnded)
        and wish.event.status == RunStatus.FAILED
    )


def waits_for(state: RunState) -> str:
    """Who is asked what, in one sentence."""
    asked = [str(key) for key in state.active if state.targets[key].gate is not None]
    return f"a person must answer {', '.join(asked)}" if asked else "nothing can move"


def _only_unreachable(state: RunState) -> bool:
    failed = [target for target in state.targets.values() if target.status is Status.FAILED]
    return bool(failed) and all(
        target.judged is not None and target.judged.cause == "unreachable" for target in failed
    )

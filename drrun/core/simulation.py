"""A run that only happens in time: the same rules as the real one, nothing contacted. Pure.

Rules:
- Decisions are `decide`'s and state is what events fold to, as in the engine; only what the world
  answers is invented here, from estimates and from what is injected.
- Time jumps to the next thing that ends. Chance comes from outside, so a trial can be repeated.
- Without an injected fault all checks hold, all conditions are true and everybody answers after
  the step's estimate.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

from drrun.core import events as ev
from drrun.core import wishes as w
from drrun.core.actions import DecisionAction, UsesAction
from drrun.core.air import Activity, Room
from drrun.core.decide import MAX_PARALLEL, decide
from drrun.core.ids import StepId
from drrun.core.moments import parse_moment
from drrun.core.people import Denied, consider
from drrun.core.plan import Plan, PlannedStep
from drrun.core.probes import Purpose, Verdict
from drrun.core.runbook import Retry
from drrun.core.state import Key, RunState
from drrun.core.told import attempt_of, fact_of
from drrun.core.values import Duration

#: (step, attempt) -> seconds that the step's action, wait or answer takes.
Takes = Callable[[Key, int], float]
#: Events that one trial may have before it is given up: the rules would never come to rest.
_MOST = 2_000_000


@dataclass(frozen=True, slots=True)
class Injects:
    """What goes wrong. Moments in seconds from the start."""

    #: Step -> attempts that fail; 0: all of them.
    fails: Mapping[str, int] = field(default_factory=dict)
    #: (moment, `site:phl`): lost from then on.
    losses: tuple[tuple[float, str], ...] = ()
    #: Steps that nobody answers.
    silent: frozenset[str] = frozenset()


@dataclass(slots=True)
class Simulation:
    """One trial."""

    plan: Plan
    takes: Takes
    injects: Injects = field(default_factory=Injects)
    max_parallel: int = MAX_PARALLEL
    now: float = 0.0
    journal: list[tuple[float, ev.Event]] = field(default_factory=list)
    state: RunState = field(init=False)
    _coming: list[tuple[float, int, Activity | None, tuple[ev.Event, ...]]] = field(
        default_factory=list
    )
    _air: dict[Activity, str] = field(default_factory=dict)
    _order: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.state = RunState(self.plan)

    def drive(self) -> RunState:
        """From the start until nothing moves any more; the state then."""
        self._begin()
        while len(self.journal) < _MOST:
            decision = decide(self.state, Room(self._air, self.max_parallel, {}), self.now)
            for wish in decision.wishes:
                self._obey(wish)
            if decision.wishes:
                continue
            if self.state.ended is not None or not self._go_on(decision.wake_at):
                return self.state
        raise AssertionError(f"{len(self.journal)} events, and no end")

    def _begin(self) -> None:
        runbook = self.plan.runbook
        self._record(
            ev.RunStarted(
                name=runbook.name, title=runbook.title, mode="tabletop",
                variant=self.plan.variant, inputs=dict(self.plan.inputs), options={},
                by="simulation", tool="",
            )
        )  # fmt: skip
        for at, thing in self.injects.losses:
            self._later(at, None, (ev.Lost(thing=thing, by="simulation", why="injected"),))

    def _go_on(self, wake_at: float | None) -> bool:
        """Let time pass until something happens; False if nothing ever will."""
        if self._coming and (wake_at is None or self._coming[0][0] <= wake_at):
            at, _, activity, events = heapq.heappop(self._coming)
            self.now = max(self.now, at)
            if activity is None or self._air.pop(activity, None) is not None:
                for event in events:
                    self._tell(event)
            return True
        if wake_at is None:
            return False
        self.now = max(self.now, wake_at)
        return True

    def _tell(self, event: ev.Event) -> None:
        """Record what the world did, if it is still possible: a loss is judged as a person's."""
        if not isinstance(event, ev.Lost):
            self._record(event)
            return
        body = {"thing": event.thing, "reason": event.why}
        found = consider(self.state, "lost", body, event.by, self.now)
        if not isinstance(found, Denied):
            for each in found.events:
                self._record(each)

    def _record(self, event: ev.Event) -> None:
        self.state.apply(event, self.now)
        self.journal.append((self.now, event))

    def _later(self, at: float, activity: Activity | None, events: tuple[ev.Event, ...]) -> None:
        if activity is not None:
            self._air[activity] = ""
        heapq.heappush(self._coming, (at, next(self._order), activity, events))

    def _obey(self, wish: w.Wish) -> None:
        match wish:
            case w.Evaluate(key=key, purpose=purpose, index=index):
                self._evaluate(key, purpose, index)
            case w.StartAttempt(key=key):
                self._start(key)
            case w.BeginWait(key=key):
                self._begin_wait(key)
            case w.OpenGate():
                self._open_gate(wish)
            case w.EndAttempt(key=key) | w.LetGo(key=key):
                self._air.pop(Activity(key), None)
                self._record(ev.AttemptStopped(**attempt_of(self.state, key), gone=True))
            case w.Reconcile(key=key):
                self._record(ev.ContactLost(**attempt_of(self.state, key), why="simulated"))
            case w.SeeCondition(step=step):
                expression = self.plan.steps[step].step.when or "true"
                self._record(ev.ConditionSeen(step=step, expression=expression, value=True))
            case w.SeeClock(step=step):
                self._record(ev.ClockSet(step=step, until=self._clock(step)))
            case _:
                self._record(fact_of(wish, self.state, self.now, _delay))

    def _clock(self, step: StepId) -> float:
        written = self.plan.steps[step].step.not_before or ""
        try:
            return parse_moment(written, self.now)
        except ValueError:
            return self.now

    def _evaluate(self, key: Key, purpose: Purpose, index: int) -> None:
        """Checks hold, and nothing is done already; what is waited for comes in its time."""
        holds = purpose is not Purpose.DONE_WHEN
        at = self.now
        if purpose is Purpose.UNTIL:
            at += self.takes(key, self.state.targets[key].attempt)
        seen = ev.ProbeSeen(
            **attempt_of(self.state, key), purpose=purpose, index=index, name="", question="",
            where="", expected="", verdict=Verdict.HOLDS if holds else Verdict.DOES_NOT_HOLD,
            value="", why="" if holds else "simulated",
        )  # fmt: skip
        self._later(at, Activity(key, purpose, index), (seen,))

    def _start(self, key: Key) -> None:
        who = attempt_of(self.state, key)
        self._record(ev.AttemptIntended(**who, action="simulated", command="", host=""))
        takes = self.takes(key, who["attempt"])
        step = self.plan.steps[key.step].step
        if step.timeout is not None and takes > step.timeout:
            out = ev.AttemptTimedOut(**who, gone=True, note="simulated")
            self._later(self.now + step.timeout, Activity(key), (out,))
            return
        fails = self.injects.fails.get(key.step)
        failed = fails is not None and (fails == 0 or who["attempt"] <= fails)
        ended = ev.AttemptEnded(**who, exit=int(failed), note="injected" if failed else "")
        self._later(self.now + takes, Activity(key), (ended,))

    def _begin_wait(self, key: Key) -> None:
        who = attempt_of(self.state, key)
        self._record(ev.AttemptIntended(**who, action="wait", command="", host="local"))
        action = self.plan.steps[key.step].step.action
        written = action.arguments.get("for") if isinstance(action, UsesAction) else None
        if written is None:
            return
        try:
            takes = float(Duration.parse(str(written)))
        except ValueError:
            takes = self.takes(key, who["attempt"])
        self._record(ev.WaitBegan(**who, until=self.now + takes))

    def _open_gate(self, wish: w.OpenGate) -> None:
        key = wish.key
        self._record(
            ev.GateOpened(
                step=key.step, target=key.target, gate=wish.kind, text="",
                purpose=wish.purpose or "", index=wish.index,
            )
        )  # fmt: skip
        if key.step in self.injects.silent:
            return
        step = self.plan.steps[key.step].step
        action = step.action
        option = ""
        if wish.kind == "decision" and isinstance(action, DecisionAction):
            option = action.default or next(iter(action.options))
        said = {"decision": "decide", "approval": "approve"}.get(wish.kind, "confirm")
        answered = ev.GateAnswered(
            step=key.step, target=key.target, gate=wish.kind, answer=said, by="simulation",
            option=option,
        )  # fmt: skip
        asks = wish.kind in ("manual", "decision")
        takes = self.takes(key, self.state.targets[key].attempt) if asks else 0.0
        # Nobody holds the answer: it comes by itself, whatever else is in the air.
        self._later(self.now + takes, None, (answered,))


def estimated(planned: PlannedStep) -> float:
    """Seconds of one target: the step's estimate, shared out among its batches."""
    return planned.length / max(1, len(set(planned.batches)))


def _delay(retry: Retry, verdicts: int) -> float:
    """Without jitter: the pause that the author wrote."""
    grown = float(retry.delay) * float(retry.backoff) ** max(0, verdicts - 1)
    return min(grown, float(retry.max_delay))

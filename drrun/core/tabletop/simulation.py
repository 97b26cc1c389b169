"""A run that only happens in time: the same rules as the real one, nothing contacted. Pure.

Rules:
- Decisions are `decide`'s and state is what events fold to, as in the engine; only what the world
  answers is invented here, from estimates and from a `Fiction`.
- Time jumps to the next thing that ends. Chance comes from outside, so a trial can be repeated.
- After a relapse that pauses the run, somebody has the step done again at once.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import field
from itertools import count
from typing import assert_never

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.actions import DecisionAction, UsesAction
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.moments import parse_moment
from drrun.core.model.plan import Plan, PlannedStep
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.runbook import Retry
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.core.people.commands import DeclareFound, DeclareLost
from drrun.core.people.consider import Denied, consider
from drrun.core.rules import wishes as w
from drrun.core.rules.agenda import Agenda
from drrun.core.rules.capacity import Activity, Capacity, InFlight
from drrun.core.rules.decide import MAX_PARALLEL
from drrun.core.rules.relapse import relapse
from drrun.core.rules.retrying import retry_planned
from drrun.core.rules.roles import may, members, role_of
from drrun.core.state.run_state import RunState, attempt_of
from drrun.core.tabletop.fiction import Fiction, Moment, ScriptedAnswer, ScriptedStep

#: (step, attempt) -> seconds that the step's action, wait or answer takes.
Takes = Callable[[TargetKey, int], float]
#: (state, step) -> whether its condition holds.
Condition = Callable[[RunState, StepId], bool]
#: (what is asked, seconds from the start) -> how people answer; None: nobody does.
AnswerGate = Callable[[ev.GateOpened, float], ScriptedAnswer | None]
#: Events that one trial may have before it is given up: the rules would never come to rest.
_MOST = 2_000_000


@dataclass(slots=True)
class Simulation:
    """One trial."""

    plan: Plan
    takes: Takes
    fiction: Fiction = field(default_factory=Fiction)
    max_parallel: int = MAX_PARALLEL
    #: None: every condition is true, unless the fiction says otherwise.
    condition: Condition | None = None
    #: None: as the fiction says.
    ask: AnswerGate | None = None
    #: Told of what is said at its moment.
    hear: Callable[[Moment], None] = lambda _: None
    now: float = 0.0
    journal: list[tuple[float, ev.Event]] = field(default_factory=list)
    state: RunState = field(init=False)
    _coming: list[tuple[float, int, Activity | None, ev.Event | Moment]] = field(
        default_factory=list
    )
    _air: InFlight = field(default_factory=InFlight)
    _agenda: Agenda = field(init=False)
    _order: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.state = RunState(self.plan)
        self._agenda = Agenda(self.state)

    def drive(self) -> RunState:
        """From the start until nothing moves any more; the state then."""
        self._begin()
        while len(self.journal) < _MOST:
            decision = self._agenda.decide(Capacity(self._air, self.max_parallel, {}), self.now)
            for wish in decision.wishes:
                self._obey(wish)
            if decision.wishes:
                continue
            if self.state.ended is not None or not self._go_on(decision.wake_at):
                return self.state
        raise AssertionError(f"{len(self.journal)} events, and no end")

    def inject(self, moment: Moment) -> None:
        """Let something more happen."""
        self._later(moment.at, None, moment)

    def _begin(self) -> None:
        runbook = self.plan.runbook
        self._record(
            ev.RunStarted(
                name=runbook.name,
                title=runbook.title,
                mode="tabletop",
                variant=self.plan.variant,
                inputs=dict(self.plan.inputs),
                options={},
                by="simulation",
                tool="",
            )
        )
        for moment in self.fiction.moments:
            if moment.at > 0:
                self.inject(moment)
                continue
            # What is so from the start is so before anybody is asked.
            for event in self._facts(moment):
                self._record(event)

    def _go_on(self, wake_at: float | None) -> bool:
        """Let time pass until something happens; False if nothing ever will."""
        if self._coming and (wake_at is None or self._coming[0][0] <= wake_at):
            at, _, activity, what = heapq.heappop(self._coming)
            self.now = max(self.now, at)
            if activity is None or self._air.pop(activity, None) is not None:
                for event in self._facts(what):
                    self._record(event)
            return True
        if wake_at is None:
            return False
        self.now = max(self.now, wake_at)
        return True

    def _facts(self, what: ev.Event | Moment) -> Iterator[ev.Event]:
        """What follows from something that comes now; a loss is judged as a person's word."""
        if isinstance(what, Moment):
            yield from self._of_moment(what)
        # The gate may be gone: its host was lost, its time was over.
        elif not isinstance(what, ev.GateAnswered) or self.state.targets[what.key].gate:
            yield what

    def _of_moment(self, moment: Moment) -> Iterator[ev.Event]:
        if moment.kind in ("lost", "found"):
            declare = DeclareLost if moment.kind == "lost" else DeclareFound
            command = declare(thing=moment.what, reason="injected")
            found = consider(self.state, command, "simulation", self.now)
            yield from () if isinstance(found, Denied) else found.events
        elif moment.kind == "relapse":
            yield from self._relapses(StepId(moment.what))
        else:
            self.hear(moment)
            yield ev.Noted(by="simulation", text=moment.what)

    def _relapses(self, step: StepId) -> Iterator[ev.Event]:
        for key in self.state.keys(step):
            if self.state.targets[key].status is not Status.PASSED:
                continue
            for event in relapse(self.state, key, "inject", "it is broken again"):
                yield event
                if isinstance(event, ev.RunPaused):
                    yield ev.TargetReopened(step=key.step, target=key.target, by="simulation")
                    yield ev.RunUnpaused(by="simulation")

    def _record(self, event: ev.Event) -> None:
        self.state.apply(event, self.now)
        self.journal.append((self.now, event))

    def _later(self, at: float, activity: Activity | None, what: ev.Event | Moment) -> None:
        if activity is not None:
            self._air[activity] = ""
        heapq.heappush(self._coming, (at, next(self._order), activity, what))

    def _script(self, key: TargetKey) -> ScriptedStep:
        return self.fiction.script(key.step, key.target)

    def _obey(self, wish: w.Wish) -> None:
        match wish:
            case w.Record(event=event):
                self._record(event)
            case w.SeeCondition(step=step):
                self._see_condition(step)
            case w.SeeClock(step=step):
                self._record(ev.ClockSet(step=step, until=self._clock(step)))
            case w.Evaluate(key=key, purpose=purpose, index=index):
                self._evaluate(key, purpose, index)
            case w.StartAttempt(key=key):
                self._start(key)
            case w.BeginWait(key=key):
                self._begin_wait(key)
            case w.Reconcile(key=key):
                self._record(ev.ContactLost(**attempt_of(self.state, key), why="simulated"))
            case w.EndAttempt(key=key):
                self._end(key)
            case w.LetGo(key=key, why=why):
                self._air.pop(Activity(key), None)
                self._record(ev.EndingBegan(**attempt_of(self.state, key), why=why))
            case w.Show():
                raise AssertionError("a simulation is no dry-run")
            case w.OpenGate():
                self._open_gate(wish)
            case w.PlanRetry():
                self._record(retry_planned(self.state, wish, self.now, _delay))
            case _:
                assert_never(wish)

    def _clock(self, step: StepId) -> float:
        written = self.plan.steps[step].step.not_before or ""
        try:
            return parse_moment(written, self.now)
        except ValueError:
            return self.now

    def _length(self, key: TargetKey) -> float:
        """Seconds that a target's attempt, wait or answer takes."""
        script = self._script(key)
        takes = script.takes
        if takes is None:
            takes = self.takes(key, self.state.targets[key].attempt)
        return takes * script.factor

    def _see_condition(self, step: StepId) -> None:
        written = self.plan.steps[step].step
        value = self.fiction.script(step, "").when
        if value is None:
            value = self.condition is None or self.condition(self.state, step)
        expression = " and ".join([*written.only_if, written.when or "true"])
        self._record(ev.ConditionSeen(step=step, expression=expression, value=value))

    def _evaluate(self, key: TargetKey, purpose: Purpose, index: int) -> None:
        """Checks hold, and nothing is done already; what is waited for comes in its time."""
        attempt = self.state.targets[key].attempt
        verdict = self._script(key).verdict(purpose, max(1, attempt))
        at = self.now
        if purpose is Purpose.UNTIL:
            at += self._length(key)
        seen = ev.ProbeSeen(
            **attempt_of(self.state, key),
            purpose=purpose,
            index=index,
            name="",
            question="",
            where="",
            expected="",
            verdict=verdict,
            value="",
            why="" if verdict is Verdict.HOLDS else "simulated",
        )
        self._later(at, Activity(key, purpose, index), seen)

    def _start(self, key: TargetKey) -> None:
        who = attempt_of(self.state, key)
        self._record(ev.AttemptIntended(**who, action="simulated", command="", host=""))
        acted = self._script(key).acted(who["attempt"])
        if acted.outcome != "unreachable":
            self._record(ev.AttemptStarted(**who))
        step = self.plan.steps[key.step].step
        takes = self._length(key)
        limit = None if step.on_timeout == "ask" else step.timeout
        ended: ev.Event
        if acted.outcome == "unreachable":
            ended = ev.AttemptNeverStarted(**who, why="not reached (simulated)")
        elif acted.outcome == "unknown":
            ended = ev.ContactLost(**who, why="simulated")
        elif acted.outcome == "timed-out" or (limit is not None and takes > limit):
            takes = takes if limit is None else float(limit)
            ended = ev.AttemptTimedOut(**who, gone=True, note="simulated")
        else:
            note = "simulated" if acted.exit else ""
            ended = ev.AttemptEnded(**who, exit=acted.exit, note=note, captured=acted.captured)
        self._later(self.now + takes, Activity(key), ended)

    def _end(self, key: TargetKey) -> None:
        """End an attempt at once; unless the run was aborted, its time was over."""
        self._air.pop(Activity(key), None)
        who = attempt_of(self.state, key)
        ended = ev.AttemptStopped if self.state.aborted else ev.AttemptTimedOut
        self._record(ended(**who, gone=True))

    def _begin_wait(self, key: TargetKey) -> None:
        who = attempt_of(self.state, key)
        self._record(ev.AttemptIntended(**who, action="wait", command="", host="local"))
        action = self.plan.steps[key.step].step.action
        written = action.arguments.get("for") if isinstance(action, UsesAction) else None
        if written is None:
            return
        try:
            takes = float(Duration.parse(str(written)))
        except ValueError:
            takes = self._length(key)
        self._record(ev.WaitBegan(**who, until=self.now + takes))

    def _open_gate(self, wish: w.OpenGate) -> None:
        key, step = wish.key, self.plan.steps[wish.key.step].step
        opened = ev.GateOpened(
            step=key.step,
            target=key.target,
            gate=wish.kind,
            text=step.label,
            purpose=wish.purpose or "",
            index=wish.index,
            role=role_of(step, wish.kind),
        )
        self._record(opened)
        script = self._script(key)
        said = None if script.silent else script.said
        if self.ask is not None:
            said = self.ask(opened, self.now)
        if said is None or not self._anybody(opened.role, said.by):
            return
        asks = wish.kind in ("manual", "decision")
        takes = self._length(key) if asks else 0.0
        # Nobody holds the answer: it comes by itself, whatever else is in the air.
        self._later(self.now + takes, None, _answered(opened, said, step.action))

    def _anybody(self, role: str, by: str) -> bool:
        """Whether there is somebody left who may answer for a role."""
        return bool(members(self.state, role)) or may(self.state, role, by)


def _answered(opened: ev.GateOpened, said: ScriptedAnswer, action: object) -> ev.GateAnswered:
    answer, option = said.answer, ""
    if opened.gate == "decision" and answer != "reject" and isinstance(action, DecisionAction):
        option = answer or action.default or next(iter(action.options))
        answer = "decide"
    usual = "approve" if opened.gate == "approval" else "confirm"
    return ev.GateAnswered(
        step=opened.step,
        target=opened.target,
        gate=opened.gate,
        answer=answer or usual,
        by=said.by,
        reason=said.reason,
        input=said.given,
        option=option,
        purpose=opened.purpose,
        index=opened.index,
    )


def estimated(planned: PlannedStep) -> float:
    """Seconds of one target: the step's estimate, shared out among its batches."""
    return planned.work / max(1, len(set(planned.batches)))


def _delay(retry: Retry, verdicts: int) -> float:
    """Without jitter: the pause that the author wrote."""
    grown = float(retry.delay) * float(retry.backoff) ** max(0, verdicts - 1)
    return min(grown, float(retry.max_delay))

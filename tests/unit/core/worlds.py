"""A small world for the rules alone: wishes are obeyed at once, time jumps."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from drrun.core import events as ev
from drrun.core.model.actions import ManualAction, RunAction
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.inventory import Inventory
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown, TimedOut
from drrun.core.model.plan import Plan, Selection, bind
from drrun.core.model.probes import Probe, ProbeKind, Purpose, Verdict
from drrun.core.model.runbook import Need, Runbook, Step
from drrun.core.rules import wishes as w
from drrun.core.rules.agenda import Agenda
from drrun.core.rules.capacity import Activity, Capacity, InFlight
from drrun.core.rules.decide import decide
from drrun.core.rules.decision import Decision
from drrun.core.rules.retrying import retry_planned
from drrun.core.rules.roles import role_of
from drrun.core.state.run_state import RunState, attempt_of, fold


def step(name: str, *needs: str | tuple[str, ...], **keys: object) -> Step:
    """A step; a tuple among the needs is an any_of."""
    return Step(
        id=StepId(name),
        action=keys.pop("action", RunAction(f"do {name}")),  # type: ignore[arg-type] # kwargs
        needs=tuple(
            Need(tuple(StepId(each) for each in ((need,) if isinstance(need, str) else need)))
            for need in needs
        ),
        **keys,  # type: ignore[arg-type] # a test may give any key
    )


def manual(name: str, *needs: str, **keys: object) -> Step:
    """A step for a person."""
    return step(name, *needs, action=ManualAction(f"please {name}"), **keys)


def probe(text: str = "look", **keys: object) -> Probe:
    """A probe that runs something."""
    return Probe(kind=ProbeKind.RUN, ask={"text": text}, **keys)  # type: ignore[arg-type] # kwargs


def plan_of(
    *steps: Step, inventory: Inventory | None = None, locks: Mapping[str, int] | None = None
) -> Plan:
    """A live plan of these steps."""
    runbook = Runbook(
        name="test",
        steps={each.id: each for each in steps},
        locks=locks or {},
        waivers=({"rule": "missing-verify", "reason": "the tests see the effects"},),
    )
    selection = Selection()
    return bind(runbook, inventory or Inventory(), {}, selection, lambda value, _: value)


#: What an attempt comes to, and what a probe answers; given the target, the attempt's number and
#: (for probes) the purpose and how often it was asked before.
Acting = Callable[[TargetKey, int], Outcome]
Answering = Callable[[TargetKey, Purpose, int], Verdict]


@dataclass
class World:
    """Obeys wishes. `journal` is what was recorded; `effects` is what really happened."""

    plan: Plan
    acting: Acting = lambda _key, _attempt: Ended(0)
    answering: Answering = lambda _key, _purpose, _times: Verdict.HOLDS
    max_parallel: int = 4
    now: float = 1000.0
    journal: list[tuple[float, ev.Event]] = field(default_factory=list)
    effects: Counter[tuple[TargetKey, int]] = field(default_factory=Counter)
    asked: Counter[tuple[TargetKey, Purpose]] = field(default_factory=Counter)
    #: Whether attempts say that they began.
    tells_begin: bool = False
    #: Called before each decision: what people do meanwhile.
    meddle: "Callable[[World], None]" = lambda _: None
    #: Stop after so many events, as if killed; None: never.
    die_after: int | None = None
    state: RunState = field(init=False)
    air: InFlight = field(default_factory=InFlight)
    agenda: Agenda = field(init=False)
    #: How many may be in the air on each host.
    sessions: Mapping[str, int] = field(default_factory=dict)
    most_in_air: int = 0

    def __post_init__(self) -> None:
        self.state = RunState(self.plan)
        self.agenda = Agenda(self.state)

    def record(self, event: ev.Event) -> None:
        """Apply and write one event, or die."""
        if self.die_after is not None and len(self.journal) >= self.die_after:
            raise Killed
        self.state.apply(event, self.now)
        self.journal.append((self.now, event))

    def resume(self) -> None:
        """A new controller: everything is folded from the journal, nothing is in the air."""
        self.die_after = None
        self.state = fold(self.plan, self.journal)
        self.air = InFlight()
        self.agenda = Agenda(self.state)

    def drive(self) -> RunState:
        """Until nothing moves."""
        for _ in range(100_000):
            self.meddle(self)
            decision = self.decide()
            for wish in decision.wishes:
                self.obey(wish)
            self.most_in_air = max(self.most_in_air, len(self.air))
            if decision.wishes:
                continue
            if self.air:
                self.land(next(iter(self.air)))
            elif decision.wake_at is not None:
                self.now = max(self.now, decision.wake_at)
            else:
                return self.state
        raise AssertionError("the rules never come to rest")

    def obey_all(self) -> None:
        """Until nothing more follows now; nothing comes down."""
        while wishes := self.decide().wishes:
            for wish in wishes:
                self.obey(wish)

    def decide(self) -> Decision:
        """What follows now: what an agenda says and what a look at everything says is the same."""
        full = decide(self.state, Capacity(self.air, self.max_parallel, self.sessions), self.now)
        room = Capacity(self.air, self.max_parallel, self.sessions)
        decision = self.agenda.decide(room, self.now)
        assert decision.wishes == full.wishes
        assert decision.wishes or decision.wake_at == full.wake_at
        return decision

    def land(self, activity: Activity) -> None:
        """One thing in the air comes down."""
        del self.air[activity]
        self.now += 1
        key, purpose, index = activity
        target = self.state.targets[key]
        who = attempt_of(self.state, key)
        if purpose is None:
            self.record(_fact(self.acting(key, target.attempt), who))
            return
        times = self.asked[key, purpose]
        self.asked[key, purpose] += 1
        verdict = self.answering(key, purpose, times)
        self.record(
            ev.ProbeSeen(
                **who,
                purpose=purpose,
                index=index,
                name="p",
                question="q",
                where="here",
                expected="",
                verdict=verdict,
                value=str(verdict),
                why="" if verdict is Verdict.HOLDS else "seen otherwise",
            )
        )

    def obey(self, wish: w.Wish) -> None:
        """What the engine does, without the world."""
        match wish:
            case w.Record(event=event):
                self.record(event)
            case w.Evaluate(key=key, purpose=purpose, index=index):
                self.air[Activity(key, purpose, index)] = self.state.hosts[key]
            case w.StartAttempt(key=key):
                who = attempt_of(self.state, key)
                self.record(ev.AttemptIntended(**who, action="run", command="x", host=""))
                self.effects[key, who["attempt"]] += 1
                if self.tells_begin:
                    self.record(ev.AttemptStarted(**who))
                self.air[Activity(key)] = self.state.hosts[key]
            case w.LetGo(key=key, why=why):
                self.record(ev.EndingBegan(**attempt_of(self.state, key), why=why))
                del self.air[Activity(key)]
            case w.Reconcile(key=key):
                self.record(ev.ContactLost(**attempt_of(self.state, key), why="controller died"))
            case w.OpenGate():
                self.record(self._gate(wish))
            case w.PlanRetry():
                self.record(retry_planned(self.state, wish, self.now, lambda *_: 1.0))
            case (
                w.SeeCondition() | w.SeeClock() | w.BeginWait() | w.EndAttempt() | w.Show()
            ):  # no plan of these tests has what leads to them
                raise AssertionError(wish)
            case _:
                assert_never(wish)

    def _gate(self, wish: w.OpenGate) -> ev.GateOpened:
        action = self.plan.steps[wish.key.step].step.action
        return ev.GateOpened(
            step=wish.key.step,
            target=wish.key.target,
            gate=wish.kind,
            text="?",
            role=role_of(self.plan.steps[wish.key.step].step, wish.kind),
            input=action.input if isinstance(action, ManualAction) else {},
            purpose=wish.purpose or "",
            index=wish.index,
        )


class Killed(Exception):
    """The controller was killed."""


def _fact(outcome: Outcome, who: ev.AttemptName) -> ev.Event:
    match outcome:
        case Ended(exit=status):
            return ev.AttemptEnded(**who, exit=status)
        case TimedOut(gone=gone):
            return ev.AttemptTimedOut(**who, gone=gone)
        case NeverStarted(why=why, final=final):
            return ev.AttemptNeverStarted(**who, why=why, final=final)
        case OutcomeUnknown(why=why):
            return ev.ContactLost(**who, why=why)
        case _:
            raise AssertionError(outcome)


def statuses(state: RunState, *names: str) -> Sequence[str]:
    """Where steps stand, as words."""
    return [str(state.step(StepId(name))) for name in names or state.plan.order]

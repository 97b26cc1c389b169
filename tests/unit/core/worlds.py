"""A small world for the rules alone: wishes are obeyed at once, time jumps."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from drrun.core import events as ev
from drrun.core.model.actions import DecisionAction, ManualAction, RunAction, UsesAction
from drrun.core.model.ids import LOCAL, StepId, TargetKey, TargetName
from drrun.core.model.inventory import Host, Inventory, Route, Site
from drrun.core.model.outcomes import (
    Ended,
    NeverStarted,
    Outcome,
    OutcomeUnknown,
    RefusedByHost,
    Stopped,
    TimedOut,
)
from drrun.core.model.plan import Plan, Selection, bind
from drrun.core.model.probes import Probe, ProbeKind, Purpose, Verdict
from drrun.core.model.runbook import Need, Role, Runbook, StandIn, Step
from drrun.core.model.status import Phase
from drrun.core.model.values import Duration
from drrun.core.people.commands import Command, command_of
from drrun.core.people.consider import Denied, Granted, consider
from drrun.core.rules import wishes as w
from drrun.core.rules.agenda import Agenda
from drrun.core.rules.capacity import Activity, Capacity, InFlight
from drrun.core.rules.decide import decide
from drrun.core.rules.decision import Decision
from drrun.core.rules.retrying import retry_planned
from drrun.core.rules.roles import role_of
from drrun.core.state.run_state import Replan, RunState, attempt_of, fold
from drrun.core.state.target import TargetState


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


def decision(name: str, *needs: str, **keys: object) -> Step:
    """A step at which somebody chooses to go or to wait."""
    how = {each: keys.pop(each) for each in ("authority", "default", "decide_by") if each in keys}
    action = DecisionAction({"go": {}, "wait": {}}, **how)  # type: ignore[arg-type] # kwargs
    return step(name, *needs, action=action, **keys)


def wait(name: str, *needs: str, **arguments: object) -> Step:
    """A step that waits."""
    return step(name, *needs, action=UsesAction("wait", arguments))


def stand_in(text: str = "instead", **keys: object) -> StandIn:
    """An undo, or the form of a step after a loss."""
    return StandIn(RunAction(text), **keys)  # type: ignore[arg-type] # kwargs


def probe(text: str = "look", **keys: object) -> Probe:
    """A probe that runs something."""
    kind = keys.pop("kind", ProbeKind.RUN)
    return Probe(kind=kind, ask={"text": text}, **keys)  # type: ignore[arg-type] # kwargs


#: Who is who in these tests: drew drives, simon and ludovic have a role, ada stands in.
ROLES = {"dba": Role("dba", people=("drew", "simon", "ludovic"), deputies=("ada",))}


def two_sites() -> Inventory:
    """db1 and db2 in Philadelphia, db3 in Amsterdam."""
    return Inventory(
        sites={"phl": Site("phl", provider="colo"), "ams": Site("ams", provider="host")},
        hosts={
            "db1": Host("db1", "phl", routes=(Route("10.0.0.1"), Route("192.0.2.1", "oob"))),
            "db2": Host("db2", "phl"),
            "db3": Host("db3", "ams"),
        },
    )


def plan_of(
    *steps: Step,
    inventory: Inventory | None = None,
    selection: Selection | None = None,
    roles: Mapping[str, Role] | None = None,
    locks: Mapping[str, int] | None = None,
) -> Plan:
    """A live plan of these steps."""
    runbook = Runbook(
        name="test",
        steps={each.id: each for each in steps},
        locks=locks or {},
        waivers=({"rule": "missing-verify", "reason": "the tests see the effects"},),
        roles=ROLES if roles is None else roles,
    )
    chosen = selection or Selection()
    return bind(runbook, inventory or Inventory(), {}, chosen, lambda value, _: value)


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
    #: What `when` and `not_before` come to.
    condition: Callable[[StepId], bool] = lambda _: True
    clock: Callable[[StepId], float] = lambda _: 0.0
    #: Makes the plan anew with amendments.
    replan: Replan | None = None
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
        self.state = RunState(self.plan, self.replan)
        self.agenda = Agenda(self.state)

    def start(self, by: str = "drew", **options: object) -> "World":
        """Somebody starts the run."""
        self.record(
            ev.RunStarted(
                name="test", title="", mode="live", variant="", inputs={}, options=options, by=by,
                tool="",
            )
        )  # fmt: skip
        return self

    def ask(self, kind: str, by: str = "simon", **body: object) -> Granted | Denied:
        """Somebody asks for something, as the inbox has it; what is granted is recorded."""
        command = command_of(kind, body)
        assert command is not None, kind
        return self.give(command, by)

    def give(self, command: Command, by: str) -> Granted | Denied:
        """Somebody asks for something; what is granted is recorded."""
        found = consider(self.state, command, by, self.now)
        for event in found.events if isinstance(found, Granted) else ():
            self.record(event)
        return found

    def target(self, step: str, target: str = LOCAL) -> TargetState:
        """What is known of a target."""
        return self.state.targets[TargetKey(StepId(step), TargetName(target))]

    def record(self, event: ev.Event) -> None:
        """Apply and write one event, or die."""
        if self.die_after is not None and len(self.journal) >= self.die_after:
            raise Killed
        self.state.apply(event, self.now)
        self.journal.append((self.now, event))

    def resume(self) -> None:
        """A new controller: everything is folded from the journal, nothing is in the air."""
        self.die_after = None
        self.state = fold(self.plan, self.journal, self.replan)
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
            if target.phase is Phase.ACTING:  # otherwise it is settled by now
                outcome = Stopped(gone=True) if target.ending else self.acting(key, target.attempt)
                self.record(_fact(outcome, who, aborted=bool(self.state.aborted)))
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
            case w.SeeCondition(step=step):
                value = self.condition(step)
                self.record(ev.ConditionSeen(step=step, expression="when", value=value))
            case w.SeeClock(step=step):
                self.record(ev.ClockSet(step=step, until=self.clock(step)))
            case w.BeginWait(key=key):
                self._begin_wait(key)
            case w.EndAttempt(key=key, why=why):
                self.record(ev.EndingBegan(**attempt_of(self.state, key), why=why))
            case w.Show(key=key, note=note):
                who = attempt_of(self.state, key)
                self.record(ev.ActionShown(**who, action="run", command="x", host="", note=note))
            case _:
                assert_never(wish)

    def _begin_wait(self, key: TargetKey) -> None:
        who, action = attempt_of(self.state, key), self.state.plan.steps[key.step].step.action
        self.record(ev.AttemptIntended(**who, action="wait", command="", host="local"))
        span = action.arguments.get("for") if isinstance(action, UsesAction) else None
        if isinstance(span, int):
            self.record(ev.WaitBegan(**who, until=self.now + span))

    def _gate(self, wish: w.OpenGate) -> ev.GateOpened:
        step = self.state.plan.steps[wish.key.step].step
        return ev.GateOpened(
            step=wish.key.step,
            target=wish.key.target,
            gate=wish.kind,
            text="?",
            role=role_of(step, wish.kind),
            purpose=wish.purpose or "",
            index=wish.index,
            **_asked(step, wish.kind, self.now),
        )


class Killed(Exception):
    """The controller was killed."""


def _asked(step: Step, kind: str, now: float) -> dict[str, Any]:
    """What else a question says."""
    match kind, step.action:
        case "approval", _:
            given = step.approval or {}
            names = {"count": "count", "type_to_confirm": "typed", "signed": "signed"}
            return {name: given[written] for written, name in names.items() if written in given}
        case "manual", ManualAction() as action:
            return {"input": dict(action.input), "evidence": action.evidence}
        case "decision", DecisionAction() as action:
            due = None if action.decide_by is None else now + Duration.parse(action.decide_by)
            named = dict.fromkeys(action.options, "")
            return {"options": named, "default": action.default or "", "decide_at": due}
        case _:
            return {}


def _fact(outcome: Outcome, who: ev.AttemptName, *, aborted: bool) -> ev.Event:
    match outcome:
        case Ended(exit=status):
            return ev.AttemptEnded(**who, exit=status)
        case Stopped(gone=gone) if aborted:
            return ev.AttemptStopped(**who, gone=gone)
        case TimedOut(gone=gone) | Stopped(gone=gone):
            return ev.AttemptTimedOut(**who, gone=gone)
        case NeverStarted(why=why, final=final):
            return ev.AttemptNeverStarted(**who, why=why, final=final)
        case RefusedByHost(why=why):
            return ev.AttemptNeverStarted(**who, why=why, final=True)
        case OutcomeUnknown(why=why):
            return ev.ContactLost(**who, why=why)
        case _:
            assert_never(outcome)


def statuses(state: RunState, *names: str) -> Sequence[str]:
    """Where steps stand, as words."""
    return [str(state.step(StepId(name))) for name in names or state.plan.order]

"""Random runs as a stranger would judge them: by what the contract promises, from events alone.

Rules:
- The judge reads events and the plan. Of the state it believes only what it could not know itself:
  who is a member of a role, what a need comes to, which host a target acts on.
- A promise that is broken is an AssertionError at the event that broke it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.actions import ManualAction
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.outcomes import (
    Ended,
    NeverStarted,
    Outcome,
    OutcomeUnknown,
    Stopped,
    TimedOut,
)
from drrun.core.model.plan import Plan
from drrun.core.model.probes import ProbeKind, Purpose, Verdict
from drrun.core.model.runbook import (
    Estimate,
    OnFailure,
    OnUnknown,
    Retry,
    RetryCause,
    StandIn,
    Step,
)
from drrun.core.model.status import FINAL, Phase, RunStatus, Status
from drrun.core.model.values import Duration, Share
from drrun.core.rules import wishes as w
from drrun.core.rules.capacity import Activity
from drrun.core.rules.probe_lists import asked_of
from drrun.core.rules.relapse import RERUNS
from drrun.core.rules.roles import may
from drrun.core.rules.undoing import undo_of
from drrun.core.state.run_state import attempt_of
from drrun.core.state.target import purposes_of
from tests.unit.core.worlds import (
    World,
    decision,
    manual,
    plan_of,
    probe,
    stand_in,
    step,
    two_sites,
    wait,
)

HOSTS = ("db1", "db2", "db3")
OUTCOMES: Sequence[Outcome] = [
    Ended(0), Ended(0), Ended(0), Ended(1), NeverStarted("down"), NeverStarted("key", final=True),
    TimedOut(gone=True), TimedOut(gone=False), OutcomeUnknown("cut"),
]  # fmt: skip

probes = st.lists(
    st.sampled_from(
        [
            probe("p"),
            probe("within", within=Duration(3), every=Duration(1)),
            probe("stable", stable_for=Duration(2), every=Duration(1)),
            probe("seen?", kind=ProbeKind.ASK),
        ]
    ),
    max_size=2,
).map(tuple)


def seldom(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """What an author writes now and then."""
    return st.integers(0, 4).flatmap(lambda n: values if n == 4 else st.just(None))


#: Keys of a step, each with what it may be; None: not written.
KEYS: Mapping[str, st.SearchStrategy[object]] = {
    "guard": seldom(probes),
    "done_when": seldom(probes),
    "verify": probes,
    "watch": seldom(st.just((probe("alive"),))),
    "on_regressed": st.sampled_from([None, "pause", "continue", "rerun"]),
    "retry": st.builds(
        lambda attempts, on: Retry(attempts=attempts, on=tuple(on)),
        st.integers(1, 3),
        st.lists(st.sampled_from(list(RetryCause)), unique=True),
    ),
    "on_failure": st.sampled_from([OnFailure.STOP, *OnFailure]),
    "on_unknown": st.sampled_from(list(OnUnknown)),
    "approval": seldom(st.integers(1, 2).map(lambda n: {"role": "dba", "count": n})),
    "irreversible": seldom(st.just(True)),
    "undo": st.sampled_from(
        [None, "none", stand_in(), stand_in(verify=(probe("gone?"),)),
         StandIn(ManualAction("undo it"))]
    ),
    "when_lost": st.sampled_from([None, None, "skip", "block", stand_in(verify=(probe("f"),))]),
    "timeout": seldom(st.just(Duration(2))),
    "on_timeout": seldom(st.just("ask")),
    "estimate": seldom(st.just(Estimate(Duration(1), Duration(2)))),
    "locks": seldom(st.just(("x",))),
    "when": seldom(st.just("x")),
    "on": seldom(st.lists(st.sampled_from(HOSTS), min_size=1, unique=True).map(tuple)),
}  # fmt: skip


@st.composite
def written_steps(draw: st.DrawFn) -> tuple[Step, ...]:
    """Up to six steps that need earlier ones, with all that a run may meet."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 6))):
        name, earlier = f"s{number}", [each.id for each in steps]
        needs: list[str | tuple[str, ...]] = []
        if earlier:
            needs = list(draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)))
        if len(earlier) > 1 and draw(st.booleans()):
            needs.append(tuple(earlier[-2:]))
        drawn = {key: draw(values) for key, values in KEYS.items()}
        keys = {key: value for key, value in drawn.items() if value is not None}
        match draw(st.integers(0, 9)):
            case 0:
                made = manual(name)
            case 1:
                made = draw(
                    st.sampled_from([decision(name), decision(name, decide_by="4s", default="go")])
                )
            case 2:
                made = draw(
                    st.sampled_from([wait(name, **{"for": 2}), wait(name, until=(probe("u"),))])
                )
            case 3 | 4 if "on" not in keys:
                made = step(
                    name,
                    for_each=["p", "q", "r"],
                    batch=draw(st.sampled_from([(), (Share(1),), (Share(1), Share(2))])),
                    max_failures=Share(draw(st.integers(0, 1))),
                )
            case _:
                made = step(name)
        needed = step(name, *needs).needs
        steps.append(replace(made, needs=needed, **keys))  # type: ignore[arg-type] # keys of a step
    return tuple(steps)


def bound(steps: Sequence[Step]) -> Plan:
    return plan_of(*steps, inventory=two_sites(), locks={"x": 1})


@dataclass
class Judge:
    """Watches events. One promise of the contract, section 5, for each method."""

    world: "Stranger"
    #: What is known of each target's last attempt: `in flight`, `unknown`, `known`.
    attempts: dict[TargetKey, str] = field(default_factory=dict)
    intended: set[tuple[TargetKey, int]] = field(default_factory=set)
    #: Somebody may have it done again, although nobody knows what became of it.
    allowed: set[TargetKey] = field(default_factory=set)
    #: What each probe said last, since the list was begun.
    said: dict[tuple[TargetKey, str], dict[int, str]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    approved: dict[TargetKey, set[str]] = field(default_factory=lambda: defaultdict(set))
    confirmed: set[TargetKey] = field(default_factory=set)
    retries: Counter[TargetKey] = field(default_factory=Counter)
    reruns: Counter[TargetKey] = field(default_factory=Counter)
    undoing: set[TargetKey] = field(default_factory=set)

    def step(self, key: TargetKey) -> Step:
        return self.world.state.plan.steps[key.step].step

    def before(self, event: ev.Event) -> None:
        """What must hold when an event is about to happen."""
        state = self.world.state
        if isinstance(event, ev.TargetBegan):
            self._may_begin(event.key)
        elif isinstance(event, ev.AttemptIntended):
            self._may_act(event)
        elif isinstance(event, ev.TargetFailed):
            known = self.attempts.get(event.key, "known")
            assert known == "known", f"{event.key} failed, and its attempt is {known}"
        elif isinstance(event, ev.RetryPlanned) and event.cause in set(RetryCause):
            assert self.retries[event.key] + 1 < self.step(event.key).retry.attempts
        elif isinstance(event, ev.UndoBegan):
            self._may_be_undone(event.key)
        elif isinstance(event, ev.RunEnded):
            self._may_end(RunStatus(event.status))
        elif isinstance(event, ev.TargetReopened) and event.rerun:
            assert self.reruns[event.key] < RERUNS
        if isinstance(event, ev.TargetBegan | ev.AttemptIntended):
            assert state.ended is None

    def _may_begin(self, key: TargetKey) -> None:
        """Edges, locks, batches; nothing begins while the run stands still."""
        state = self.world.state
        assert not any((state.aborted, state.rolling_back, state.paused))
        if not state.targets[key].attempt or not state.targets[key].begun:
            planned = state.plan.steps[key.step]
            assert all(state.met(need) for need in planned.step.needs)
            keys = list(state.keys(key.step))
            earlier = max((size for size in planned.batches if size <= keys.index(key)), default=0)
            assert all(state.targets[each].status in FINAL for each in keys[:earlier])
        for lock in self.step(key).locks:
            others = state.held[lock] - state.targets[key].active
            assert others < state.plan.runbook.locks[lock]

    def _may_act(self, event: ev.AttemptIntended) -> None:
        """At most once, after guards and people's word, and never while the last one may live."""
        key, state = event.key, self.world.state
        step, undoing = self.step(key), key in self.undoing
        assert (key, event.attempt) not in self.intended, f"{key} is intended twice"
        known = self.attempts.get(key, "known")
        assert known == "known" or key in self.allowed, f"{key} acts, its last attempt is {known}"
        assert not state.aborted
        assert undoing or not (state.paused or state.rolling_back)
        assert state.hosts[key] not in state.circumstances.lost_hosts
        if undoing:
            return
        if key not in state.in_lost_form:
            self._holds(key, Purpose.GUARD, bypass=state.targets[key].bypass)
        if step.approval is not None:
            assert len(self.approved[key]) >= step.approval["count"]
        elif step.irreversible:
            assert key in self.confirmed

    def _holds(self, key: TargetKey, purpose: Purpose, bypass: str = "") -> None:
        """Each probe of a list was seen to hold."""
        asked = asked_of(self.world.state, key, purpose)
        said = self.said[key, purpose]
        for index, each in enumerate(asked):
            if not (bypass and each.label == bypass):
                assert said.get(index) == Verdict.HOLDS, f"{key}: {purpose} {index} {said}"

    def _may_be_undone(self, key: TargetKey) -> None:
        """Nothing that needs it still stands."""
        state, line, seen = self.world.state, [key.step], set[StepId]()
        while line:
            for dependent in state.plan.dependents[line.pop()]:
                if dependent in seen or undo_of(state, dependent) is None:
                    line += [] if dependent in seen else [dependent]
                    seen.add(dependent)
                    continue
                seen.add(dependent)
                line.append(dependent)
                for other in state.keys(dependent):
                    target = state.targets[other]
                    stands = target.status in (Status.PASSED, Status.REGRESSED)
                    assert not stands or target.already

    def _may_end(self, status: RunStatus) -> None:
        """Nothing is in flight, and the word for it is true."""
        state = self.world.state
        assert not self.world.air
        if status is RunStatus.SUCCEEDED:
            steps = {state.step(name) for name in state.plan.order}
            assert steps <= {Status.PASSED, Status.SKIPPED}
        if status is not RunStatus.ABORTED:
            assert not state.active

    def after(self, event: ev.Event, was: Status | None) -> None:
        """Take in what has happened, and look whether a step passed as it may."""
        if isinstance(event, ev.RunResumed):
            self._resumed()
        if not isinstance(event, ev.TargetEvent):
            return
        key, target = event.key, self.world.state.targets[event.key]
        self._note(event, key)
        if target.status is Status.PASSED and was is not Status.PASSED:
            self._may_pass(event, key)

    def _may_pass(self, event: ev.TargetEvent, key: TargetKey) -> None:
        """Only by verification, or by a person's word that is recorded as such."""
        match event:
            case ev.ProbesConcluded(purpose=purpose):
                self._holds(key, Purpose(purpose))
            case ev.GateAnswered(gate="unknown", answer="confirm") | ev.TargetMarked():
                assert event.by != "controller"
            case ev.Recovered():
                pass
            case ev.NotRolledBack():
                assert key in self.undoing
            case _:
                raise AssertionError(f"{key} passed by {event}")

    def _note(self, event: ev.TargetEvent, key: TargetKey) -> None:
        match event:
            case ev.TargetBegan():
                for purpose in Purpose:
                    self.said[key, purpose].clear()
            case ev.AttemptIntended():
                self.intended.add((key, event.attempt))
                self.attempts[key] = "in flight"
                self.allowed.discard(key)
                for purpose in (Purpose.VERIFY, Purpose.RECONCILE, Purpose.UNDONE, Purpose.UNTIL):
                    self.said[key, purpose].clear()
            case ev.AttemptEnded() | ev.AttemptNeverStarted() | ev.WaitEnded():
                self.attempts[key] = "known"
            case ev.AttemptTimedOut() | ev.AttemptStopped():
                self.attempts[key] = "known" if event.gone else "unknown"
            case ev.ContactLost():
                self.attempts[key] = "unknown"
                self.said[key, Purpose.RECONCILE].clear()
            case ev.ProbesConcluded(purpose=Purpose.UNTIL):
                self.attempts[key] = "known"
            case ev.ProbesConcluded(purpose=Purpose.RECONCILE, verdict=Verdict.HOLDS):
                self.attempts[key] = "known"
            case ev.ProbeSeen():
                self.said[key, event.purpose][event.index] = event.verdict
            case ev.GateAnswered(gate="ask"):
                verdict = Verdict.HOLDS if event.answer == "confirm" else Verdict.DOES_NOT_HOLD
                self.said[key, event.purpose][event.index] = verdict
            case ev.GateAnswered(gate="unknown"):
                self.attempts[key] = "known"
            case ev.GateAnswered(gate="irreversible", answer="confirm"):
                self.confirmed.add(key)
            case ev.Approved(by=by) | ev.GateAnswered(gate="approval", answer="approve", by=by):
                self._approves(key, by)
            case ev.TargetMarked():
                self.attempts[key] = "known"
            case ev.RetryPlanned():
                self._again(event, key)
            case ev.TargetReopened():
                self._reopened(event, key)
            case ev.UndoBegan():
                self.undoing.add(key)
            case _:
                pass

    def _approves(self, key: TargetKey, by: str) -> None:
        state = self.world.state
        assert by != state.circumstances.driver
        assert may(state, "dba", by)
        self.approved[key].add(by)

    def _again(self, event: ev.RetryPlanned, key: TargetKey) -> None:
        if event.cause in set(RetryCause):
            self.retries[key] += 1
        elif event.by != "controller" or event.cause == "lost":
            self.allowed.add(key)
        else:
            assert self.step(key).on_unknown is OnUnknown.RERUN
            self.allowed.add(key)

    def _resumed(self) -> None:
        """Whoever resumes opens everything again that has not passed."""
        self.retries.clear()
        for key, target in self.world.state.targets.items():
            if target.phase is Phase.ACTING:
                self.attempts[key] = "in flight"
            elif target.status is Status.PENDING:
                self._forget(key)

    def _forget(self, key: TargetKey) -> None:
        self.approved.pop(key, None)
        self.confirmed.discard(key)
        self.undoing.discard(key)

    def _reopened(self, event: ev.TargetReopened, key: TargetKey) -> None:
        if event.seek:
            self.attempts[key] = "in flight"
            return
        self.retries[key] = 0
        self.reruns[key] = self.reruns[key] + 1 if event.rerun else 0
        if event.rewind:
            self.allowed.add(key)
        if self.world.state.targets[key].status is Status.PENDING:
            self._forget(key)


@dataclass
class Stranger(World):
    """A world in which attempts are found again, answers come late, and a judge looks on."""

    judge: Judge = field(init=False)
    #: Which attempt each thing in the air belongs to.
    of: dict[Activity, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.judge = Judge(self)

    def record(self, event: ev.Event) -> None:
        was = self.state.targets[event.key].status if isinstance(event, ev.TargetEvent) else None
        self.judge.before(event)
        super().record(event)
        self.judge.after(event, was)

    def obey(self, wish: w.Wish) -> None:
        if isinstance(wish, w.Reconcile):
            self.air[Activity(wish.key)] = self.state.hosts[wish.key]
        else:
            if isinstance(wish, w.Evaluate):
                host = self.state.hosts[wish.key]
                assert host not in self.state.circumstances.lost_hosts
            super().obey(wish)
        for activity in self.air:
            self.of.setdefault(activity, self.state.targets[activity.key].attempt)

    def settle(self) -> None:
        """Until nothing more follows now."""
        for _ in range(500):
            self._part()
            decision = self.decide()
            for wish in decision.wishes:
                self.obey(wish)
            self._look()
            if not decision.wishes:
                self._nobody_is_forgotten(decision.wake_at)
                return
        raise AssertionError("the rules never come to rest")

    def _part(self) -> None:
        """What was settled from elsewhere is followed no more."""
        for activity in list(self.air):
            target = self.state.targets[activity.key]
            if activity.purpose is None and target.phase is not Phase.ACTING:
                del self.air[activity]
        self.of = {
            activity: attempt for activity, attempt in self.of.items() if activity in self.air
        }

    def _look(self) -> None:
        """Limits that hold at every moment."""
        assert len(self.air) <= self.max_parallel
        assert all(self.air.on[host] <= most for host, most in self.sessions.items())
        state = self.state
        assert all(state.held[lock] <= most for lock, most in state.plan.runbook.locks.items())

    def _nobody_is_forgotten(self, wake_at: float | None) -> None:
        """A run that rests has ended, or something comes, or a person knows what is wanted."""
        state = self.state
        if state.ended is not None or self.air or wake_at is not None or state.paused:
            return
        asked = any(target.gate for target in state.targets.values())
        broken = any(state.step(name) is Status.REGRESSED for name in state.plan.order)
        assert asked or broken, (
            f"nothing follows: {[str(state.step(n)) for n in state.plan.order]}"
        )

    def answer(self, activity: Activity, outcome: Outcome, verdict: Verdict) -> None:
        """One thing in the air comes down; what is settled by now changes nothing."""
        target, purpose = self.state.targets[activity.key], activity.purpose
        late = self.of[activity] != target.attempt
        if purpose is not None and (late or purpose not in purposes_of(target.phase)):
            del self.air[activity]
            return
        self.acting = lambda *_: outcome
        self.answering = lambda *_: verdict
        self.land(activity)

    def stop(self, activity: Activity, outcome: Stopped) -> None:
        """An attempt that is being ended is ended, or cannot be proved to be."""
        del self.air[activity]
        who = attempt_of(self.state, activity.key)
        stopped = ev.AttemptStopped if self.state.aborted else ev.AttemptTimedOut
        self.record(stopped(**who, gone=outcome.gone))

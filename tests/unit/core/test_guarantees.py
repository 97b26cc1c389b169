"""What the contract guarantees, in random runs: people, losses, crashes, answers in any order."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from drrun.core import events as ev
from drrun.core.model.ids import TargetKey
from drrun.core.model.outcomes import Ended, Outcome, Stopped
from drrun.core.model.plan import Plan
from drrun.core.model.probes import Verdict
from drrun.core.model.runbook import Step
from drrun.core.model.status import Phase, RunStatus, Status
from drrun.core.people.commands import Approve, Command, Confirm, Decide, Unpause, command_of
from drrun.core.people.consider import Denied, consider
from drrun.core.rules.relapse import relapse
from drrun.core.state.run_state import RunState, fold
from tests.unit.core.strangers import HOSTS, OUTCOMES, Stranger, bound, written_steps
from tests.unit.core.worlds import step

PEOPLE = ("drew", "simon", "ludovic", "ada", "eve")
THINGS = (*(f"host:{name}" for name in HOSTS), "site:phl", "person:ada", "person:simon")
#: What people ask for, with what they may say besides.
ASKED: Sequence[tuple[str, dict[str, object]]] = [
    ("confirm", {}), ("confirm", {}), ("approve", {}), ("approve", {}), ("reject", {}),
    ("reject", {"rewind_to": "s0"}), ("decide", {"option": "go"}), ("retry", {}),
    ("retry", {"only_failed": True}), ("retry", {"bypass_guard": "run: p", "reason": "x"}),
    ("skip", {"reason": "x"}), ("mark-done", {"reason": "x"}), ("claim", {}), ("pause", {}),
    ("unpause", {}), ("unpause", {}), ("abort", {"reason": "x"}),
    ("rollback", {"reason": "x", "typed": "test"}), ("lost", {"reason": "x"}), ("found", {}),
    ("amend", {"reason": "x"}),
]  # fmt: skip


class Run(RuleBasedStateMachine):
    """One run, from its start until nobody does anything any more."""

    world: Stranger

    @initialize(steps=written_steps(), max_parallel=st.integers(1, 4), sessions=st.integers(1, 2))
    def start(self, steps: tuple[Step, ...], max_parallel: int, sessions: int) -> None:
        def replan(amendments: Sequence[ev.PlanAmended]) -> Plan:
            """Each amendment adds a step, and writes another one anew."""
            written = {each.id: each for each in steps}
            for number, each in enumerate(amendments):
                if (changed := written.get(each.path)) is not None:  # type: ignore[call-overload] # a name
                    written[changed.id] = replace(changed, description=each.text)
                needs = () if number else (steps[0].id,)
                added = step(f"x{number}", *needs, verify=steps[0].verify)
                written[added.id] = added
            return bound(list(written.values()))

        self.steps, self.epoch = steps, 0
        self.world = Stranger(
            bound(steps),
            max_parallel=max_parallel,
            sessions=dict.fromkeys(HOSTS, sessions),
            replan=replan,
        )
        self.world.start("drew")
        self._take()
        self.world.settle()

    def _take(self) -> None:
        self.epoch += 1
        self.world.record(
            ev.ControllerTook(epoch=self.epoch, holder="c", host="c", pid=1, tool="", meets=True)
        )

    @rule(
        answers=st.lists(
            st.tuples(
                st.integers(0, 9),
                st.sampled_from(OUTCOMES),
                st.sampled_from([Verdict.HOLDS, Verdict.HOLDS, *Verdict]),
            ),
            min_size=1,
            max_size=6,
        )
    )
    def the_world_answers(self, answers: list[tuple[int, Outcome, Verdict]]) -> None:
        for place, outcome, verdict in answers:
            if not self.world.air:
                self._let_time_pass()
            if self.world.air:
                activities = list(self.world.air)
                self.world.answer(activities[place % len(activities)], outcome, verdict)
                self.world.settle()

    def _let_time_pass(self) -> None:
        at = self.world.decide().wake_at
        self.world.now = max(self.world.now, at or 0.0)
        self.world.settle()

    @rule(rounds=st.integers(1, 4))
    def everything_goes_well(self, rounds: int) -> None:
        for _ in range(rounds):
            for activity in list(self.world.air):
                if activity in self.world.air:
                    self.world.answer(activity, Ended(0), Verdict.HOLDS)
            self.world.settle()
            self._let_time_pass()

    @rule(by=st.sampled_from(PEOPLE))
    def somebody_does_what_is_asked(self, by: str) -> None:
        """Every question is answered well; what stands still goes on."""
        if self.world.state.paused:
            self._ask(Unpause(), by)
        for key, target in list(self.world.state.targets.items()):
            kind = target.gate.kind if target.gate else ""
            if kind == "approval":
                self._ask(Approve(step=key.step, target=key.target), by)
            elif kind == "decision":
                self._ask(Decide(step=key.step, target=key.target, option="go"), by)
            elif kind:
                self._ask(Confirm(step=key.step, target=key.target), by)

    @rule(place=st.integers(0, 9), gone=st.booleans())
    def something_is_ended(self, place: int, gone: bool) -> None:
        ending = [
            each
            for each in self.world.air
            if each.purpose is None and self.world.state.targets[each.key].ending
        ]
        if ending:
            self.world.stop(ending[place % len(ending)], Stopped(gone=gone))
            self.world.settle()

    @rule(place=st.integers(0, 9), news=st.sampled_from(["began", "missed", "found"]))
    def an_attempt_tells_something(self, place: int, news: str) -> None:
        acting = self._of(lambda target: target.phase is Phase.ACTING)
        flying = [key for key in acting if any(each.key == key for each in self.world.air)]
        if not flying:
            return
        key = flying[place % len(flying)]
        who = ev.attempt_name(key, self.world.state.targets[key].attempt)
        match news:
            case "began":
                self.world.record(ev.AttemptStarted(**who))
            case "missed":
                self.world.record(ev.ContactMissed(**who, silent=10))
            case _:
                self.world.record(ev.ContactFound(**who, after=10))
        self.world.settle()

    @rule(seconds=st.sampled_from([0.5, 2.0, 10.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds
        self.world.settle()

    @precondition(lambda self: self.world.state.ended is None)
    @rule(
        place=st.integers(0, 9),
        asked=st.sampled_from(ASKED),
        by=st.sampled_from(PEOPLE),
        thing=st.sampled_from(THINGS),
        one=st.booleans(),
    )
    def somebody_asks(
        self, place: int, asked: tuple[str, dict[str, object]], by: str, thing: str, one: bool
    ) -> None:
        state, (kind, body) = self.world.state, asked
        keys = [key for key, target in state.targets.items() if target.gate] or list(state.targets)
        key = keys[place % len(keys)]
        said = {"step": key.step, "target": key.target if one else "", "thing": thing, **body}
        said |= {"path": key.step, "text": str(place)} if kind == "amend" else {}
        command = command_of(kind, said)
        assert command is not None
        self._ask(command, by)

    def _ask(self, command: Command, by: str) -> None:
        """A refusal changes nothing; what was granted is not asked for a second time."""
        world = self.world
        before = len(world.journal)
        found = world.give(command, by)
        if isinstance(found, Denied):
            assert len(world.journal) == before
        elif found.events and command.KIND in ("pause", "unpause", "abort", "lost", "claim"):
            again = consider(world.state, command, by, world.now)
            assert isinstance(again, Denied) or not again.events
        world.settle()

    @rule(place=st.integers(0, 9), broken=st.booleans())
    def a_watch_answers(self, place: int, broken: bool) -> None:
        state = self.world.state
        if state.ended is not None or state.aborted or state.rolling_back:
            return
        wanted = Status.PASSED if broken else Status.REGRESSED
        keys = [
            key
            for key in self._of(lambda target: target.status is wanted)
            if state.plan.steps[key.step].step.watch
        ]
        if not keys:
            return
        key = keys[place % len(keys)]
        if broken:
            for event in relapse(state, key, "alive", "no answer"):
                self.world.record(event)
        else:
            self.world.record(ev.Recovered(step=key.step, target=key.target, name="alive"))
        self.world.settle()

    @rule(by=st.none() | st.sampled_from(PEOPLE[:3]))
    def the_controller_dies(self, by: str | None) -> None:
        """Another one goes on; a person resumes the run, or it is taken over."""
        over = (RunStatus.SUCCEEDED, RunStatus.ROLLED_BACK)
        self.world.resume()
        self._take()
        if by is not None and self.world.state.ended not in over:
            self.world.record(ev.RunResumed(by=by))
        self.world.settle()

    def _of(self, wanted: object) -> list[TargetKey]:
        return [key for key, each in self.world.state.targets.items() if wanted(each)]  # type: ignore[operator] # a predicate

    def teardown(self) -> None:
        """State is what the journal folds to, and nothing else."""
        if hasattr(self, "world"):
            again = fold(self.world.plan, self.world.journal, self.world.replan)
            assert known(again) == known(self.world.state)


def known(state: RunState) -> dict[str, object]:
    """All that is known; who has looked at it is none of that, and plans are made anew."""
    return {name: value for name, value in vars(state).items() if name not in ("stirred", "plan")}


TestRun = Run.TestCase
TestRun.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

"""One turn of the controller: what it commits, when it acts, whom it wakes for."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.outcomes import Ended, Outcome
from drrun.core.model.plan import Plan
from drrun.core.model.probes import Verdict
from drrun.core.model.status import RunStatus
from drrun.journal.system_clock import SystemClock
from drrun.ports.hands import AttemptListener
from drrun.ports.journal import Draft, Entry, Lease
from drrun.ports.places import AttemptOrder, AttemptProgress, Output, ProbeAnswer
from drrun.testing.memory import MemoryJournal
from drrun.testing.scripted import ScriptedHands, ScriptedProber
from tests.unit.core.worlds import manual, plan_of, probe, step
from tests.unit.engine.rigs import Driving, Rig


class CountingJournal(MemoryJournal):
    """Keeps what each commit wrote."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.commits: list[list[str]] = []

    def append(self, lease: Lease, drafts: Sequence[Draft]) -> list[Entry]:
        self.commits.append([draft.kind for draft in drafts])
        return super().append(lease, drafts)


def counted(plan: Plan, **keys: object) -> tuple[Rig, CountingJournal]:
    journal = CountingJournal()
    return Rig(plan, journal=journal, **keys), journal  # type: ignore[arg-type] # kwargs


def test_a_chain_of_steps_is_one_commit_a_step() -> None:
    names = [f"s{n}" for n in range(50)]
    rig, journal = counted(
        plan_of(*(step(name, *names[n - 1 : n]) for n, name in enumerate(names)))
    )
    rig.start().drive()
    # One when the run starts; one a step, that also starts the next; the inbox may be looked at.
    assert len(journal.commits) == 1 + 50 + 1


def test_what_ends_together_is_committed_together() -> None:
    rig, journal = counted(plan_of(*(step(f"s{n}") for n in range(20)), step("last")))
    rig.start().drive()
    assert len(journal.commits) == 3


def test_nothing_is_sent_before_its_intent_is_durable() -> None:
    rig, journal = counted(plan_of(*(step(f"s{n}") for n in range(5))))
    sent: list[int] = []

    class Watching(ScriptedHands):
        def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
            sent.append(sum(kinds.count("AttemptIntended") for kinds in journal.commits))
            super().begin(order, output, report)

    rig.hands = Watching()
    rig.start().drive()
    assert sent == [5] * 5


def test_that_an_attempt_began_costs_no_commit_of_its_own() -> None:
    rig, journal = counted(plan_of(step("a"), step("b", "a"), step("c", "b")))
    rig.start().drive()
    assert not [kinds for kinds in journal.commits if set(kinds) == {"AttemptStarted"}]


def test_that_a_long_attempt_began_is_recorded_while_it_runs() -> None:
    rig = Rig(plan_of(step("a")))
    rig.hands.holds["a"] = threading.Event()
    driving = Driving(rig.start())
    driving.await_event("AttemptStarted", step="a")
    rig.hands.holds["a"].set()
    assert driving.end().status is RunStatus.SUCCEEDED


def test_an_answer_is_given_once_it_is_durable() -> None:
    rig, journal = counted(plan_of(manual("a"), step("b", "a")))
    driving = Driving(rig.start(linger=None))
    driving.await_event("GateOpened", step="a")
    answered: list[bool] = []
    settle = journal.settle

    def settled(*given: object) -> None:
        answered.append(any("GateAnswered" in kinds for kinds in journal.commits))
        settle(*given)  # type: ignore[arg-type] # as given

    journal.settle = settled  # type: ignore[method-assign,assignment] # only to look
    journal.post(driving.session.run, 0.0, "simon", "confirm", {"step": "a"})
    driving.end()
    assert answered == [True]


def test_requests_of_one_turn_see_each_other() -> None:
    rig = Rig(plan_of(manual("a"), step("b", "a")))
    session = rig.start()
    session.drive()
    first = rig.journal.post(session.run, 0.0, "simon", "confirm", {"step": "a"})
    second = rig.journal.post(session.run, 0.0, "drew", "reject", {"step": "a"})
    rig.resume(session.run).drive()
    answers = [rig.journal.answer(each) for each in (first, second)]
    assert [each and each.accepted for each in answers] == [True, False]


# --- answers that come along with an attempt -----------------------------------------------------

HERE = Inventory(hosts={"db1": Host("db1")})


@dataclass
class EarlyHands(ScriptedHands):
    """Sends checks along; `tell` says what is reported around the end."""

    #: Reported before the end, and after it.
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    #: Promised at the end.
    promised: Collection[int] = ()
    seen: ProbeAnswer | None = field(
        default_factory=lambda: ProbeAnswer(Verdict.HOLDS, "0", "", "db1")
    )

    def __post_init__(self) -> None:
        super().__init__()
        self.orders: list[AttemptOrder] = []

    def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
        self.orders.append(order)
        report.news(AttemptProgress(route="early"))
        for index in self.before:
            report.checked(index, self.seen)
        report.done(Ended(0), self.promised)
        for index in self.after:
            threading.Timer(0.05, report.checked, (index, self.seen)).start()


@dataclass
class CountingProber(ScriptedProber):
    """Counts what it is asked."""

    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def evaluate(self, question: object, cancel: object) -> ProbeAnswer:
        self.asked.append(str(getattr(question, "ask", "")))
        return super().evaluate(question, cancel)  # type: ignore[arg-type] # as given


def verified(hands: EarlyHands, *texts: str) -> tuple[RunStatus, list[str], CountingJournal]:
    """A step on db1 with these verify probes: how it ends, what was asked anew."""
    probes = tuple(probe(text) for text in texts or ("look",))
    prober = CountingProber()
    plan = plan_of(step("a", verify=probes, on=("db1",)), inventory=HERE)
    rig, journal = counted(plan, hands=hands, prober=prober)
    return rig.start().drive().status, prober.asked, journal


def test_an_answer_that_came_along_is_not_asked_for_again() -> None:
    status, asked, journal = verified(EarlyHands(before=(0,)))
    assert (status, asked) == (RunStatus.SUCCEEDED, [])
    assert {"AttemptEnded", "ProbeSeen", "ProbesConcluded"} <= set(journal.commits[-1])


def test_an_answer_that_comes_after_the_end_is_waited_for_and_shares_its_commit() -> None:
    status, asked, journal = verified(EarlyHands(promised=(0,), after=(0,)))
    assert (status, asked) == (RunStatus.SUCCEEDED, [])
    assert {"AttemptEnded", "ProbeSeen", "ProbesConcluded"} <= set(journal.commits[-1])


def test_hands_that_know_nothing_of_checks_leave_them_to_the_prober() -> None:
    assert verified(EarlyHands())[:2] == (RunStatus.SUCCEEDED, ["{'text': 'look'}"])


def test_an_answer_that_will_not_come_is_asked_for_anew() -> None:
    hands = EarlyHands(promised=(0,), after=(0,), seen=None)
    assert verified(hands)[:2] == (RunStatus.SUCCEEDED, ["{'text': 'look'}"])


def test_a_promise_that_is_not_kept_hangs_nothing() -> None:
    from drrun.core.model.values import Duration
    from drrun.engine import crew

    prober = CountingProber()
    quick = probe("look", timeout=Duration(0.1))
    plan = plan_of(step("a", verify=(quick,), on=("db1",)), inventory=HERE)
    rig = Rig(plan, hands=EarlyHands(promised=(0,)), prober=prober)
    patience, crew.PATIENCE = crew.PATIENCE, 0.1
    try:
        assert (rig.start().drive().status, len(prober.asked)) == (RunStatus.SUCCEEDED, 1)
    finally:
        crew.PATIENCE = patience


def test_only_what_did_not_come_along_is_asked() -> None:
    status, asked, _ = verified(EarlyHands(before=(1,)), "first", "second")
    assert (status, asked) == (RunStatus.SUCCEEDED, ["{'text': 'first'}"])


def test_a_question_that_reads_otherwise_after_the_attempt_is_asked_anew() -> None:
    from drrun.core.model.actions import RunAction
    from drrun.core.model.runbook import Capture

    hands = EarlyHands(before=(0,))
    text = "look {{ steps.a.lag if steps.a.lag is defined else 0 }}"
    prober = CountingProber()
    made = step(
        "a", action=RunAction("lag"), capture=(Capture("lag"),), verify=(probe(text),), on=("db1",)
    )
    rig = Rig(plan_of(made, inventory=HERE), hands=hands, prober=prober)
    rig.start().drive()
    assert (list(hands.orders[0].checks), len(prober.asked)) == ([0], 1)


def test_a_probe_that_needs_what_the_attempt_finds_does_not_travel_with_it() -> None:
    hands = EarlyHands()
    verified(hands, "look {{ steps.a.lag }}", "look")
    assert list(hands.orders[0].checks) == [1]


def test_a_probe_that_is_asked_elsewhere_does_not_travel_with_the_attempt() -> None:
    hands = EarlyHands()
    plan = plan_of(step("a", verify=(probe("x", on=("local",)),), on=("db1",)), inventory=HERE)
    Rig(plan, hands=hands).start().drive()
    assert not hands.orders[0].checks


def test_a_host_that_reboots_is_asked_once_it_is_back() -> None:
    hands = EarlyHands()
    plan = plan_of(step("a", verify=(probe(),), reboots=True, on=("db1",)), inventory=HERE)
    Rig(plan, hands=hands).start().drive()
    assert not hands.orders[0].checks


def test_an_early_answer_of_one_attempt_is_not_taken_for_that_of_the_next() -> None:
    from drrun.core.model.runbook import Retry, RetryCause

    class Twice(EarlyHands):
        def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
            self.orders.append(order)
            good = order.attempt == 2
            if not good:
                report.checked(0, self.seen)
            outcome: Outcome = Ended(0 if good else 1)
            report.done(outcome)

    prober = CountingProber()
    retry = Retry(attempts=2, on=(RetryCause.FAILED,))
    plan = plan_of(step("a", verify=(probe(),), retry=retry, on=("db1",)), inventory=HERE)
    assert Rig(plan, hands=Twice(), prober=prober).start().drive().status is RunStatus.SUCCEEDED
    assert len(prober.asked) == 1

"""From wishes to facts and acts: what each wish records, and what is done once that is durable.

Rules:
- Obeying records first. Acts are collected and carried out by the controller after the commit
  (write ahead, contract guarantee 1).
- A slot is reserved at once, so that the next decision of the same turn sees it as taken.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import assert_never

from drrun.core import events as ev
from drrun.core.model.actions import UsesAction
from drrun.core.model.errors import InputError, NotReady
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.moments import parse_moment
from drrun.core.model.probes import Verdict
from drrun.core.model.runbook import Mode
from drrun.core.model.status import Phase
from drrun.core.model.values import Duration
from drrun.core.people.commands import SetRoute
from drrun.core.people.consider import Denied, consider
from drrun.core.rules import wishes as w
from drrun.core.rules.capacity import Activity
from drrun.core.rules.retrying import retry_planned
from drrun.core.state.reached import UNKNOWN
from drrun.core.state.run_state import attempt_of
from drrun.engine.crew import Crew
from drrun.engine.gates import gate
from drrun.engine.ledger import Ledger
from drrun.engine.observations import ProbeAnswered
from drrun.engine.observe import facts
from drrun.engine.orders import Orders
from drrun.engine.retries import delay_before
from drrun.engine.watching import Watching
from drrun.ports.clock import Clock, Ids
from drrun.ports.places import AttemptOrder, ProbeAnswer

Act = Callable[[], object]


class WishHandler:
    """Turns wishes into facts, and into acts for later."""

    def __init__(self, ledger: Ledger, orders: Orders, crew: Crew, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._state = ledger.state
        self._orders = orders
        self._crew = crew
        self._clock = clock
        self._ids = ids
        self._acts: list[Act] = []
        #: Open approvals that have a condition.
        self._conditional = {key: None for key in self._state.active if self._is_conditional(key)}

    def take_acts(self) -> list[Act]:
        """What is to be done now that the facts are durable."""
        acts, self._acts = self._acts, []
        return acts

    def obey(self, wish: w.Wish) -> None:
        """Record the facts of one wish and keep its act."""
        match wish:
            case w.Record(event=event):
                self._ledger.record(event)
            case w.SeeCondition(step=step):
                self._see_condition(step)
            case w.SeeClock(step=step):
                self._see_clock(step)
            case w.Evaluate():
                self._evaluate(wish)
            case w.StartAttempt(key=key):
                self._start(key)
            case w.BeginWait(key=key):
                self._begin_wait(key)
            case w.Reconcile(key=key):
                self._reconcile(key)
            case w.EndAttempt(key=key, why=why):
                self._ledger.record(ev.EndingBegan(**self._attempt(key), why=why))
                self._acts.append(partial(self._crew.end, Activity(key)))
            case w.LetGo(key=key, why=why):
                self._ledger.record(ev.EndingBegan(**self._attempt(key), why=why))
                self._let_go(Activity(key))
            case w.Show():
                self._show(wish)
            case w.OpenGate():
                self._open_gate(wish)
            case w.PlanRetry():
                now = self._clock.now()
                self._ledger.record(retry_planned(self._state, wish, now, delay_before))
            case _:
                assert_never(wish)

    def _let_go(self, activity: Activity) -> None:
        order = self._crew.let_go(activity)
        if order is not None:
            self._acts.append(partial(self._crew.release, order))

    def part(self, watching: Watching) -> None:
        """Release what the facts of this turn have settled; tell the watches."""
        self._look_at_conditions()
        for key in self._ledger.touched():
            if key not in self._state.targets:
                continue  # an amendment moved its step to other hosts
            watching.changed(key)
            phase = self._state.targets[key].phase
            if phase is not Phase.ACTING:
                self._let_go(Activity(key))
                if phase is not Phase.VERIFY:
                    self._crew.judged(key)

    def _attempt(self, key: TargetKey) -> ev.AttemptName:
        return attempt_of(self._state, key)

    def _evaluate(self, wish: w.Evaluate) -> None:
        activity = Activity(wish.key, wish.purpose, wish.index)
        attempt = self._state.targets[wish.key].attempt
        try:
            questions = self._orders.questions(wish.key, wish.purpose, wish.index)
        except (InputError, NotReady) as error:
            seen = ProbeAnswer(Verdict.COULD_NOT_TELL, "", str(error))
            self._answered(ProbeAnswered(activity, attempt, seen, self._clock.now()))
            return
        early = self._crew.early(activity, attempt, questions)
        if early is not None:
            self._answered(early)
            return
        self._crew.book(activity, self._state.hosts[wish.key])
        self._acts.append(partial(self._crew.ask, activity, attempt, questions))

    def _answered(self, asked: ProbeAnswered) -> None:
        """The answer is known now, without asking anybody."""
        for event in facts(self._state, asked):
            self._ledger.record(event, at=asked.at)

    def _start(self, key: TargetKey) -> None:
        try:
            order = replace(self._orders.attempt(key), mark=self._ids.new_mark())
        except (InputError, NotReady) as error:
            why = str(error)
            if self._state.plan.mode is Mode.DRY_RUN and isinstance(error, InputError):
                self._show(w.Show(key, f"cannot be known before the steps that come first: {why}"))
                return
            self._ledger.record(ev.AttemptNeverStarted(**self._attempt(key), why=why, final=True))
            return
        self._ledger.record(self._intent(key, order))
        if order.action == "set_route":
            self._set_route(key, order)
        elif order.action == "runbook":
            note = "its steps have passed"
            self._ledger.record(ev.AttemptEnded(**self._attempt(key), exit=0, note=note))
        else:
            self._send(key, order)

    def _set_route(self, key: TargetKey, order: AttemptOrder) -> None:
        """Carry out what the controller does itself, without hands."""
        host = str(order.arguments.get("host") or (order.host.name if order.host else ""))
        command = SetRoute(host=host, route=str(order.arguments["route"]))
        found = consider(self._state, command, "controller", self._clock.now())
        if isinstance(found, Denied):
            why = found.why
            self._ledger.record(ev.AttemptNeverStarted(**self._attempt(key), why=why, final=True))
            return
        for event in found.events:
            self._ledger.record(event)
        self._ledger.record(ev.AttemptEnded(**self._attempt(key), exit=0, note=found.message))

    def _send(self, key: TargetKey, order: AttemptOrder) -> None:
        step, activity = self._state.plan.steps[key.step].step, Activity(key)
        self._crew.book(activity, order.host.name if order.host else "", order)
        self._acts.append(partial(self._crew.act, activity, order, step))

    def _intent(self, key: TargetKey, order: AttemptOrder) -> ev.Event:
        described = self._orders.described(order)
        return ev.AttemptIntended(**self._attempt(key), **described, mark=order.mark)

    def _show(self, wish: w.Show) -> None:
        """What a live run would do; what cannot be known yet stays as it is written."""
        self._ledger.record(
            ev.ActionShown(
                **self._attempt(wish.key), **self._orders.shown(wish.key), note=wish.note
            )
        )

    def _reconcile(self, key: TargetKey) -> None:
        try:
            order = self._orders.attempt(key)
        except (InputError, NotReady) as error:
            self._ledger.record(ev.ContactLost(**self._attempt(key), why=str(error)))
            return
        now = self._clock.now()
        since = self._state.targets[key].intended_at or now
        # What an earlier controller sent along with it may have been other questions.
        asked_on, age = self._state.reached.asked_on.get(key, UNKNOWN), max(0.0, now - since)
        again = replace(
            order,
            age=age,
            again=True,
            asked_on=asked_on,
            checks={},
            outdated=self._orders.outdated(key),
        )
        self._send(key, again)

    def _begin_wait(self, key: TargetKey) -> None:
        action = self._state.plan.steps[key.step].step.action
        written = action.arguments if isinstance(action, UsesAction) else {}
        if "for" not in written:
            labels = ", ".join(probe.label for probe in written.get("until", ()))
            self._ledger.record(self._wait_intent(key, f"wait until {labels}"))
            return
        try:
            span = self._orders.duration(key, written["for"])
        except (InputError, NotReady, ValueError) as error:
            self._ledger.record(
                ev.AttemptNeverStarted(**self._attempt(key), why=str(error), final=True)
            )
            return
        self._ledger.record(self._wait_intent(key, f"wait {Duration(span)}"))
        until = self._clock.now() + span
        self._ledger.record(ev.WaitBegan(**self._attempt(key), until=until))

    def _wait_intent(self, key: TargetKey, command: str) -> ev.Event:
        return ev.AttemptIntended(
            **self._attempt(key), action="wait", command=command, host="local"
        )

    def _open_gate(self, wish: w.OpenGate) -> None:
        if self._is_conditional(wish.key) and wish.kind == "approval":
            if self._needs_no_approval(wish.key):
                return
            self._conditional[wish.key] = None
        self._ledger.record(gate(self._state, self._orders, wish, self._clock.now()))

    def _is_conditional(self, key: TargetKey) -> bool:
        approval = self._state.plan.steps[key.step].step.approval
        return approval is not None and "when" in approval

    def _needs_no_approval(self, key: TargetKey) -> bool:
        """Whether the condition of an approval does not hold; one that cannot be told is asked."""
        expression = str((self._state.plan.steps[key.step].step.approval or {})["when"])
        try:
            if self._orders.condition(key, expression):
                return False
            seen = self._orders.seen(key, expression)
        except (InputError, NotReady):
            return False
        self._ledger.record(
            ev.ApprovalNotNeeded(
                step=key.step, target=key.target, expression=expression, seen=seen
            )
        )
        return True

    def _look_at_conditions(self) -> None:
        """Take back questions whose condition has gone away."""
        for key in list(self._conditional):
            target = self._state.targets.get(key)
            if target is None or target.gate is None or target.gate.kind != "approval":
                del self._conditional[key]
            else:
                self._needs_no_approval(key)

    def _see_condition(self, step: StepId) -> None:
        expression = self._state.plan.steps[step].step.when or "true"
        seen: Mapping[str, str] = {}
        try:
            key = next(self._state.keys(step))
            barred = self._orders.may_take_part(key)
            value = not barred and self._orders.condition(key, expression)
            expression = barred or expression
            seen = self._orders.seen(key, expression, outside=bool(barred))
        except (InputError, NotReady) as error:
            if self._state.plan.mode is not Mode.DRY_RUN:
                self._fail_all(step, "when", f"when: {error}")
                return
            # It may depend on what an action finds out; so that its step is shown too:
            value = True
        self._ledger.record(
            ev.ConditionSeen(step=step, expression=expression, value=value, seen=seen)
        )

    def _see_clock(self, step: StepId) -> None:
        template = self._state.plan.steps[step].step.not_before or ""
        try:
            text = self._orders.text(next(self._state.keys(step)), template)
            until = parse_moment(text, self._clock.now() + self._state.time.wall)
        except (InputError, NotReady, ValueError) as error:
            self._fail_all(step, "not_before", f"not_before: {error}")
            return
        self._ledger.record(ev.ClockSet(step=step, until=until))

    def _fail_all(self, step: StepId, cause: str, why: str) -> None:
        for key in self._state.keys(step):
            self._ledger.record(ev.TargetBegan(step=key.step, target=key.target))
            self._ledger.record(
                ev.TargetFailed(step=key.step, target=key.target, cause=cause, why=why)
            )

"""From wishes to facts and acts: what each wish records, and what is done once that is durable.

Rules:
- Obeying records first. Acts are collected and carried out by the controller after the commit
  (write ahead, SPEC guarantee 1).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from drrun.core import events as ev
from drrun.core import wishes as w
from drrun.core.actions import ManualAction, UsesAction
from drrun.core.air import Activity
from drrun.core.asked import probes_of
from drrun.core.errors import InputError, NotReady
from drrun.core.ids import StepId
from drrun.core.moments import parse_moment
from drrun.core.probes import Verdict
from drrun.core.runbook import Mode
from drrun.core.state import Key
from drrun.core.values import Duration
from drrun.engine.crew import Crew
from drrun.engine.ledger import Ledger
from drrun.engine.orders import Orders
from drrun.engine.ports import AttemptOrder, Clock, Seen
from drrun.engine.retries import delay_before

Act = Callable[[], None]


class Obedience:
    """Turns wishes into facts, and into acts for later."""

    def __init__(self, ledger: Ledger, orders: Orders, crew: Crew, clock: Clock) -> None:
        self._ledger = ledger
        self._state = ledger.state
        self._orders = orders
        self._crew = crew
        self._clock = clock
        self._acts: list[Act] = []

    def take_acts(self) -> list[Act]:
        """What is to be done now that the facts are durable."""
        acts, self._acts = self._acts, []
        return acts

    def obey(self, wish: w.Wish) -> None:
        """Record the facts of one wish and keep its act."""
        match wish:
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
                self._acts.append(lambda: self._crew.end(Activity(key)))
            case w.Show():
                self._show(wish)
            case w.OpenGate():
                self._open_gate(wish)
            case w.SeeCondition(step=step):
                self._see_condition(step)
            case w.SeeClock(step=step):
                self._see_clock(step)
            case _:
                self._ledger.record(self._fact(wish))

    def _fact(self, wish: w.Wish) -> ev.Event:
        """The one fact of a wish that needs nothing else."""
        match wish:
            case w.Skip(step=step, why=why):
                return ev.StepSkipped(step=step, why=why)
            case w.Block(step=step, because=because):
                return ev.StepBlocked(step=step, because=because)
            case w.CancelRest(step=step, why=why):
                return ev.TargetsCancelled(step=step, why=why)
            case w.Pause(why=why):
                return ev.RunPaused(why=why, by="controller")
            case w.Abort(why=why):
                return ev.RunAborted(why=why, by="controller")
            case w.End(status=status):
                return ev.RunEnded(status=status)
            case _:
                return self._target_fact(wish)

    def _target_fact(self, wish: w.Wish) -> ev.Event:
        match wish:
            case w.Wait(key=(step, target), cause=cause, detail=detail, until=until):
                return ev.TargetWaiting(
                    step=step, target=target, cause=cause, detail=detail, until=until
                )
            case w.Begin(key=(step, target)):
                return ev.TargetBegan(step=step, target=target)
            case w.GiveUp(key=(step, target), cause=cause, why=why):
                return ev.TargetFailed(step=step, target=target, cause=cause, why=why)
            case w.Conclude(key=key, purpose=purpose, verdict=verdict, why=why):
                return ev.ProbesConcluded(
                    **self._attempt(key), purpose=purpose, verdict=verdict, why=why
                )
            case w.EndWait(key=key):
                return ev.WaitEnded(**self._attempt(key))
            case w.PlanRetry(key=key, cause=cause, why=why):
                return self._retry(key, cause, why)
            case _:
                raise AssertionError(f"a wish that nobody obeys: {wish}")

    def _attempt(self, key: Key) -> dict[str, Any]:
        return {
            "step": key.step,
            "target": key.target,
            "attempt": self._state.targets[key].attempt,
        }

    def _retry(self, key: Key, cause: str, why: str) -> ev.Event:
        retry = self._state.plan.steps[key.step].step.retry
        delay = 0.0
        if cause != "unknown":
            delay = delay_before(retry, self._state.targets[key].verdicts)
        return ev.RetryPlanned(
            step=key.step,
            target=key.target,
            not_before=self._clock.now() + delay,
            cause=cause,
            why=why,
        )

    def _evaluate(self, wish: w.Evaluate) -> None:
        activity = Activity(wish.key, wish.purpose, wish.index)
        attempt = self._state.targets[wish.key].attempt
        try:
            questions = self._orders.questions(wish.key, wish.purpose, wish.index)
        except (InputError, NotReady) as error:
            self._crew.answer(
                activity,
                attempt,
                Seen(Verdict.COULD_NOT_TELL, "", self._orders.mask.text(str(error))),
            )
            return
        host = self._state.hosts[wish.key]
        self._acts.append(lambda: self._crew.ask(activity, attempt, host, questions))

    def _start(self, key: Key) -> None:
        try:
            order = self._orders.attempt(key)
        except (InputError, NotReady) as error:
            why = self._orders.mask.text(str(error))
            self._ledger.record(ev.AttemptNeverStarted(**self._attempt(key), why=why, final=True))
            return
        self._ledger.record(self._intent(key, order))
        self._send(key, order, again=False)

    def _send(self, key: Key, order: AttemptOrder, *, again: bool) -> None:
        captures = self._state.plan.steps[key.step].step.capture
        self._acts.append(lambda: self._crew.act(Activity(key), order, captures, again=again))

    def _intent(self, key: Key, order: AttemptOrder) -> ev.Event:
        return ev.AttemptIntended(**self._attempt(key), **self._orders.described(order))

    def _show(self, wish: w.Show) -> None:
        """What a live run would do; what cannot be known yet stays as it is written."""
        self._ledger.record(
            ev.ActionShown(
                **self._attempt(wish.key), **self._orders.shown(wish.key), note=wish.note
            )
        )

    def _reconcile(self, key: Key) -> None:
        try:
            order = self._orders.attempt(key)
        except (InputError, NotReady) as error:
            self._ledger.record(ev.ContactLost(**self._attempt(key), why=str(error)))
            return
        now = self._clock.now()
        since = self._state.targets[key].intended_at or now
        self._send(key, replace(order, age=max(0.0, now - since)), again=True)

    def _begin_wait(self, key: Key) -> None:
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

    def _wait_intent(self, key: Key, command: str) -> ev.Event:
        return ev.AttemptIntended(
            **self._attempt(key), action="wait", command=command, host="local"
        )

    def _open_gate(self, wish: w.OpenGate) -> None:
        step = self._state.plan.steps[wish.key.step].step
        action = step.action
        wanted = action if wish.kind == "manual" and isinstance(action, ManualAction) else None
        self._ledger.record(
            ev.GateOpened(
                step=wish.key.step,
                target=wish.key.target,
                gate=wish.kind,
                text=self._gate_text(wish),
                input=dict(wanted.input) if wanted else {},
                evidence=bool(wanted and wanted.evidence),
                purpose=wish.purpose or "",
                index=wish.index,
            )
        )

    def _gate_text(self, wish: w.OpenGate) -> str:
        step = self._state.plan.steps[wish.key.step].step
        if wish.kind == "irreversible":
            return f"{step.label}: there is no way back from here. Confirm to go on."
        if wish.kind == "unknown":
            return (
                f"What became of {wish.key} is not known: {self._state.targets[wish.key].note}. "
                "Look, then confirm (it is done), reject (it failed) or retry (do it again)."
            )
        template = ""
        if wish.purpose is not None:
            template = probes_of(step, wish.purpose)[wish.index].question
        elif isinstance(step.action, ManualAction):
            template = step.action.text
        try:
            return self._orders.text(wish.key, template)
        except (InputError, NotReady) as error:
            return f"{template}\n(not filled in: {error})"

    def _see_condition(self, step: StepId) -> None:
        expression = self._state.plan.steps[step].step.when or "true"
        try:
            value = self._orders.condition(next(self._state.keys(step)), expression)
        except (InputError, NotReady) as error:
            if self._state.plan.mode is not Mode.DRY_RUN:
                self._fail_all(step, "when", f"when: {error}")
                return
            # It may depend on what an action finds out; so that its step is shown too:
            value = True
        self._ledger.record(ev.ConditionSeen(step=step, expression=expression, value=value))

    def _see_clock(self, step: StepId) -> None:
        template = self._state.plan.steps[step].step.not_before or ""
        try:
            text = self._orders.text(next(self._state.keys(step)), template)
            until = parse_moment(text, self._clock.now())
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

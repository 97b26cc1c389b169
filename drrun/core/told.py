"""From wishes to facts: what a wish records, for all that need nobody to be asked. Pure.

Rules:
- Used by the engine and by the simulation, so that both tell the same story.
"""

from collections.abc import Callable
from typing import Any

from drrun.core import events as ev
from drrun.core import wishes as w
from drrun.core.runbook import Retry
from drrun.core.state import Key, RunState
from drrun.core.undoing import roll_back_began

#: (how to retry, attempts with a verdict so far) -> seconds to wait.
Delay = Callable[[Retry, int], float]


def attempt_of(state: RunState, key: Key) -> dict[str, Any]:
    """What names a target's current attempt in an event."""
    return {"step": key.step, "target": key.target, "attempt": state.targets[key].attempt}


def fact_of(wish: w.Wish, state: RunState, now: float, delay: Delay) -> ev.Event:
    """The one fact of a wish.

    Args:
        wish: What the rules want.
        state: What is known.
        now: Seconds since the epoch.
        delay: Seconds before the next attempt.
    """
    match wish:
        case w.Skip(step=step, why=why):
            return ev.StepSkipped(step=step, why=why)
        case w.Block(step=step, because=because):
            return ev.StepBlocked(step=step, because=because)
        case w.CancelRest(step=step, why=why):
            return ev.TargetsCancelled(step=step, why=why)
        case w.RollBack(why=why):
            return roll_back_began(state, why, "controller")
        case w.Pause(why=why):
            return ev.RunPaused(why=why, by="controller")
        case w.Abort(why=why):
            return ev.RunAborted(why=why, by="controller")
        case w.End(status=status):
            return ev.RunEnded(status=status)
        case _:
            return _of_target(wish, state, now, delay)


def _of_target(wish: w.Wish, state: RunState, now: float, delay: Delay) -> ev.Event:
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
                **attempt_of(state, key), purpose=purpose, verdict=verdict, why=why
            )
        case w.EndWait(key=key):
            return ev.WaitEnded(**attempt_of(state, key))
        case w.PlanRetry(key=key, cause=cause, why=why):
            return _retry(state, key, (cause, why), now, delay)
        case w.GiveUpContact(key=key, why=why):
            return ev.ContactLost(**attempt_of(state, key), why=why)
        case w.Lose(key=(step, target), thing=thing, becomes=becomes):
            return ev.TargetLost(step=step, target=target, thing=thing, becomes=becomes)
        case w.BeginUndo(key=(step, target)):
            return ev.UndoBegan(step=step, target=target)
        case _:
            return _of_people(wish, state)


def _of_people(wish: w.Wish, state: RunState) -> ev.Event:
    match wish:
        case w.Remind(key=(step, target), to=to, times=times):
            return ev.PersonReminded(step=step, target=target, to=to, times=times)
        case w.Escalate(key=(step, target), to=to):
            return ev.GateEscalated(step=step, target=target, to=to)
        case w.SayLate(key=key, p90=p90):
            return ev.AttemptLate(**attempt_of(state, key), p90=p90)
        case w.TakeDefault(key=(step, target), option=option):
            return ev.GateAnswered(
                step=step,
                target=target,
                gate="decision",
                answer="decide",
                by="controller",
                reason="nobody decided in time: the default that the runbook names",
                option=option,
            )
        case _:
            raise AssertionError(f"a wish that nobody obeys: {wish}")


def _retry(
    state: RunState, key: Key, because: tuple[str, str], now: float, delay: Delay
) -> ev.Event:
    cause, why = because
    pause = 0.0
    if cause not in ("unknown", "lost"):
        pause = delay(state.plan.steps[key.step].step.retry, state.targets[key].verdicts)
    return ev.RetryPlanned(
        step=key.step, target=key.target, not_before=now + pause, cause=cause, why=why
    )

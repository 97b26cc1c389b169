"""Turns observations into events: what the world answered.

Rules:
- A late observation (its attempt or probe is settled by now) changes nothing.
- Texts are taken as they are; `drrun.engine.redaction` removes secrets from the record.
- An outcome without a verdict stays without one: lost contact is never recorded as a failure.
"""

from collections.abc import Iterator
from typing import assert_never

from drrun.core import events as ev
from drrun.core.model.ids import TargetKey
from drrun.core.model.outcomes import (
    Ended,
    NeverStarted,
    OutcomeUnknown,
    RefusedByHost,
    Stopped,
    TimedOut,
)
from drrun.core.model.status import Phase
from drrun.core.rules.probe_lists import asked_of
from drrun.core.state.run_state import RunState
from drrun.core.state.target import purposes_of
from drrun.engine.observations import (
    AttemptFinished,
    Met,
    Observation,
    ProbeAnswered,
    ProgressReported,
    WatchAnswered,
)
from drrun.ports.hands import ReachedHost


def facts(state: RunState, observation: Observation) -> Iterator[ev.Event]:
    """The events that follow from an observation."""
    match observation:
        case AttemptFinished():
            if _acting(state, observation.activity.key, observation.attempt):
                yield _outcome(observation, aborted=bool(state.aborted))
        case ProgressReported():
            if _acting(state, observation.activity.key, observation.attempt):
                yield _news(observation)
        case Met(meeting=met) if met.again:
            pass
        case Met(meeting=met):
            yield _reached(met, observation.at)
        case ProbeAnswered():
            yield from _answer(state, observation)
        case WatchAnswered():
            pass  # `Watching` knows what follows
        case _:
            assert_never(observation)


def _reached(met: ReachedHost, at: float) -> ev.Event:
    """Its clock is compared with ours in the middle of the question and its answer."""
    half = met.reading.within / 2 if met.reading else 0.0
    return ev.HostReached(
        host=met.host,
        boot=met.boot,
        route=met.route,
        user=met.user,
        host_key=met.host_key,
        ahead=round(met.reading.says - at + half, 4) if met.reading else None,
        error=round(half, 4),
    )


def _news(told: ProgressReported) -> ev.Event:
    who, progress = ev.attempt_name(told.activity.key, told.attempt), told.progress
    if progress.silent is not None:
        return ev.ContactMissed(**who, silent=progress.silent, why=progress.note)
    if progress.found_after is not None:
        return ev.ContactFound(**who, after=progress.found_after, route=progress.route)
    return ev.AttemptStarted(
        **who,
        route=progress.route,
        host_key=progress.host_key,
        user=progress.user,
        note=progress.note,
    )


def _acting(state: RunState, key: TargetKey, attempt: int) -> bool:
    target = state.targets.get(key)  # None: an amendment moved its step to other hosts
    return target is not None and target.phase is Phase.ACTING and target.attempt == attempt


def _outcome(acted: AttemptFinished, *, aborted: bool) -> ev.Event:
    who = ev.attempt_name(acted.activity.key, acted.attempt)
    match acted.outcome:
        case Ended(exit=0, facts={"wait": float(wait)}):
            return ev.WaitBegan(**who, until=acted.at + wait)
        case Ended(exit=status, signal=signal, note=note):
            return ev.AttemptEnded(
                **who,
                exit=status,
                signal=signal,
                note=note,
                fault=acted.fault,
                captured=acted.captured,
                output=dict(acted.output),
            )
        case TimedOut(gone=gone, note=note):
            return ev.AttemptTimedOut(**who, gone=gone, note=note)
        case Stopped(gone=gone, note=note) if not aborted:
            return ev.AttemptTimedOut(**who, gone=gone, note=note)
        case Stopped(gone=gone, note=note):
            return ev.AttemptStopped(**who, gone=gone, note=note)
        case NeverStarted(why=why, final=final):
            return ev.AttemptNeverStarted(**who, why=why, final=final)
        case RefusedByHost(why=why):
            return ev.AttemptNeverStarted(**who, why=why, final=True)
        case OutcomeUnknown(why=why):
            return ev.ContactLost(**who, why=why)
        case _:
            assert_never(acted.outcome)


def _answer(state: RunState, asked: ProbeAnswered) -> Iterator[ev.Event]:
    key, purpose, index = asked.activity
    target = state.targets.get(key)
    if (
        purpose is None
        or target is None
        or target.attempt != asked.attempt
        or purpose not in purposes_of(target.phase)
    ):
        return
    probe = asked_of(state, key, purpose)[index]
    seen = asked.seen
    question = asked.question or probe.question
    yield ev.ProbeSeen(
        **ev.attempt_name(key, asked.attempt),
        purpose=purpose,
        index=index,
        name=probe.name or f"{probe.kind}: {question}",
        question=question,
        where=seen.where or state.hosts[key] or "local",
        expected=asked.expected or str(probe.expect),
        verdict=seen.verdict,
        value=seen.value,
        why=seen.why,
    )

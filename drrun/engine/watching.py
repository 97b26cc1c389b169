"""Goes on asking what must stay true: watches of passed steps, invariants of the whole run.

Rules:
- Only changes are recorded: a probe that answers as before, for days, is no news.
- "Could not tell" breaks nothing; it is recorded as what it is.
- What is counted is what the journal holds, so a threshold is reached across controllers.
- Nothing is watched in a dry-run, nor once the run is aborted or rolled back.
"""

from collections.abc import Iterator
from dataclasses import field
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError, NotReady
from drrun.core.model.ids import TargetKey
from drrun.core.model.plan import Plan
from drrun.core.model.probes import Probe, Verdict
from drrun.core.model.runbook import Mode
from drrun.core.model.status import Status
from drrun.core.rules.invariants import is_watched
from drrun.core.rules.relapse import relapse, threshold, window_after
from drrun.core.state.run_state import RunState
from drrun.engine.orders import Orders
from drrun.ports.places import ProbeAnswer, Question


class WatchedProbe(NamedTuple):
    """One probe that goes on being asked; without a key an invariant."""

    key: TargetKey | None
    position: int


@dataclass(slots=True)
class Watching:
    """All watches of a run. Told of what changes, it looks only at those that are due."""

    state: RunState
    orders: Orders
    #: When each may be asked again.
    _again: dict[WatchedProbe, float] = field(default_factory=dict)
    #: When an invariant was seen to hold, where that was no news; it only narrows suspicion.
    _held_at: dict[int, float] = field(default_factory=dict)
    _asking: set[WatchedProbe] = field(default_factory=set)
    #: When each is asked next; those that are being asked, or nobody watches, are none of them.
    _due: dict[WatchedProbe, float] = field(default_factory=dict)
    _line: list[tuple[float, int, WatchedProbe]] = field(default_factory=list)
    _turns: "count[int]" = field(default_factory=count)
    _plan: Plan | None = None

    def changed(self, key: TargetKey) -> None:
        """A target changed; what it watches may begin or end."""
        watched = self.state.plan.steps[key.step].step.watch
        for position in range(len(watched)):
            self._attend(WatchedProbe(key, position))
        for position, each in enumerate(self.state.plan.runbook.invariants):
            if key.step in (each.since, each.until):
                self._attend(WatchedProbe(None, position))

    def due(self, now: float) -> Iterator[tuple[WatchedProbe, list[Question]]]:
        """Probes that are to be asked now."""
        self._look_over()
        while self._line and self._line[0][0] <= now and not self._idle():
            at, _, watched = heappop(self._line)
            if self._due.get(watched) != at:
                continue  # put off, or watched no more
            probe = self._probe(watched)
            try:
                questions = self.orders.watch(watched.key, probe)
            except (InputError, NotReady):
                # What it asks about is lost, or not known yet.
                self._put_off(watched, now + probe.every)
                continue
            del self._due[watched]
            self._again[watched] = now + probe.every
            self._asking.add(watched)
            yield watched, questions

    def wake_at(self) -> float | None:
        """When something is due next."""
        while self._line and self._due.get(self._line[0][2]) != self._line[0][0]:
            heappop(self._line)
        return self._line[0][0] if self._line and not self._idle() else None

    def seen(self, watched: WatchedProbe, seen: ProbeAnswer, now: float) -> Iterator[ev.Event]:
        """What follows from an answer."""
        self._asking.discard(watched)
        self._attend(watched)
        if not self._is_watched(watched):
            return
        if watched.key is None:
            yield from self._of_invariant(watched.position, seen, now)
        else:
            yield from self._of_step(watched.key, watched.position, seen)

    def _idle(self) -> bool:
        state = self.state
        return bool(state.plan.mode is Mode.DRY_RUN or state.aborted or state.rolling_back)

    def _look_over(self) -> None:
        """Find all watches, once, and again when the plan was amended."""
        plan = self.state.plan
        if self._plan is plan:
            return
        self._plan, self._due = plan, {}
        for position in range(len(plan.runbook.invariants)):
            self._attend(WatchedProbe(None, position))
        for step in plan.order:
            if plan.steps[step].step.watch:
                for key in self.state.keys(step):
                    self.changed(key)

    def _attend(self, watched: WatchedProbe) -> None:
        """Ask a probe from when it is due on, or no more."""
        if not self._is_watched(watched):
            self._due.pop(watched, None)
        elif watched not in self._due and watched not in self._asking:
            self._put_off(watched, self._again.get(watched, 0.0))

    def _put_off(self, watched: WatchedProbe, until: float) -> None:
        self._due[watched] = until
        heappush(self._line, (until, next(self._turns), watched))

    def _probe(self, watched: WatchedProbe) -> Probe:
        if watched.key is None:
            return self.state.plan.runbook.invariants[watched.position]
        return self.state.plan.steps[watched.key.step].step.watch[watched.position]

    def _is_watched(self, watched: WatchedProbe) -> bool:
        if watched.key is None:
            return is_watched(self.state, self.state.plan.runbook.invariants[watched.position])
        return self.state.targets[watched.key].status in (Status.PASSED, Status.REGRESSED)

    def _of_step(self, key: TargetKey, index: int, seen: ProbeAnswer) -> Iterator[ev.Event]:
        step, target = self.state.plan.steps[key.step].step, self.state.targets[key]
        name = step.watch[index].label
        wanted, of = threshold(step.watch_threshold)
        last = target.watched.get(index)
        before = tuple(last.window) if last else ()
        window = window_after(before, seen.verdict, of)
        if last is None or last.verdict != seen.verdict or window != before:
            yield ev.WatchSeen(
                step=key.step,
                target=key.target,
                index=index,
                name=name,
                verdict=seen.verdict,
                value=seen.value,
                why=seen.why,
                window=window,
            )
        broken = seen.verdict is Verdict.DOES_NOT_HOLD and sum(window) >= wanted
        if target.status is Status.PASSED and broken:
            yield from relapse(self.state, key, name, seen.why)
        elif target.status is Status.REGRESSED and len(window) >= wanted and not any(window):
            yield ev.Recovered(step=key.step, target=key.target, name=name)

    def _of_invariant(self, index: int, seen: ProbeAnswer, now: float) -> Iterator[ev.Event]:
        since = max(self._held_at.get(index, 0.0), self.state.held_at.get(index, 0.0))
        if seen.verdict is Verdict.HOLDS:
            self._held_at[index] = now
        last = self.state.invariants.get(index)
        if last is not None and last.verdict == seen.verdict:
            return
        name = self.state.plan.runbook.invariants[index].label
        yield ev.InvariantSeen(
            index=index,
            name=name,
            verdict=seen.verdict,
            value=seen.value,
            where=seen.where,
            why=seen.why,
        )
        if seen.verdict is Verdict.DOES_NOT_HOLD:
            suspects = tuple(self._acted_since(since))
            yield ev.InvariantBroken(name=name, why=seen.why, suspects=suspects)

    def _acted_since(self, since: float) -> Iterator[str]:
        """Steps that acted since the invariant was last seen to hold; the latest first."""
        acted = [
            (target.intended_at, str(key))
            for key, target in self.state.targets.items()
            if target.intended_at is not None
            and (target.since >= since or target.status is Status.RUNNING)
        ]
        return (name for _, name in sorted(acted, reverse=True))

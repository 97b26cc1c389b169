"""The story of one step: every attempt on every target, what was asked and seen, who answered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, assert_never

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.model.status import FINAL, Status
from drrun.core.rules.roles import role_of
from drrun.core.state.clocks import Span
from drrun.core.state.event_text import tell
from drrun.core.state.run_state import RunState
from drrun.report.facts import Fact
from drrun.report.plan_view import action_name
from drrun.report.run_view import target_note
from drrun.report.words import Word, words_of


@dataclass(frozen=True, slots=True)
class ProbeStory:
    """One probe of one attempt: the last answer, and how many there were."""

    purpose: str
    name: str
    question: str
    where: str
    expected: str
    verdict: str
    value: str
    why: str
    at: float
    times: int = 1


@dataclass(slots=True)
class AttemptStory:
    """One try. Moments in seconds since the epoch."""

    number: int
    began_at: float
    #: Whether it takes back what an earlier one did.
    undo: bool = False
    action: str = ""
    #: As sent, secrets masked; "" if nothing was sent.
    command: str = ""
    host: str = ""
    become: str = ""
    environment: tuple[str, ...] = ()
    route: str = ""
    host_key: str = ""
    user: str = ""
    ended_at: float | None = None
    #: None while it goes on.
    took: Span | None = None
    #: `exit 0`, `killed by SIGKILL`, `contact lost: …`; "" while it goes on.
    ending: str = ""
    exit: int | None = None
    captured: Mapping[str, Any] = field(default_factory=dict)
    #: What the spool said of each stream.
    output: Mapping[str, Any] = field(default_factory=dict)
    probes: dict[tuple[str, int, str], ProbeStory] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetStory:
    """Everything that happened to one target."""

    target: TargetName
    host: str
    status: Status
    since: float
    note: str
    already: bool
    attempts: tuple[AttemptStory, ...]
    words: tuple[Word, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A step that this one needs and that is not good."""

    step: StepId
    status: Status
    note: str


@dataclass(frozen=True, slots=True)
class StepView:
    """Everything that happened to one step."""

    id: StepId
    title: str
    description: str
    action: str
    owner: str
    status: Status
    needs: tuple[str, ...]
    #: Why it cannot begin.
    hindrances: tuple[Hindrance, ...]
    targets: tuple[TargetStory, ...]
    #: What was decided about the step as a whole.
    words: tuple[Word, ...]


def step_view(
    state: RunState, facts: Iterable[Fact], step: StepId, target: TargetName | None = None
) -> StepView:
    """Look at one step.

    Args:
        state: The run as it stands.
        facts: The whole journal, or at least what concerns the step.
        step: Which step.
        target: Only this target; None: all.
    """
    mine = [fact for fact in facts if getattr(fact.event, "step", "") == step]
    planned = state.plan.steps[step]
    keys = [key for key in state.keys(step) if target in (None, key.target)]
    return StepView(
        id=step,
        title=planned.step.title,
        description=planned.step.description,
        action=action_name(planned.step),
        owner=role_of(planned.step, "decision"),
        status=state.step(step),
        needs=tuple(str(need) for need in planned.step.needs),
        hindrances=tuple(_hindrances(state, step)),
        targets=tuple(_target(state, key, mine) for key in keys),
        words=tuple(words_of(fact for fact in mine if not isinstance(fact.event, ev.TargetEvent))),
    )


def _hindrances(state: RunState, step: StepId) -> Iterator[Hindrance]:
    if state.step(step) not in (Status.PENDING, Status.BLOCKED):
        return
    for need in state.plan.steps[step].step.needs:
        if state.met(need):
            continue
        for needed in need.any_of:
            notes = (target_note(state.targets[key]) for key in state.keys(needed))
            yield Hindrance(needed, state.step(needed), next((each for each in notes if each), ""))


def _target(state: RunState, key: TargetKey, facts: Sequence[Fact]) -> TargetStory:
    mine = [
        fact
        for fact in facts
        if isinstance(fact.event, ev.TargetEvent) and fact.event.target == key.target
    ]
    target = state.targets[key]
    attempts = attempts_of(mine)
    for number, attempt in enumerate(attempts, 1):
        over = number < len(attempts) or target.status in FINAL
        if over and not attempt.ending:
            attempt.ending = "superseded" if number < len(attempts) else str(target.status)
            attempt.ended_at = attempt.ended_at or (target.since or None)
        if attempt.ended_at is not None:
            attempt.took = state.time.span(attempt.began_at, attempt.ended_at)
    return TargetStory(
        target=key.target,
        host=state.hosts[key],
        status=target.status,
        since=target.since,
        note=target_note(target),
        already=target.already,
        attempts=tuple(attempts),
        words=tuple(words_of(mine)),
        values=target.values,
    )


def attempts_of(facts: Iterable[Fact]) -> list[AttemptStory]:
    """The attempts on one target, in order.

    Args:
        facts: The target's facts.
    """
    attempts: list[AttemptStory] = []
    for fact in facts:
        if isinstance(fact.event, ev.TargetBegan | ev.UndoBegan):
            undo = isinstance(fact.event, ev.UndoBegan)
            attempts.append(AttemptStory(len(attempts) + 1, fact.at, undo))
        elif isinstance(fact.event, ev.AttemptEvent) and attempts:
            _told(attempts[-1], fact.event, fact.at)
    return attempts


def _told(attempt: AttemptStory, event: ev.OfAttempt, at: float) -> None:
    match event:
        case ev.AttemptIntended():
            _intended(attempt, event)
        case ev.ActionShown():
            _intended(attempt, event)
            attempt.ended_at, attempt.ending = at, "not done: dry-run"
        case ev.AttemptStarted():
            attempt.route, attempt.host_key = event.route, event.host_key
            attempt.user = event.user
        case ev.ProbeSeen():
            _seen(attempt, event, at)
        case ev.AttemptEnded():
            attempt.exit, attempt.captured = event.exit, event.captured
            attempt.output = event.output
            _ended(attempt, event, at)
        case (
            ev.AttemptTimedOut()
            | ev.AttemptStopped()
            | ev.AttemptNeverStarted()
            | ev.ContactLost()
            | ev.WaitEnded()
        ):
            _ended(attempt, event, at)
        case (
            ev.ContactMissed()
            | ev.ContactFound()
            | ev.AttemptLate()
            | ev.EndingBegan()
            | ev.WaitBegan()
            | ev.ProbesConcluded()
        ):
            pass
        case _:
            assert_never(event)


def _ended(attempt: AttemptStory, event: ev.OfAttempt, at: float) -> None:
    told = tell(event)
    attempt.ended_at, attempt.ending = at, told.text if told else ""


def _intended(attempt: AttemptStory, event: ev.AttemptIntended | ev.ActionShown) -> None:
    attempt.action, attempt.command, attempt.host = event.action, event.command, event.host
    attempt.become, attempt.environment = event.become, tuple(event.environment)


def _seen(attempt: AttemptStory, event: ev.ProbeSeen, at: float) -> None:
    place = (event.purpose, event.index, event.where)
    before = attempt.probes.get(place)
    attempt.probes[place] = ProbeStory(
        purpose=event.purpose,
        name=event.name,
        question=event.question,
        where=event.where,
        expected=event.expected,
        verdict=event.verdict,
        value=event.value,
        why=event.why,
        at=at,
        times=before.times + 1 if before else 1,
    )

"""What a simulated world answers: results of steps, answers of people, losses. Pure values.

Rules:
- What nobody has written goes well: checks hold, commands exit with 0, everybody answers.
- A result is for an attempt; the last one that is written is for all later attempts too.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, TypeVar

from drrun.core.dataclass import dataclass
from drrun.core.model.probes import Purpose, Verdict

#: How an attempt can end.
OUTCOMES = ("ended", "timed-out", "unknown", "unreachable")


@dataclass(frozen=True, slots=True)
class ScriptedAttempt:
    """How one attempt ends."""

    #: One of `OUTCOMES`.
    outcome: str = "ended"
    exit: int = 0
    #: Values that the step captures, or leaves as facts.
    captured: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """How a gate is answered."""

    #: `confirm`, `reject`, or the option of a decision; "" for what the gate asks for.
    answer: str = ""
    by: str = "simulation"
    reason: str = ""
    #: Values that are typed in.
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScriptedStep:
    """What becomes of one step, or of one of its targets."""

    attempts: tuple[ScriptedAttempt, ...] = ()
    #: For each purpose the verdicts, one for each attempt; the last is for all later ones.
    verdicts: Mapping[Purpose, tuple[Verdict, ...]] = field(default_factory=dict)
    #: None: the condition is evaluated.
    when: bool | None = None
    said: ScriptedAnswer = ScriptedAnswer()
    #: Nobody ever answers.
    silent: bool = False
    #: Seconds that an attempt takes, instead of its estimate; and a factor on either.
    takes: float | None = None
    factor: float = 1.0

    def acted(self, attempt: int) -> ScriptedAttempt:
        """How an attempt ends; the first is 1."""
        return _nth(self.attempts, attempt) or ScriptedAttempt()

    def verdict(self, purpose: Purpose, attempt: int) -> Verdict:
        """What the checks of a purpose say at an attempt."""
        if purpose is Purpose.RECONCILE:
            purpose = Purpose.VERIFY  # the same checks, asked for another reason
        usual = Verdict.DOES_NOT_HOLD if purpose is Purpose.DONE_WHEN else Verdict.HOLDS
        return _nth(self.verdicts.get(purpose, ()), attempt) or usual


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens at its time, whatever the run does."""

    #: Seconds from the start.
    at: float
    #: `lost`, `found`, `relapse`, `say`.
    kind: str
    #: `site:phl`, the step that breaks again, or the text that is read out.
    what: str


@dataclass(frozen=True, slots=True)
class Fiction:
    """A whole simulated world."""

    #: Step, or `step@target` -> what becomes of it; the target's own comes first.
    scripts: Mapping[str, ScriptedStep] = field(default_factory=dict)
    moments: tuple[Moment, ...] = ()

    def script(self, step: str, target: str) -> ScriptedStep:
        """What is written of a target."""
        return self.scripts.get(f"{step}@{target}") or self.scripts.get(step) or _NOTHING


_NOTHING = ScriptedStep()
_Thing = TypeVar("_Thing")


def _nth(written: tuple[_Thing, ...], number: int) -> _Thing | None:
    return written[min(number, len(written)) - 1] if written else None

"""What is made to go wrong in a simulation, and what that means for one trial. Pure.

Rules:
- What is random is drawn once for each trial; without chance a trial takes the middle of every
  span, and everything that may happen does.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Place
from drrun.core.tabletop.fiction import Fiction, Moment, ScriptedAttempt, ScriptedStep

#: What can be injected -> whether it has a moment of its own.
KINDS = {
    "fail": False,
    "slow": False,
    "silent": False,
    "lose": True,
    "find": True,
    "relapse": True,
    "say": True,
}
#: The kinds of which steps are the object.
OF_STEPS = ("fail", "slow", "silent", "relapse")
_MOMENT = {"lose": "lost", "find": "found", "relapse": "relapse", "say": "say"}
#: Draws a number from 0 up to 1.
Chance = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Inject:
    """One thing that goes wrong, or may."""

    #: One of `KINDS`.
    kind: str
    #: A step, `site:phl`, or a text.
    what: str
    #: Earliest and latest moment, in seconds from the start.
    at: tuple[float, float] = (0.0, 0.0)
    #: Attempts that fail; 0: all of them.
    times: int = 0
    #: How they fail.
    outcome: str = "ended"
    #: How much longer it takes.
    factor: float = 1.0
    #: From 0 to 1.
    chance: float = 1.0
    place: Place = Place()


def fiction_of(injects: Iterable[Inject], chance: Chance | None) -> Fiction:
    """The world of one trial."""
    scripts: dict[str, ScriptedStep] = {}
    moments = []
    for inject in injects:
        if chance is not None and inject.chance < 1 and chance() >= inject.chance:
            continue
        if KINDS[inject.kind]:
            early, late = inject.at
            at = early + (late - early) * (0.5 if chance is None else chance())
            moments.append(Moment(at, _MOMENT[inject.kind], inject.what))
        else:
            script = scripts.get(inject.what, ScriptedStep())
            scripts[inject.what] = _with(script, inject)
    return Fiction(scripts, tuple(moments))


def _with(script: ScriptedStep, inject: Inject) -> ScriptedStep:
    match inject.kind:
        case "fail":
            bad = ScriptedAttempt(inject.outcome, exit=1)
            attempts = (bad,) * inject.times + (ScriptedAttempt(),) if inject.times else (bad,)
            return replace(script, attempts=attempts)
        case "slow":
            return replace(script, factor=script.factor * inject.factor)
        case _:
            return replace(script, silent=True)

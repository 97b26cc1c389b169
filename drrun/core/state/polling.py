"""When to ask a probe again, and when its answer is settled. `within`, `every`, `stable_for`.

Rules:
- Only what was seen settles anything: a deadline that passed while no controller was alive gives
  the probe one more look.
- "Could not tell" is asked again a few times before it is believed: asking changes nothing, and a
  connection that just broke is no reason to wake a person (case C26).
- Lists of probes hold together or not at all; one that does not hold decides at once, one that
  could not tell decides only when no other can say more.
"""

from collections.abc import Mapping, Sequence

from drrun.core.dataclass import dataclass
from drrun.core.model.probes import Probe, Verdict

#: How often in a row a probe may not tell before that is its answer, and the pause between.
DOUBTS = 3
DOUBT_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class ProbeProgress:
    """What is known of one probe so far. Times in seconds since the epoch."""

    verdict: Verdict
    first_at: float
    last_at: float
    #: Since when it has held without a break; None while it does not.
    held_since: float | None
    why: str = ""
    #: How often in a row it could not tell.
    doubts: int = 0

    @classmethod
    def after(
        cls, before: "ProbeProgress | None", verdict: Verdict, at: float, why: str
    ) -> "ProbeProgress":
        """What is known after one more evaluation."""
        held = None
        if verdict is Verdict.HOLDS:
            held = before.held_since if before and before.held_since is not None else at
        doubts = 0
        if verdict is Verdict.COULD_NOT_TELL:
            doubts = before.doubts + 1 if before else 1
        return cls(verdict, before.first_at if before else at, at, held, why, doubts)


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer is final."""

    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class LookAt:
    """Ask at this moment (0: now)."""

    at: float = 0.0


def look(probe: Probe, progress: ProbeProgress | None) -> Settled | LookAt:
    """What to do about one probe."""
    if progress is None:
        return LookAt()
    again = progress.last_at + probe.every
    if progress.held_since is not None:
        stable = progress.held_since + (probe.stable_for or 0)
        if progress.last_at >= stable:
            return Settled(Verdict.HOLDS)
        return LookAt(min(again, stable))
    if 0 < progress.doubts < DOUBTS:
        return LookAt(progress.last_at + min(DOUBT_PAUSE, probe.every))
    deadline = progress.first_at + (probe.within or 0)
    if progress.last_at >= deadline:
        return Settled(progress.verdict, progress.why)
    return LookAt(min(again, deadline))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to do about a list of probes: a conclusion, or positions to ask and when."""

    conclusion: Settled | None
    looks: tuple[tuple[int, float], ...] = ()


def outlook(probes: Sequence[Probe], progress: Mapping[int, ProbeProgress]) -> Outlook:
    """What to do about probes that must hold together."""
    looks: list[tuple[int, float]] = []
    doubts: list[Settled] = []
    for index, probe in enumerate(probes):
        found = look(probe, progress.get(index))
        if isinstance(found, LookAt):
            looks.append((index, found.at))
        elif found.verdict is Verdict.DOES_NOT_HOLD:
            return Outlook(Settled(found.verdict, f"{probe.label}: {found.why}"))
        elif found.verdict is Verdict.COULD_NOT_TELL:
            doubts.append(Settled(found.verdict, f"{probe.label}: {found.why}"))
    if looks:
        return Outlook(None, tuple(looks))
    return Outlook(doubts[0] if doubts else Settled(Verdict.HOLDS))

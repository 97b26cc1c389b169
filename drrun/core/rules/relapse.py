"""What follows when something that had passed is broken again (`on_regressed`).

Rules:
- How often a step was brought back, and how near a watch is to its threshold, are folded from the
  journal like everything that decides: `resume` begins no budget anew.
- An answer that could not be told breaks nothing, and mends nothing.
"""

from collections.abc import Iterator, Sequence

from drrun.core import events as ev
from drrun.core.model.ids import TargetKey
from drrun.core.model.probes import Verdict
from drrun.core.state.run_state import RunState, planned

#: How often `rerun` may bring a step back before people are asked.
RERUNS = 3


def relapse(state: RunState, key: TargetKey, name: str, why: str) -> Iterator[ev.Event]:
    """The facts of a relapse.

    Args:
        state: The run before it.
        key: What is broken.
        name: The watch that found it.
        why: What it saw.
    """
    how = planned(state, key).step.on_regressed or "pause"
    again = how == "rerun" and state.targets[key].reruns < RERUNS
    pauses = not again and how != "continue" and not state.paused
    yield ev.Regressed(step=key.step, target=key.target, name=name, why=f"{name}: {why}")
    if again:
        reason = f"on_regressed: rerun ({name})"
        yield ev.TargetReopened(
            step=key.step, target=key.target, by="controller", why=reason, rerun=True
        )
    elif pauses:
        yield ev.RunPaused(why=f"{key} regressed: {name}: {why}", by="controller")


def window_after(before: Sequence[bool], verdict: Verdict, of: int) -> tuple[bool, ...]:
    """The last `of` answers of a watch, after one more; True: broken."""
    if verdict is Verdict.COULD_NOT_TELL:
        return tuple(before)
    return (*before, verdict is Verdict.DOES_NOT_HOLD)[-of:]


def threshold(written: str | None) -> tuple[int, int]:
    """`3 of 5` as numbers; one broken answer is enough where nothing is written."""
    if not written:
        return 1, 1
    wanted, _, of = written.split()
    return int(wanted), max(int(wanted), int(of))

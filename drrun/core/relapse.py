"""What follows when something that had passed is broken again (`on_regressed`)."""

from drrun.core import events as ev
from drrun.core.state import Key, RunState


def relapse(state: RunState, key: Key, name: str, why: str, *, again: bool) -> list[ev.Event]:
    """The facts of a relapse.

    Args:
        state: The run before it.
        key: What is broken.
        name: The watch that found it.
        why: What it saw.
        again: The step may be done again, if its author wants that.
    """
    step, target = key
    facts: list[ev.Event] = [
        ev.Regressed(step=step, target=target, name=name, why=f"{name}: {why}")
    ]
    how = state.plan.steps[step].step.on_regressed or "pause"
    if how == "rerun" and again:
        reason = f"on_regressed: rerun ({name})"
        facts.append(ev.TargetReopened(step=step, target=target, by="controller", why=reason))
    elif how != "continue" and not state.paused:
        facts.append(ev.RunPaused(why=f"{key} regressed: {name}: {why}", by="controller"))
    return facts

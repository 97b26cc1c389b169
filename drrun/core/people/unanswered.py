"""Requests that are kept while nobody drives a run: shown, asked about, withdrawn, or lapsed.

Rules:
- Whoever goes on with the run is asked before anything that changes its course is done.
- A fact about the world stands against a rollback as well: it is done without a question.
- What was asked about a step that has another status by now has lapsed. It is not done.
"""

import shlex
from collections.abc import Collection
from dataclasses import fields

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.people import commands as c
from drrun.core.people.annotations import AddsOnly
from drrun.core.people.request import keys_of
from drrun.core.state.run_state import RunState

#: What lets a run go on as it is planned: it is done without a question.
_AS_PLANNED = c.AnswerCommand | c.RetryRequest | c.Unpause | c.Claim | c.Assign | c.HandOver
#: What a rollback has to know, or what makes no difference to it: it is done without a question.
_BEFORE_ROLLBACK = (
    c.AnswerCommand
    | AddsOnly
    | c.DeclareLost
    | c.DeclareFound
    | c.SetRoute
    | c.Claim
    | c.Assign
    | c.HandOver
    | c.Unpause
    | c.RollBack
)
#: Members of commands that are typed as options.
_OPTIONS = {
    "target": "--target",
    "on": "--on",
    "only_failed": "--only-failed",
    "bypass_guard": "--bypass-guard",
    "rewind_to": "--rewind-to",
    "typed": "--type",
    "evidence": "--evidence",
    "reason": "--reason",
}
#: What is meant for a step as it stood.
_AS_IT_STOOD = c.AnswerCommand | c.Skip | c.MarkDone


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """One request that nobody has answered."""

    #: Its number, by which it is withdrawn.
    id: int
    #: Seconds since the epoch.
    at: float
    by: str
    command: c.Command
    #: How its step stood when it was asked; "" if that is not known.
    stood: str = ""

    @property
    def step(self) -> StepId:
        """The step that it is about, "" for the run."""
        name = self.command.step if isinstance(self.command, c.StepCommand) else ""
        return StepId(name.partition("@")[0])

    def wants_word(self, *, back: bool = False) -> bool:
        """Whether somebody has to say yes before it is done; `back`: before a rollback."""
        if isinstance(self.command, c.Reject) and self.command.rewind_to:
            return True
        return not isinstance(self.command, _BEFORE_ROLLBACK if back else _AS_PLANNED)

    def __str__(self) -> str:
        """As it was typed: `skip db-start --reason 'we do without'`."""
        words, options = [self.command.KIND], list[str]()
        # `reason` is a member of all commands, and so the first.
        for name in sorted((each.name for each in fields(self.command)), key="reason".__eq__):
            value = getattr(self.command, name)
            if not (value and isinstance(value, str | bool)):
                continue
            if option := _OPTIONS.get(name):
                options.append(option)
            if isinstance(value, str):
                (options if option else words).append(shlex.quote(value))
        words += options
        return " ".join(words)


def stands(state: RunState, command: c.Command) -> str:
    """How the targets stand that a request is about; "" if it is about none."""
    if not isinstance(command, c.StepCommand):
        return ""
    keys = keys_of(state, command)
    found = [str(state.targets[key].status) for key in keys] if isinstance(keys, list) else []
    return ", ".join(dict.fromkeys(found))


def lapsed(state: RunState, kept: KeptRequest, changed: Collection[StepId] = ()) -> str:
    """Why a request is not done any more; "" if it still may be.

    Args:
        state: The run.
        kept: The request.
        changed: Steps that are being rewritten.
    """
    if not kept.stood or not isinstance(kept.command, _AS_IT_STOOD):
        return ""
    if kept.step in changed:
        return f"it has lapsed: {kept.step} is corrected instead"
    now = stands(state, kept.command)
    if now == kept.stood:
        return ""
    return f"it has lapsed: {kept.step} was {kept.stood} when {kept.by} asked, and is {now} now"

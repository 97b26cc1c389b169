"""A failed step, or a paused run, at the prompt: what can be done, what a typed line means.

Rules:
- A letter acts at once where nothing is lost by it; what overrides the plan wants a reason, what
  undoes steps wants `yes`.
- What cannot be understood is asked again, with what could be typed; nothing is guessed.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import assert_never

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Mode
from drrun.core.people.commands import MarkDone, Pause, RetryRequest, RollBack, Skip, Unpause
from drrun.core.rules.undoing import to_undo, without_undo
from drrun.core.state.run_state import RunState
from drrun.report.clean import fit
from drrun.report.run_view import step_line
from drrun.report.text.attention import wrong_steps
from drrun.report.text.sheet import plural
from drrun.term.dialogue import GivenAnswer

#: Columns of the step's id in front of the choices; with both they fit into 80.
_ID = 14


class Choice(StrEnum):
    """What a person chose; the word is the letter that is typed."""

    RETRY = "r"
    SKIP = "s"
    MARK_DONE = "m"
    EDIT = "e"
    BACK = "b"
    PAUSE = "p"
    QUIT = "q"


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that failed, and what a person has to know to decide what to do."""

    step: StepId
    #: What the program said.
    reason: str
    #: Since when it has failed; a second failure is another question.
    since: float
    #: What a rollback would undo now.
    undone_by_rollback: tuple[StepId, ...] = ()
    #: What it could not undo, because it has no undo.
    stays: tuple[StepId, ...] = ()
    #: Whether the run is paused.
    paused: bool = False

    @property
    def key(self) -> str:
        """What commands call it."""
        return self.step

    @property
    def kind(self) -> str:
        """Tells it from questions of gates."""
        return "failed"

    @property
    def text(self) -> str:
        """What is shown above the prompt."""
        return f"{self.step} failed: {self.reason}" if self.reason else f"{self.step} failed"


@dataclass(frozen=True, slots=True)
class PausedRun:
    """A run in which nothing begins until somebody says so."""

    why: str

    @property
    def key(self) -> str:
        """It is no step."""
        return ""

    @property
    def kind(self) -> str:
        """Tells it from all other questions."""
        return "paused"

    @property
    def since(self) -> float:
        """A run is paused once at a time."""
        return 0.0

    @property
    def text(self) -> str:
        """What is shown above the prompt."""
        return f"the run is paused: {self.why}"


@dataclass(slots=True)
class PauseDialogue:
    """A paused run and what was typed."""

    ask: PausedRun
    #: What was wrong with the last line; "" if nothing.
    trouble: str = ""

    @property
    def wants_reason(self) -> bool:
        """It never does."""
        return False

    @property
    def prompt(self) -> str:
        """What stands before the line that is being typed."""
        return "the run is paused: (g)o on (q)uit: "

    def take(self, line: str) -> GivenAnswer | Choice | None:
        """Take one line."""
        word, self.trouble = line.strip().lower(), ""
        if word in ("g", "go on", "unpause"):
            return GivenAnswer(Unpause.KIND, {})
        if word in ("q", "quit"):
            return Choice.QUIT
        if word:
            self.trouble = f"{word!r} is not an answer here; type g or q"
        return None


_WHOLE_WORDS = {
    "retry": Choice.RETRY,
    "skip": Choice.SKIP,
    "mark-done": Choice.MARK_DONE,
    "edit": Choice.EDIT,
    "back": Choice.BACK,
    "rollback": Choice.BACK,
    "pause": Choice.PAUSE,
    "unpause": Choice.PAUSE,
    "quit": Choice.QUIT,
}


@dataclass(slots=True)
class FailureDialogue:
    """One failed step and what was typed so far."""

    ask: FailedStep
    #: What was wrong with the last line; "" if nothing.
    trouble: str = ""
    _chosen: Choice | None = None

    @property
    def wants_reason(self) -> bool:
        """Whether an empty line goes back to the choices, not on to the next question."""
        return self._chosen is not None

    @property
    def prompt(self) -> str:
        """What stands before the line that is being typed."""
        match self._chosen:
            case Choice.SKIP:
                return f"why do you skip {self.ask.step}? "
            case Choice.MARK_DONE:
                return f"how do you know that {self.ask.step} is done? "
            case Choice.BACK:
                return f"undo {self._what_is_undone()}? type yes: "
            case None | Choice.RETRY | Choice.EDIT | Choice.PAUSE | Choice.QUIT:
                pause = "(p) go on" if self.ask.paused else "(p)ause"
                choices = f"(r)etry (s)kip (m)ark done (e)dit (b)ack {pause} (q)uit: "
                return f"{fit(self.ask.step, _ID)}: {choices}"
            case _:
                assert_never(self._chosen)

    def _what_is_undone(self) -> str:
        steps, stays = self.ask.undone_by_rollback, self.ask.stays
        if not stays:
            return f"{plural(len(steps), 'step')} ({fit(', '.join(steps), 30)})"
        undone = f"{plural(len(steps), 'step')} ({fit(', '.join(steps), 20)})"
        return f"{undone}; {len(stays)} stay ({fit(', '.join(stays), 14)})"

    def take(self, line: str) -> GivenAnswer | Choice | None:
        """Take one line.

        Returns:
            The request, once it is whole; a choice that is carried out here, to edit or to quit;
            None: there is more to ask.
        """
        line, self.trouble = line.strip(), ""
        match self._chosen:
            case Choice.SKIP | Choice.MARK_DONE:
                return self._reasoned(self._chosen, line)
            case Choice.BACK:
                return self._confirmed(line)
            case None | Choice.RETRY | Choice.EDIT | Choice.PAUSE | Choice.QUIT:
                return self._choose(line.lower())
            case _:
                assert_never(self._chosen)

    def _choose(self, word: str) -> GivenAnswer | Choice | None:
        choice = _WHOLE_WORDS.get(word)
        if choice is None and word in set(Choice):
            choice = Choice(word)
        match choice:
            case None:
                if word:
                    self.trouble = f"{word!r} is not an answer here; type one of r s m e b p q"
            case Choice.RETRY:
                return self._asked(RetryRequest.KIND)
            case Choice.PAUSE:
                return GivenAnswer(Unpause.KIND if self.ask.paused else Pause.KIND, {})
            case Choice.QUIT | Choice.EDIT:
                return choice
            case Choice.BACK if not self.ask.undone_by_rollback:
                self.trouble = "nothing that has passed can be undone"
            case Choice.SKIP | Choice.MARK_DONE | Choice.BACK:
                self._chosen = choice
            case _:
                assert_never(choice)
        return None

    def _reasoned(self, choice: Choice, reason: str) -> GivenAnswer | None:
        if not reason:
            self._chosen, self.trouble = None, "nothing is changed: to override the plan, say why"
            return None
        return self._asked(Skip.KIND if choice is Choice.SKIP else MarkDone.KIND, reason=reason)

    def _confirmed(self, line: str) -> GivenAnswer | None:
        if line == "yes":
            return GivenAnswer(RollBack.KIND, {})
        self._chosen, self.trouble = None, "nothing is undone"
        return None

    def _asked(self, kind: str, **body: str) -> GivenAnswer:
        return GivenAnswer(kind, {"step": self.ask.step, **body})


def to_put_right(state: RunState, now: float) -> Iterator[FailedStep | PausedRun]:
    """What a person could put right now; nothing in a run that is over or goes back."""
    if state.ended is not None or state.aborted or state.rolling_back:
        return
    wrong = () if state.plan.mode is Mode.DRY_RUN else wrong_steps(state)
    undone = tuple(to_undo(state)) if wrong else ()
    stays = tuple(map(StepId, without_undo(state))) if wrong else ()
    for step in wrong:
        since, reason = state.settled_at.get(step, 0.0), step_line(state, step, now).note
        yield FailedStep(step, reason, since, undone, stays, bool(state.paused))
    if state.paused:
        yield PausedRun(state.paused)

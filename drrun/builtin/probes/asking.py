"""What the probes share: running a command somewhere, and putting an answer together."""

from dataclasses import replace

from drrun.core.dataclass import dataclass
from drrun.core.model.outcomes import Ended, Outcome
from drrun.core.model.probes import Expect, Verdict
from drrun.core.rules.judging import Observed, judge, shown
from drrun.core.rules.last_words import last_words
from drrun.engine.captured import CapturedOutput
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question, Script


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command at a place printed, and how it ended."""

    outcome: Outcome
    stdout: str
    stderr: str

    @property
    def last_words(self) -> str:
        """What it said on standard error about what went wrong."""
        return last_words(self.stderr)


def command(question: Question, places: Places, cancel: Cancel, text: str) -> CommandResult:
    """Run a command where the question is asked, within its time limit."""
    output = CapturedOutput()
    script = Script(text, question.execution, timeout=question.timeout)
    outcome = places.place(question.host).run(script, output, lambda _: None, cancel)
    # What it says on standard error is for people only, and may be shortened for them.
    return CommandResult(outcome, output.text("stdout"), question.mask.text(output.text("stderr")))


def where(question: Question) -> str:
    """Where a question is asked, for people."""
    return question.host.name if question.host else "local"


def unanswered(question: Question, reply: CommandResult) -> ProbeAnswer:
    """The place could not be asked: nothing is known."""
    why = getattr(reply.outcome, "why", "") or getattr(reply.outcome, "note", "")
    return doubt(question, why or f"no answer within {question.timeout}")


def doubt(question: Question, why: str) -> ProbeAnswer:
    """Could not tell."""
    return ProbeAnswer(Verdict.COULD_NOT_TELL, "", question.mask.text(why), where(question))


def no(question: Question, value: str, why: str) -> ProbeAnswer:
    """Does not hold, for a reason that no expectation names."""
    return ProbeAnswer(
        Verdict.DOES_NOT_HOLD,
        shown(question.mask.text(value)),
        question.mask.text(why),
        where(question),
    )


def judged(question: Question, expect: Expect, seen: Observed, said: str = "") -> ProbeAnswer:
    """The answer, judged.

    Args:
        question: What was asked.
        expect: What must be so.
        seen: What was seen.
        said: What was said on standard error. A command that failed says why it did there, or
            else on standard output: that tells more than its exit code, and stands first.
    """
    verdict, why = judge(expect, seen, question.mask)
    failed = seen.exit is not None and seen.exit not in (expect.exit or (seen.exit,))
    if failed and (reason := said or last_words(question.mask.text(seen.text))):
        why = f"{reason} ({why})"
    elif why and said:
        why = f"{why} ({said})"
    value = seen.text if seen.present else "nothing"
    return ProbeAnswer(
        verdict, shown(question.mask.text(value)), question.mask.text(why), where(question)
    )


def with_exit(expect: Expect, *default: int) -> Expect:
    """The expectation, with an exit status where the author names none."""
    return expect if expect.exit is not None else replace(expect, exit=default)


def ended_with(reply: CommandResult) -> int | None:
    """The exit status, if the command ended by itself."""
    return reply.outcome.exit if isinstance(reply.outcome, Ended) else None

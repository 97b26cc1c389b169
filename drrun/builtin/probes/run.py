"""`run`: a command that must succeed.

Rules:
- Exit 0 is expected unless the author says otherwise. 126 and 127 mean that the command could not
  be executed, which says nothing about what it should have found (fault F78).
- With `tells` the command itself has three answers: only the exit codes that are named there say
  that it holds, or that it does not.
- A place that cannot be asked, or a command that does not end in time, could not tell.
"""

from dataclasses import replace

from drrun.builtin.probes.asking import (
    CommandResult,
    command,
    doubt,
    ended_with,
    judged,
    unanswered,
    with_exit,
)
from drrun.core.rules.judging import Observed
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question

_NOT_EXECUTED = (126, 127)


def evaluate(question: Question, places: Places, cancel: Cancel) -> ProbeAnswer:
    """Run the command once."""
    return answer(question, command(question, places, cancel, str(question.ask["text"])))


def answer(question: Question, reply: CommandResult) -> ProbeAnswer:
    """What a reply means for the question."""
    status = ended_with(reply)
    if status is None:
        return unanswered(question, reply)
    said = reply.last_words
    if tells := question.ask.get("tells"):
        if status not in (*tells["holds"], *tells["not"]):
            why = f"exit {status} tells nothing"
            return doubt(question, f"{said} ({why})" if said else why)
        expect = replace(question.expect, exit=tuple(tells["holds"]))
        return judged(question, expect, Observed(reply.stdout, exit=status), said)
    expect = with_exit(question.expect, 0)
    if status in _NOT_EXECUTED and status not in (expect.exit or ()):
        return doubt(question, said or f"the command could not be executed ({status})")
    return judged(question, expect, Observed(reply.stdout, exit=status), said)

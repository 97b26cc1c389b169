"""Probes by kind: questions that change nothing.

Rules:
- One module a kind, one function `evaluate(question, places, cancel) -> ProbeAnswer`.
- Each has a deadline of its own, `question.timeout`; who does not answer in time did not hold (a
  service that is down) or could not tell (a place that cannot be asked), as each module says.
"""

from typing import assert_never

from drrun.core.model.outcomes import Outcome
from drrun.core.model.probes import ProbeKind, Verdict
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question


class Probes:
    """Asks questions of every kind. A `Prober`."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def evaluate(self, question: Question, cancel: Cancel) -> ProbeAnswer:
        """Ask once; a kind is imported when it is asked first: dnspython and TLS are slow."""
        match question.kind:
            case ProbeKind.RUN:
                from drrun.builtin.probes.run import evaluate
            case ProbeKind.TCP:
                from drrun.builtin.probes.tcp import evaluate
            case ProbeKind.HTTP:
                from drrun.builtin.probes.http import evaluate
            case ProbeKind.DNS:
                from drrun.builtin.probes.dns import evaluate
            case ProbeKind.FILE:
                from drrun.builtin.probes.file import evaluate
            case ProbeKind.SQL:
                from drrun.builtin.probes.sql import evaluate
            case ProbeKind.ASK:
                where = question.host.name if question.host else "local"
                return ProbeAnswer(Verdict.COULD_NOT_TELL, "", "a person must look", where)
            case _:
                assert_never(question.kind)
        return evaluate(question, self._places, cancel)


def judge(question: Question, outcome: Outcome, stdout: str, stderr: str) -> ProbeAnswer:
    """What the reply to a `run` probe means."""
    from drrun.builtin.probes.asking import CommandResult
    from drrun.builtin.probes.run import answer

    return answer(question, CommandResult(outcome, stdout, stderr))

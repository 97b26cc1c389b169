"""Probes by kind: questions that change nothing.

Rules:
- One module a kind, one function `evaluate(question, places, cancel) -> Seen`.
- Each has a deadline of its own, `question.timeout`; who does not answer in time did not hold (a
  service that is down) or could not tell (a place that cannot be asked), as each module says.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from drrun.core.outcomes import Outcome
from drrun.core.probes import ProbeKind, Verdict
from drrun.engine.ports import Cancel, Places, Question, Seen

Evaluate = Callable[[Question, Places, Cancel], Seen]

#: Kind -> module with `evaluate`; imported when first asked, because dnspython and TLS are slow.
MODULES: Mapping[ProbeKind, str] = {
    ProbeKind.RUN: "drrun.builtin.probes.run",
    ProbeKind.TCP: "drrun.builtin.probes.tcp",
    ProbeKind.HTTP: "drrun.builtin.probes.http",
    ProbeKind.DNS: "drrun.builtin.probes.dns",
    ProbeKind.FILE: "drrun.builtin.probes.file",
    ProbeKind.SQL: "drrun.builtin.probes.sql",
}


class Probes:
    """Asks questions of every kind. A `Prober`."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def evaluate(self, question: Question, cancel: Cancel) -> Seen:
        """Ask once."""
        where = question.host.name if question.host else "local"
        if question.kind not in MODULES:
            return Seen(Verdict.COULD_NOT_TELL, "", "a person has to look", where)
        evaluate: Evaluate = import_module(MODULES[question.kind]).evaluate
        return evaluate(question, self._places, cancel)


def judge(question: Question, outcome: Outcome, stdout: str, stderr: str) -> Seen:
    """What the reply to a `run` probe means."""
    from drrun.builtin.probes.asking import Reply
    from drrun.builtin.probes.run import answer

    return answer(question, Reply(outcome, stdout, stderr))

"""`fact`: what a probe sees now is written into the record, for later steps and for the report.

Rules:
- It judges nothing: an `expect` that is not met is recorded as `holds: false`, and the step goes
  on. Whoever wants it to fail writes a verify.
- What could not be told is no fact: the step fails and may be retried.
"""

from drrun.core.model.outcomes import Ended, Outcome
from drrun.core.model.probes import Verdict
from drrun.ports.places import ActionCall, Prober


class FactAction:
    """Asks a probe."""

    def __init__(self, prober: Prober) -> None:
        self._prober = prober

    def perform(self, call: ActionCall) -> Outcome:
        """Ask it at all its places."""
        answers = [self._prober.evaluate(each, call.cancel) for each in call.order.questions]
        for seen in answers:
            call.output.write("stdout", f"{seen.where}: {seen.value}\n".encode())
        doubts = [seen for seen in answers if seen.verdict is Verdict.COULD_NOT_TELL]
        if doubts:
            return Ended(1, note="; ".join(f"{seen.where}: {seen.why}" for seen in doubts))
        values = [seen.answer or seen.value for seen in answers]
        name = str(call.order.arguments.get("name") or "value")
        return Ended(
            0,
            note=", ".join(values),
            facts={
                name: values[0] if len(values) == 1 else values,
                "holds": all(seen.verdict is Verdict.HOLDS for seen in answers),
            },
        )

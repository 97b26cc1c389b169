"""What a person signs when they answer: the very question, and nothing that could mean another.

Rules:
- The text names run, step, target, attempt, the moment at which it was asked, and the answer, so
  that a signature is good for one answer to one question and for nothing else (fault F99).
"""

from drrun.core.model.ids import TargetKey
from drrun.core.state.run_state import RunState

#: Namespace of signatures (`ssh-keygen -Y sign -n`).
NAMESPACE = "drrun"


def signed_text(state: RunState, run: str, key: TargetKey, answer: str, by: str) -> str:
    """The text that `by` signs for an answer; "" if nothing is being asked.

    Args:
        state: The run.
        run: Its id.
        key: The target that is asked about.
        answer: `approve`, `reject`, or `decide OPTION`.
        by: Who answers.
    """
    target = state.targets[key]
    if target.gate is None:
        return ""
    asked = target.gate.asked
    lines = (
        "drrun answer 1",
        f"run: {run}",
        f"step: {key}",
        f"attempt: {target.attempt}",
        f"asked: {target.gate.opened_at:.3f}",
        f"question: {' '.join(asked.text.split())}",
        f"answer: {answer}",
        f"by: {by}",
    )
    return "\n".join(lines) + "\n"

"""What the record of a run says of each target, compared with what its host did.

Rules:
- A host counts in an append-only file: one line with the step's id for each execution.
- The record is read by processes: sweeps judge in many threads.
- `Verdict.lies` is empty whatever broke. How a run ends, and whether it may ask, is for the test.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.programs import Program

#: A step and its target.
Key = tuple[str, str]


@dataclass
class Verdict:
    """One target of a step."""

    name: str
    #: Executions that the host has counted.
    effects: int
    #: Status of the step.
    status: str = ""
    intended: int = 0
    #: Why attempts are said to have never started.
    never: list[str] = field(default_factory=list)
    #: The exit codes that are known.
    exits: list[int] = field(default_factory=list)
    #: Whether all checks of `verify` are on record as holding.
    verified: bool = False
    #: Everything that the record says in words.
    words: list[str] = field(default_factory=list)

    @property
    def twice(self) -> bool:
        """Whether the effect came more than once."""
        return self.effects > 1

    @property
    def falsely_never(self) -> bool:
        """Whether an attempt is said to have never started whose effect is on the host."""
        return self.effects > self.intended - len(self.never)

    @property
    def falsely_passed(self) -> bool:
        """Whether it passed without an effect, or without a check."""
        return self.status == "passed" and not (self.verified and self.effects)

    @property
    def lies(self) -> list[str]:
        """What is not true or not right about it."""
        found = []
        if self.twice:
            found.append(f"{self.name}: executed {self.effects} times")
        if self.falsely_never:
            found.append(f"{self.name}: executed, but said: {'; '.join(self.never)}")
        if self.falsely_passed:
            found.append(f"{self.name}: passed with {self.effects} effects")
        return found

    def says(self, words: str) -> bool:
        """Whether the record has these words about it."""
        return any(words in each for each in self.words)


def events(program: Program) -> list[dict[str, Any]]:
    """The journal of the latest run."""
    return [json.loads(line) for line in program("events", "latest", "--json").out.splitlines()]


def steps(program: Program) -> list[dict[str, Any]]:
    """The steps of the latest run, by `drrun status`."""
    done = program("status", "latest", "--json")
    assert done.exit == 0, done.err
    found: list[dict[str, Any]] = json.loads(done.out)["steps"]
    return found


def verdicts(program: Program, effects: Mapping[Key, int]) -> dict[Key, Verdict]:
    """All targets on record, and all that have effects."""
    found = {key: Verdict("@".join(key), count) for key, count in effects.items()}
    for event in events(program):
        body = event["body"]
        if "step" in body and "target" in body:
            key = (body["step"], body["target"])
            verdict = found.setdefault(key, Verdict("@".join(key), 0))
            _note(verdict, event["kind"], body)
    for step in steps(program):
        for (name, _), verdict in found.items():
            if name == step["id"]:
                verdict.status = step["status"]
    return found


def _note(verdict: Verdict, kind: str, body: Mapping[str, Any]) -> None:
    verdict.words += _texts(body.values())
    match kind:
        case "AttemptIntended":
            verdict.intended += 1
        case "AttemptNeverStarted":
            verdict.never.append(body["why"])
        case "AttemptEnded":
            verdict.exits.append(body["exit"])
        case "ProbesConcluded" if body["purpose"] in {"verify", "reconcile"}:
            verdict.verified = body["verdict"] == "holds"
        case _:
            pass


def _texts(values: Iterable[Any]) -> list[str]:
    return [each for each in values if isinstance(each, str)]

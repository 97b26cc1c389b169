"""What a sweep has seen, by kind of what went wrong."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from tests.programs import Program
from tests.verdicts import Key, verdicts


class Wrong(StrEnum):
    """What may go wrong with a scene."""

    TWICE = "double effects"
    LOST = "lost"
    HUNG = "hung"
    NEVER = "false 'never started'"
    #: The sweep itself could not judge.
    BROKEN = "broken scenes"


@dataclass
class Tally:
    """Figures of a sweep; scenes in several threads add to it."""

    #: Kills or cuts.
    done: int = 0
    runs: int = 0
    #: How often a person had to answer.
    asked: int = 0
    seen: Counter[Wrong] = field(default_factory=Counter)
    #: One line for each finding, with the seed that shows it again.
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __str__(self) -> str:
        kinds = ", ".join(f"{self.seen[kind]} {kind}" for kind in Wrong)
        return f"{self.done} in {self.runs} runs: {kinds}; asked {self.asked} times"

    def add(self, *, done: int = 0, runs: int = 0, asked: int = 0) -> None:
        """Count."""
        with self.lock:
            self.done += done
            self.runs += runs
            self.asked += asked

    def note(self, kind: Wrong, seed: int, words: object) -> None:
        """Keep a finding, and print it at once."""
        line = f"seed {seed}: {kind}: {words}"
        with self.lock:
            self.seen[kind] += 1
            self.wrong.append(line)
        print(line, flush=True)

    def judge(
        self,
        seed: int,
        program: Program,
        effects: Counter[Key],
        expected: Counter[Key],
        *,
        finished: bool,
    ) -> None:
        """Compare what the hosts did with what had to be done, and with the record."""
        record = verdicts(program, effects)
        never = {key for key, verdict in record.items() if verdict.falsely_never}
        lost = set(expected - effects) if finished else set()
        twice = set(effects - expected)
        for kind, keys in ((Wrong.TWICE, twice), (Wrong.LOST, lost), (Wrong.NEVER, never)):
            if keys:
                self.note(kind, seed, ", ".join("@".join(key) for key in sorted(keys)))

"""Hands, probes and outputs that follow a script: for tests of runbooks and of the engine."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from drrun.core.integrity.masking import OPEN, Mask
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Ended, Outcome, OutcomeUnknown, Stopped
from drrun.core.model.probes import Verdict
from drrun.ports.clock import Cancel
from drrun.ports.hands import AttemptListener, HostClaim
from drrun.ports.journal import NONE
from drrun.ports.places import (
    AttemptOrder,
    AttemptProgress,
    Output,
    ProbeAnswer,
    Question,
    StreamPiece,
)


class ScriptedHands:
    """Does what the script says for each step, attempt by attempt; else everything goes well."""

    def __init__(self, script: Mapping[str, Sequence[Outcome]] | None = None) -> None:
        self._script = {step: list(outcomes) for step, outcomes in (script or {}).items()}
        self._lock = threading.Lock()
        #: How often each attempt was executed: the effect that a host would see.
        self.effects: Counter[str] = Counter()
        #: The text of every command, in the order in which they came.
        self.commands: list[str] = []
        #: Attempts of these steps wait here until the event is set.
        self.holds: dict[str, threading.Event] = {}
        #: Steps whose attempts were told to end.
        self.ended: set[str] = set()
        self._left = threading.Event()

    def take_up(self, claim: HostClaim) -> None:
        """Nothing: there are no hosts."""

    def visit(self, places: Collection[Host | None]) -> Callable[[], bool]:
        """Nothing: there are no hosts."""
        del places
        return lambda: True

    def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
        """Carry out one attempt by the script, at once unless it is held."""
        if order.again:
            report.done(self.reconciled(order))
            return
        with self._lock:
            self.effects[f"{order.step}@{order.target}#{order.attempt}"] += 1
            self.commands.append(str(order.arguments.get("text", order.action)))
            script = self._script.get(order.step)
            outcome: Outcome = script.pop(0) if script else Ended(0)
        report.news(AttemptProgress(route="scripted"))
        hold = self.holds.get(order.step)
        if hold is None:
            self._finish(order, output, report, outcome)
        else:
            work = (hold, self._left, order, output, report, outcome)
            threading.Thread(target=self._hold, args=work, daemon=True).start()

    def reconciled(self, order: AttemptOrder) -> Outcome:
        """Nothing is known of what an earlier controller left."""
        if order.ending:
            return Stopped(gone=False, note="nobody knows")
        return OutcomeUnknown(f"the controller died while {order.step} was in flight")

    def _hold(
        self,
        hold: threading.Event,
        left: threading.Event,
        order: AttemptOrder,
        output: Output,
        report: AttemptListener,
        outcome: Outcome,
    ) -> None:
        while not hold.wait(0.01):
            if order.step in self.ended:
                report.done(Stopped(gone=True, note="ended on request"))
                return
            if left.is_set():
                report.done(OutcomeUnknown("detached"))
                return
        self._finish(order, output, report, outcome)

    def _finish(
        self, order: AttemptOrder, output: Output, report: AttemptListener, outcome: Outcome
    ) -> None:
        output.write("stdout", f"{order.step} on {order.target}\n".encode())
        report.done(outcome)

    def let_go(self, order: AttemptOrder) -> None:
        """Nobody needs its report; it may come."""

    def end(self, order: AttemptOrder) -> None:
        """End an attempt that is held."""
        self.ended.add(order.step)

    def forget(self, order: AttemptOrder) -> None:
        """Nothing is kept."""

    def leave(self) -> None:
        """Let go of everything that is held."""
        self._left.set()
        self._left = threading.Event()

    def close(self) -> None:
        """Nothing to leave."""


class ScriptedProber:
    """Answers by the text of the question: a list of verdicts, the last of which stays."""

    def __init__(self, script: Mapping[str, Sequence[Verdict]] | None = None) -> None:
        self._script = {text: list(verdicts) for text, verdicts in (script or {}).items()}
        self._lock = threading.Lock()

    def evaluate(self, question: Question, cancel: Cancel) -> ProbeAnswer:
        """Answer by the script; what is not in it holds."""
        del cancel
        text = str(next(iter(question.ask.values()), ""))
        with self._lock:
            script = self._script.get(text, [Verdict.HOLDS])
            verdict = script.pop(0) if len(script) > 1 else script[0]
        why = "" if verdict is Verdict.HOLDS else f"the script says: {verdict}"
        return ProbeAnswer(verdict, str(verdict), why, "script")


class MemoryOutput:
    """Keeps the output of one attempt in memory."""

    def __init__(self) -> None:
        self.streams: dict[str, bytes] = defaultdict(bytes)

    def write(self, stream: str, data: bytes) -> None:
        """Keep bytes."""
        self.streams[stream] += data

    def text(self, stream: str) -> str:
        """What was kept, decoded."""
        return self.streams[stream].decode("utf-8", "surrogateescape")

    def close(self) -> Mapping[str, Any]:
        """How much came."""
        return {stream: {"bytes": len(data)} for stream, data in self.streams.items()}


class MemoryKept:
    """One stream of one attempt, to read."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def chunks(self) -> Iterator[bytes]:
        """All of it."""
        yield from (self._content,) if self._content else ()

    def pieces(self, start: int = 0) -> Iterator[StreamPiece]:
        """All of it from byte `start` on; when it came is not known."""
        if rest := self._content[start:]:
            yield StreamPiece(rest, len(self._content), None)

    def head(self, size: int) -> bytes:
        """The first `size` bytes."""
        return self._content[:size]

    def tail(self, size: int) -> bytes:
        """The last `size` bytes."""
        return self._content[-size:] if size else b""

    def size(self) -> int:
        """How many bytes there are."""
        return len(self._content)


class MemorySpool:
    """Keeps outputs in memory."""

    def __init__(self) -> None:
        self.outputs: dict[tuple[StepId, TargetName, int], MemoryOutput] = {}

    def open(
        self,
        run: RunId,
        step: StepId,
        target: TargetName,
        attempt: int,
        mask: Mask = OPEN,
        outdated: Mapping[str, str] = NONE,
    ) -> Output:
        """A place for one attempt's output."""
        del run, mask, outdated
        return self.outputs.setdefault((step, target, attempt), MemoryOutput())

    def kept(
        self, run: RunId, step: StepId, target: TargetName, attempt: int, stream: str
    ) -> MemoryKept:
        """One stream of one attempt, to read."""
        del run
        output = self.outputs.get((step, target, attempt))
        return MemoryKept(output.streams[stream] if output else b"")

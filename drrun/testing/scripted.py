"""Hands, probes and outputs that follow a script: for tests of runbooks and of the engine."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from drrun.core.ids import RunId, StepId, TargetName
from drrun.core.outcomes import ContactLost, Ended, Outcome, Stopped
from drrun.core.probes import Verdict
from drrun.engine.ports import AttemptOrder, Cancel, Output, Piece, Progress, Question, Seen


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

    def perform(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute one attempt by the script."""
        with self._lock:
            self.effects[f"{order.step}@{order.target}#{order.attempt}"] += 1
            self.commands.append(str(order.arguments.get("text", order.action)))
            script = self._script.get(order.step)
            outcome: Outcome = script.pop(0) if script else Ended(0)
        tell(Progress(route="scripted"))
        hold = self.holds.get(order.step)
        while hold is not None and not hold.is_set():
            if order.step in self.ended:
                return Stopped(gone=True, note="ended on request")
            if cancel.wait(0.01):
                return ContactLost("detached")
        output.write("stdout", f"{order.step} on {order.target}\n".encode())
        return outcome

    def reconcile(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Nothing is known of what an earlier controller left."""
        del output, tell, cancel
        if order.ending:
            return Stopped(gone=False, note="nobody knows")
        return ContactLost(f"the controller died while {order.step} was in flight")

    def end(self, order: AttemptOrder) -> None:
        """End an attempt that is held."""
        self.ended.add(order.step)

    def forget(self, order: AttemptOrder) -> None:
        """Nothing is kept."""

    def clear(self, run: RunId) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing to leave."""


class ScriptedProber:
    """Answers by the text of the question: a list of verdicts, the last of which stays."""

    def __init__(self, script: Mapping[str, Sequence[Verdict]] | None = None) -> None:
        self._script = {text: list(verdicts) for text, verdicts in (script or {}).items()}
        self._lock = threading.Lock()

    def evaluate(self, question: Question, cancel: Cancel) -> Seen:
        """Answer by the script; what is not in it holds."""
        del cancel
        text = str(next(iter(question.ask.values()), ""))
        with self._lock:
            script = self._script.get(text, [Verdict.HOLDS])
            verdict = script.pop(0) if len(script) > 1 else script[0]
        why = "" if verdict is Verdict.HOLDS else f"the script says: {verdict}"
        return Seen(verdict, str(verdict), why, "script")


class MemoryOutput:
    """Keeps the output of one attempt in memory."""

    def __init__(self) -> None:
        self.streams: dict[str, bytes] = defaultdict(bytes)

    def write(self, stream: str, data: bytes) -> None:
        """Keep bytes."""
        self.streams[stream] += data

    def text(self, stream: str) -> str:
        """What was kept, decoded."""
        return self.streams[stream].decode("utf-8", "replace")

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

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """All of it from byte `start` on; when it came is not known."""
        if rest := self._content[start:]:
            yield Piece(rest, len(self._content), None)

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
        secrets: Iterable[str] = (),
    ) -> Output:
        """A place for one attempt's output."""
        del run, secrets
        return self.outputs.setdefault((step, target, attempt), MemoryOutput())

    def kept(
        self, run: RunId, step: StepId, target: TargetName, attempt: int, stream: str
    ) -> MemoryKept:
        """One stream of one attempt, to read."""
        del run
        output = self.outputs.get((step, target, attempt))
        return MemoryKept(output.streams[stream] if output else b"")

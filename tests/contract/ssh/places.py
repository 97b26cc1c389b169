"""What the tests of places have in common: an output that keeps all, and short ways to run."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drrun.core.model.outcomes import Outcome
from drrun.core.model.runbook import Execution
from drrun.core.model.values import Duration
from drrun.ports.places import AttemptProgress, Remote, Script


@dataclass
class Kept:
    """An `Output` in memory."""

    parts: list[tuple[str, bytes]] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)

    def write(self, stream: str, data: bytes) -> None:
        self.parts.append((stream, data))
        self.first.set()

    def bytes(self, stream: str = "stdout") -> bytes:
        return b"".join(data for each, data in self.parts if each == stream)

    def text(self, stream: str = "stdout") -> str:
        return self.bytes(stream).decode("utf-8", "replace")

    def close(self) -> Mapping[str, Any]:
        return {}


@dataclass
class Counted:
    """An `Output` that only counts, for much of it."""

    sizes: dict[str, int] = field(default_factory=dict)

    def write(self, stream: str, data: bytes) -> None:
        self.sizes[stream] = self.sizes.get(stream, 0) + len(data)

    def text(self, stream: str) -> str:
        return str(self.sizes.get(stream, 0))

    def close(self) -> Mapping[str, Any]:
        return {}


@dataclass
class Done:
    """What became of a script."""

    outcome: Outcome
    output: Kept
    told: list[AttemptProgress]

    @property
    def out(self) -> str:
        return self.output.text("stdout")

    @property
    def err(self) -> str:
        return self.output.text("stderr")

    @property
    def why(self) -> str:
        return str(getattr(self.outcome, "why", ""))


def run(
    place: Remote,
    text: str,
    *,
    stdin: bytes = b"",
    stdin_text: str | None = None,
    timeout: float | None = None,
    cancel: threading.Event | None = None,
    output: Any = None,
    **execution: Any,
) -> Done:
    """Run a script to its end."""
    limit = Duration(timeout) if timeout is not None else None
    script = Script(text, Execution(stdin=stdin_text, **execution), stdin, limit)
    kept = output or Kept()
    told: list[AttemptProgress] = []
    outcome = place.run(script, kept, told.append, cancel or threading.Event())
    return Done(outcome, kept, told)


@dataclass
class Going:
    """A script that goes on in a thread."""

    done: list[Done]
    output: Kept
    thread: threading.Thread

    def end(self, seconds: float = 60) -> Done:
        self.thread.join(seconds)
        assert self.done, "it never ended"
        return self.done[0]


def begin(place: Remote, text: str, **options: Any) -> Going:
    """Run a script in a thread, and wait until it prints something."""
    output = Kept()
    done: list[Done] = []
    thread = threading.Thread(
        target=lambda: done.append(run(place, text, output=output, **options)), daemon=True
    )
    thread.start()
    assert output.first.wait(60), done
    return Going(done, output, thread)


def lives(pid: str) -> bool:
    """Whether a process is there; one that ended and was not collected by its parent is not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return stat.rpartition(") ")[2][:1] not in {"Z", "X"}

"""Recording: an event changes the state and is durable before anybody acts on it.

Rules:
- `record` applies an event at once, so that an illegal one is refused before it is written;
  `commit` makes all that were recorded durable in one transaction. Nobody acts in between.
- An event is redacted first. The redacted event is what we apply, write and tell.
- When a commit fails the memory is ahead of the journal: the controller must stop acting. The
  next controller folds what is durable, and nothing else ever happened.
"""

from collections.abc import Callable, Iterator

from drrun.core import events as ev
from drrun.core.integrity.chain import Head
from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.state.run_state import RunState
from drrun.engine.faultpoints import point
from drrun.ports.clock import Clock
from drrun.ports.journal import Draft, Entry, Journal, Lease

Listener = Callable[[Entry, ev.Event], None]


class Ledger:
    """The journal and the state that it folds to, kept together."""

    def __init__(
        self,
        state: RunState,
        journal: Journal,
        lease: Lease,
        clock: Clock,
        redact: Callable[[ev.Event], ev.Event] | None = None,
    ) -> None:
        """Begin to record.

        Args:
            state: The fold of the journal.
            journal: Where to write.
            lease: The right to write.
            clock: For the moment of each fact.
            redact: Removes secrets from an event; None where no secret is known.
        """
        self.state = state
        self._redact = redact
        self.lease = lease
        self._journal = journal
        self._clock = clock
        #: The end of the journal, once something was committed here. Any thread may read it.
        self.end = Head(0, "-")
        self._waiting: list[tuple[Draft, ev.Event]] = []
        self._listeners: list[Listener] = []
        self._seen = 0

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every entry once it is durable; it must return at once."""
        self._listeners.append(listener)

    def record(
        self, event: ev.Event, actor: str = "controller", *, at: float | None = None
    ) -> None:
        """Apply an event and keep it for the next commit.

        Args:
            event: What happened.
            actor: Who did it, or tells it.
            at: When it happened; None: now. No fact is dated before the one that it follows.

        Raises:
            IllegalMove: It cannot happen now; nothing was changed.
        """
        if self._redact is not None:
            event = self._redact(event)
        at = max(self.state.time.at, self._clock.now() if at is None else at)
        self.state.apply(event, at)
        draft = Draft(at, actor, ev.kind_of(event), event.VERSION, ev.body_of(event))
        self._waiting.append((draft, event))

    def holds(self, head: Head) -> bool:
        """Whether the journal has this very entry."""
        entry = next(self._journal.read(self.lease.run, head.seq - 1), None)
        return entry is not None and entry.hash == head.hash

    def touched(self) -> Iterator[TargetKey]:
        """The targets of all facts recorded since the last call."""
        fresh, self._seen = self._waiting[self._seen :], len(self._waiting)
        for _, event in fresh:
            if isinstance(event, ev.TargetEvent):
                yield TargetKey(StepId(event.step), TargetName(event.target))

    def commit(self) -> None:
        """Make everything that was recorded durable.

        Raises:
            LeaseLost: Another controller holds the run.
            StateUnusable: The disk is full or failing.
        """
        if not self._waiting:
            return
        waiting, self._waiting, self._seen = self._waiting, [], 0
        kinds = ",".join(draft.kind for draft, _ in waiting)
        point(f"before commit {kinds}")
        entries = self._journal.append(self.lease, [draft for draft, _ in waiting])
        self.end = Head(entries[-1].seq, entries[-1].hash)
        point(f"after commit {kinds}")
        for entry, (_, event) in zip(entries, waiting, strict=True):
            for listener in self._listeners:
                listener(entry, event)

"""An engine put together from fakes that ship: memory journal, scripted hands and probes."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drrun.cases.load_plan import LoadedPlan
from drrun.cases.start import ControllerSlot, Options, RunTools, seat, start
from drrun.core.events import Event
from drrun.core.model.ids import RunId
from drrun.core.model.plan import Plan
from drrun.core.state.run_state import RunState, fold
from drrun.engine.controller import RunEnding
from drrun.engine.naming import LateSecrets
from drrun.engine.records import Records
from drrun.engine.session import Session
from drrun.files.templates.templating import Templates
from drrun.journal.system_clock import SystemClock
from drrun.ports.clock import Clock
from drrun.ports.journal import Entry
from drrun.testing.memory import MemoryJournal
from drrun.testing.scripted import MemorySpool, ScriptedHands, ScriptedProber


class CountedIds:
    """Run ids that a test can name."""

    def __init__(self) -> None:
        self._count = 0

    def new_mark(self) -> str:
        self._count += 1
        return f"{self._count:016x}"

    def new_run(self, name: str, now: float) -> RunId:
        self._count += 1
        return RunId(f"{name}-{self._count}")


class NoSecrets:
    """There are none."""

    def resolve(self, name: str) -> str:
        raise AssertionError(name)


@dataclass
class Rig:
    """One journal and one world; controllers come and go."""

    plan: Plan
    hands: ScriptedHands = field(default_factory=ScriptedHands)
    prober: ScriptedProber = field(default_factory=ScriptedProber)
    journal: MemoryJournal = field(default_factory=lambda: MemoryJournal(SystemClock()))
    spool: MemorySpool = field(default_factory=MemorySpool)
    ids: CountedIds = field(default_factory=CountedIds)
    #: By default real time, so that waits end.
    clock: Clock = field(default_factory=SystemClock)

    @property
    def records(self) -> Records:
        return Records(self.journal, self.journal, self.journal, self.spool, self.clock, self.ids)

    @property
    def tools(self) -> RunTools:
        return RunTools(self.hands, self.prober, Templates(), NoSecrets())

    def start(self, **options: Any) -> Session:
        loaded = LoadedPlan(self.plan, (), Path())
        return start(self.records, lambda *_: self.tools, loaded, Options(by="drew", **options))

    def resume(self, run: RunId, *events: Event, **options: Any) -> Session:
        """A new controller on the same journal, after the old one is gone."""
        old = self.journal.holder(run)
        if old is not None:
            self.journal.release(old)
        lease = self.journal.take(run)
        place = ControllerSlot(run, lease, Path())
        secrets = LateSecrets({}, NoSecrets())
        session = seat(
            self.records, self.tools, secrets, self.fold(run), place, Options(by="drew", **options)
        )
        session.edges.ledger.record(session.took)
        for event in events:
            session.edges.ledger.record(event)
        session.edges.ledger.commit()
        return session

    def entries(self, run: RunId) -> list[Entry]:
        return list(self.journal.read(run))

    def kinds(self, run: RunId) -> list[str]:
        return [entry.kind for entry in self.entries(run)]

    def fold(self, run: RunId) -> RunState:
        from drrun.core.events import event_of

        return fold(
            self.plan, ((each.at, event_of(each.kind, each.body)) for each in self.entries(run))
        )


class Driving:
    """A session driven in a thread of its own, with its events as they become durable."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.standing: RunEnding | None = None
        self._seen: list[tuple[str, Mapping[str, Any]]] = []
        self._news = threading.Condition()
        session.subscribe(self._told)
        self._thread = threading.Thread(target=self._drive, daemon=True)
        self._thread.start()

    def _drive(self) -> None:
        self.standing = self.session.drive()

    def _told(self, entry: Entry, event: Event) -> None:
        del event
        with self._news:
            self._seen.append((entry.kind, entry.body))
            self._news.notify_all()

    def await_event(self, kind: str, **body: object) -> None:
        """Until such an event is durable."""

        def there() -> bool:
            return any(
                seen == kind and all(given.get(name) == value for name, value in body.items())
                for seen, given in self._seen
            )

        with self._news:
            assert self._news.wait_for(there, timeout=20), f"no {kind} {body} in {self._seen}"

    def end(self) -> RunEnding:
        """Until the controller leaves."""
        self._thread.join(timeout=20)
        assert self.standing is not None, "the controller does not leave"
        return self.standing


def each_status(state: RunState) -> Iterator[str]:
    return (str(state.step(step)) for step in state.plan.order)

"""Read what is known of runs, from the journal and from nowhere else.

Rules:
- To act, `known` folds all of a journal. To look, `look` goes on from a fold that was kept: who is
  to see a run of 100,000 events does not want to wait for it.
- Kept is only what was folded from entries whose chain held. Whether the journal still has these
  entries, `Folds` tells; if it does not, or what was kept cannot be read, all is folded again.
- What only folding from the beginning takes, reading a runbook above all, is imported there.
"""

from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING

from drrun.core.chain import Head, link
from drrun.core.dataclass import dataclass
from drrun.core.errors import JournalDamaged
from drrun.core.events import Event, PlanAmended, event_of
from drrun.core.ids import RunId
from drrun.core.packing import NotPacked, pack, unpack
from drrun.core.plan import Plan
from drrun.core.state import Replan, RunState
from drrun.core.status import RunStatus, Status
from drrun.engine.ports import Entry, Folds, KeptFold, Lease
from drrun.engine.records import Records
from drrun.report.about import About
from drrun.report.facts import Fact

if TYPE_CHECKING:
    from drrun.engine.cases.load import Loaded

#: So many new entries make it worth while to keep their fold.
WORTH_KEEPING = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the journal with its event."""

    entry: Entry
    event: Event


@dataclass(frozen=True, slots=True)
class Seen:
    """A run as it stands."""

    run: RunId
    state: RunState
    about: About
    holder: Lease | None

    @property
    def status(self) -> RunStatus:
        """Where the run stands, seen from outside."""
        if self.state.ended is not None:
            return self.state.ended
        if self.state.paused:
            return RunStatus.PAUSED
        asked = [key for key in self.state.active if self.state.targets[key].gate is not None]
        moving = len(self.state.active) > len(asked) or bool(self.state.ready)
        if asked and not moving:
            return RunStatus.WAITING
        return RunStatus.RUNNING if self.holder is not None else RunStatus.INTERRUPTED

    @property
    def in_flight(self) -> bool:
        """Whether an attempt was begun whose outcome is not recorded."""
        return any(self.state.targets[key].status is Status.RUNNING for key in self.state.active)


@dataclass(frozen=True, slots=True)
class Known(Seen):
    """Everything that is known of a run."""

    loaded: "Loaded"
    told: tuple[Told, ...]


def known(records: Records, run: RunId, *, amendable: bool = False) -> Known:
    """Fold a run's journal.

    Args:
        records: Where the run is kept.
        run: Which.
        amendable: Its plan may be amended: what is new is judged as a runbook is.

    Raises:
        JournalDamaged: An entry cannot be what was written.
    """
    from drrun.engine.cases.load import plan_of, replanner

    loaded = plan_of(records.journal.documents(run), judged=True)
    state = RunState(loaded.plan, replanner(loaded.documents, judged=not amendable))
    about = About()
    told = []
    for entry in records.journal.read(run):
        fact = fact_of(entry)
        state.apply(fact.event, fact.at)
        about.add(fact)
        told.append(Told(entry, fact.event))
    return Known(run, state, about, records.leases.holder(run), loaded, tuple(told))


def look(records: Records, run: RunId, worth_keeping: int = WORTH_KEEPING) -> Seen:
    """A run as it stands, to be looked at; what acts on it asks `known`.

    Args:
        records: Where the run is kept.
        run: Which.
        worth_keeping: So many new entries make it worth while to keep their fold.

    Raises:
        JournalDamaged: An entry cannot be what was written.
    """
    kept = records.folds.recall(run) if records.folds else None
    state, about, chain = _gone_on_from(records, run, kept) or _begun(records, run, kept)
    before = about.seq
    for entry in records.journal.read(run, before):
        chain.add(entry)
        fact = fact_of(entry)
        state.apply(fact.event, fact.at)
        about.add(fact)
    if records.folds and chain.holds and about.seq - before >= worth_keeping:
        _keep(records.folds, run, state, about)
    return Seen(run, state, about, records.leases.holder(run))


def fact_of(entry: Entry) -> Fact:
    """An entry as views see it.

    Raises:
        JournalDamaged: It is none that this version can read.
    """
    try:
        event = event_of(entry.kind, entry.body)
    except (KeyError, TypeError) as error:
        raise JournalDamaged(
            f"entry {entry.seq} of {entry.run} is a {entry.kind!r} that this drrun cannot read "
            f"({error}); was it written by a newer version?"
        ) from None
    return Fact(entry.seq, entry.at, entry.actor, event, entry.hash)


@dataclass(slots=True)
class _Chain:
    """Whether every entry that was read vouches for those before it."""

    last: Head
    holds: bool = True

    def add(self, entry: Entry) -> None:
        """Look at the next entry."""
        follows = entry.seq == self.last.seq + 1 and entry.hash == link(self.last.hash, entry)
        self.holds = self.holds and follows
        self.last = Head(entry.seq, entry.hash)


def _begun(records: Records, run: RunId, kept: KeptFold | None) -> tuple[RunState, About, _Chain]:
    """Nothing is folded yet."""
    from drrun.engine.cases.load import plan_of

    plan = plan_of(records.journal.documents(run), judged=True).plan
    chain = _Chain(kept.born) if kept else _Chain(Head(0, ""), holds=False)
    return RunState(plan, _replanner(records, run)), About(), chain


def _gone_on_from(
    records: Records, run: RunId, kept: KeptFold | None
) -> tuple[RunState, About, _Chain] | None:
    """What was kept; None if there is nothing that can be read."""
    if kept is None or not kept.text:
        return None
    try:
        state, about = unpack(kept.text)
    except NotPacked:
        return None
    state.replan = _replanner(records, run)
    return state, about, _Chain(kept.head)


def _replanner(records: Records, run: RunId) -> Replan:
    """Makes the plan anew if an amendment is to come; runbooks are read then, and not before."""

    def replan(amendments: Sequence[PlanAmended]) -> Plan:
        from drrun.engine.cases.load import replanner

        return replanner(records.journal.documents(run), judged=True)(amendments)

    return replan


def _keep(folds: Folds, run: RunId, state: RunState, about: About) -> None:
    plain = copy(state)
    plain.replan = None
    with suppress(NotPacked):  # nobody who looks is to suffer from what cannot be kept
        folds.keep(run, Head(about.seq, about.hash), pack((plain, about)))

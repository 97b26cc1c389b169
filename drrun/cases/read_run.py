"""Read what is known of runs, from the journal and from nowhere else.

Rules:
- To act, `known` folds all of a journal. To look, `look` goes on from a fold that was kept: who is
  to see a run of 100,000 events does not want to wait for it.
- Whoever reads a run looks first whether it is what was written. To act, it must be. To look, all
  that is wrong is told, and shown is what the other entries come to: none that is doubted, and
  none that cannot have happened without one that is doubted or missing.
- Kept is only what was folded from entries whose chain held. Whether the journal still has these
  entries, `Folds` tells; if it does not, or what was kept cannot be read, all is folded again.
  So the chain is looked at once, and from then on behind what was kept.
- What only folding from the beginning takes, reading a runbook above all, is imported there.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from typing import TYPE_CHECKING

from drrun.cases.sound import WORTH_KEEPING, checked_since
from drrun.core.dataclass import dataclass
from drrun.core.events import PlanAmended, event_of
from drrun.core.integrity.chain import Head
from drrun.core.model.errors import IllegalMove, InputError, JournalDamaged, RunDamaged
from drrun.core.model.ids import RunId
from drrun.core.model.packing import NotPacked, pack, unpack
from drrun.core.model.plan import Plan
from drrun.core.model.status import RunStatus, Status
from drrun.core.state.run_state import Replan, RunState
from drrun.engine.records import Records
from drrun.ports.journal import Entry, Folds, JournalCheck, KeptFold, Lease
from drrun.report.about import About
from drrun.report.facts import Fact

if TYPE_CHECKING:
    from drrun.cases.load_plan import LoadedPlan


@dataclass(frozen=True, slots=True)
class RunReading:
    """A run as it stands."""

    run: RunId
    state: RunState
    about: About
    holder: Lease | None
    #: Where its journal is not what was written, what of it was left out.
    checked: JournalCheck
    #: Entries that cannot have happened without those that are missing or doubted.
    unfit: int

    @property
    def damage(self) -> tuple[str, ...]:
        """Everything that is wrong with its journal, a clause each."""
        return self.checked.flaws

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
class ReadRun(RunReading):
    """Everything that is known of a run."""

    loaded: "LoadedPlan"
    #: Its journal, as far as it was applied.
    facts: tuple[Fact, ...]


def known(
    records: Records, run: RunId, *, amendable: bool = False, damaged: bool = False
) -> ReadRun:
    """Fold a run's journal.

    Args:
        records: Where the run is kept.
        run: Which.
        amendable: Its plan may be amended: what is new is judged as a runbook is.
        damaged: To look only: what is left of a damaged one will do.

    Raises:
        JournalDamaged: It is not what was written.
    """
    checked = records.journal.check(run)
    if checked.flaws and not damaged:
        raise RunDamaged(run, checked.flaws)
    with _told_whole(run, checked):
        from drrun.cases.load_plan import plan_of, replanner

        loaded = plan_of(records.journal.documents(run), judged=True)
    state = RunState(loaded.plan, replanner(loaded.documents, judged=not amendable))
    fold = _Fold(state, About(), checked)
    facts = tuple(fold.over(records, run))
    holder = records.leases.holder(run)
    return ReadRun(run, state, fold.about, holder, checked, fold.unfit, loaded, facts)


def look(records: Records, run: RunId, worth_keeping: int = WORTH_KEEPING) -> RunReading:
    """A run as it stands, to be looked at; what acts on it asks `known`.

    Args:
        records: Where the run is kept.
        run: Which.
        worth_keeping: So many new entries make it worth while to keep their fold.

    Raises:
        JournalDamaged: Nothing of it can be shown.
    """
    kept = records.folds.recall(run) if records.folds else None
    checked = checked_since(records, run, kept)
    with _told_whole(run, checked):
        state, about = _gone_on_from(records, run, kept) or _begun(records, run)
    fold, before = _Fold(state, about, checked), about.seq
    for _ in fold.over(records, run):
        pass
    if records.folds and not checked.flaws and about.seq - before >= worth_keeping:
        _keep(records.folds, run, state, about)
    return RunReading(run, state, about, records.leases.holder(run), checked, fold.unfit)


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


@contextmanager
def _told_whole(run: RunId, checked: JournalCheck) -> Iterator[None]:
    """Where nothing can be shown, tell all that is wrong."""
    try:
        yield
    except (InputError, StopIteration, *_CANNOT_BE) as error:
        if checked.flaws:
            raise RunDamaged(run, checked.flaws) from error
        raise


@dataclass(slots=True)
class _Fold:
    """Applies entries; of a damaged journal those that were written, as far as they fit."""

    state: RunState
    about: About
    checked: JournalCheck
    unfit: int = 0

    def over(self, records: Records, run: RunId) -> Iterator[Fact]:
        """Entries that are not folded yet, as far as the journal was looked at."""
        if self.checked.flaws:
            yield from self._what_fits(records.journal.left(run, self.about.seq))
            return
        for entry in records.journal.read(run, self.about.seq):
            if entry.seq > self.checked.sound.seq:
                return  # it came after the look
            fact = fact_of(entry)
            self._apply(fact)
            yield fact

    def _what_fits(self, left: Iterable[Entry]) -> Iterator[Fact]:
        for entry in left:
            if self.checked.doubts(entry):
                continue
            try:
                fact = fact_of(entry)
                self._apply(fact)
            except _CANNOT_BE:
                self.unfit += 1
            else:
                yield fact

    def _apply(self, fact: Fact) -> None:
        self.state.apply(fact.event, fact.at)
        self.about.add(fact)


#: What it leads to if an entry is applied without those before it.
_CANNOT_BE = (
    IllegalMove, JournalDamaged, LookupError, ValueError, TypeError, AttributeError,
    ArithmeticError,
)  # fmt: skip


def _begun(records: Records, run: RunId) -> tuple[RunState, About]:
    """Nothing is folded yet."""
    from drrun.cases.load_plan import plan_of

    plan = plan_of(records.journal.documents(run), judged=True).plan
    return RunState(plan, _replanner(records, run)), About()


def _gone_on_from(
    records: Records, run: RunId, kept: KeptFold | None
) -> tuple[RunState, About] | None:
    """What was kept; None if there is nothing that can be read."""
    if kept is None or not kept.text:
        return None
    try:
        state, about = unpack(kept.text)
    except NotPacked:
        return None
    state.replan = _replanner(records, run)
    return state, about


def _replanner(records: Records, run: RunId) -> Replan:
    """Makes the plan anew if an amendment is to come; runbooks are read then, and not before."""

    def replan(amendments: Sequence[PlanAmended]) -> Plan:
        from drrun.cases.load_plan import replanner

        return replanner(records.journal.documents(run), judged=True)(amendments)

    return replan


def _keep(folds: Folds, run: RunId, state: RunState, about: About) -> None:
    plain = copy(state)
    plain.replan = None
    with suppress(NotPacked):  # nobody who looks is to suffer from what cannot be kept
        folds.keep(run, Head(about.seq, about.hash), pack((plain, about)))

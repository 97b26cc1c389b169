"""Reads the state of runs from the journal, and from nowhere else.

Rules:
- To act on a run, `known` folds its whole journal. To show a run, `look` continues from a kept
  fold: folding 100,000 events takes too long.
- Both first check that the journal was not altered. `known` refuses an altered journal. `look`
  names all flaws, and folds the other entries. It skips entries that are doubted, and entries that
  cannot follow without a doubted or missing one.
- A fold is kept only if the chain of its entries held. `Folds` finds out whether the journal still
  has these entries. If not, or if the kept fold cannot be read, all entries are folded again.
  So the chain is checked once; later checks begin after the kept fold.
- Imports that only a fold from the beginning needs, above all to read a runbook, are inside the
  functions.
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
    """The current state of a run."""

    run: RunId
    state: RunState
    about: About
    holder: Lease | None
    #: The flaws of its journal, and the entries that were left out.
    checked: JournalCheck
    #: How many entries did not fit, because those before them are missing or doubted.
    unfit: int

    @property
    def damage(self) -> tuple[str, ...]:
        """All flaws of its journal, one clause each."""
        return self.checked.flaws

    @property
    def status(self) -> RunStatus:
        """The run's status, as other processes see it."""
        if self.state.ended is not None:
            return self.state.ended
        if self.state.paused:
            return RunStatus.PAUSED
        asked = [key for key in self.state.active if self.state.targets[key].gate is not None]
        moving = len(self.state.active) > len(asked) or bool(self.state.ready)
        if asked and not moving:
            return RunStatus.WAITING
        if self.holder is not None and self.state.all_final and not self.state.rolling_back:
            return RunStatus.WAITING  # it has failed, and its driver asks what to do
        return RunStatus.RUNNING if self.holder is not None else RunStatus.INTERRUPTED

    @property
    def in_flight(self) -> bool:
        """Whether an attempt has begun and has no recorded outcome."""
        return any(self.state.targets[key].status is Status.RUNNING for key in self.state.active)


@dataclass(frozen=True, slots=True)
class ReadRun(RunReading):
    """Everything that is known of a run."""

    loaded: "LoadedPlan"
    #: The entries of its journal that were applied.
    facts: tuple[Fact, ...]


def known(
    records: Records, run: RunId, *, amendable: bool = False, damaged: bool = False
) -> ReadRun:
    """Fold a run's journal.

    Args:
        records: Where the run is kept.
        run: Which.
        amendable: Its plan may be amended; new parts are validated like a runbook.
        damaged: Accept a damaged journal and fold what is left; only to show the run.

    Raises:
        JournalDamaged: The journal was altered.
    """
    checked = records.journal.check(run)
    if checked.flaws and not damaged:
        raise RunDamaged(run, checked.flaws)
    with _told_whole(run, checked):
        from drrun.cases.load_plan import plan_of, replanner

        loaded = plan_of(records.journal.documents(run), judged=True)
    # What was amended was judged then, as the files were when the run began.
    state = RunState(loaded.plan, replanner(loaded.documents, judged=True))
    fold = _Fold(state, About(), checked)
    facts = tuple(fold.over(records, run))
    if amendable:
        state.replan = replanner(loaded.documents)
    holder = records.leases.holder(run)
    state.circumstances.driven = holder is not None
    return ReadRun(run, state, fold.about, holder, checked, fold.unfit, loaded, facts)


def look(records: Records, run: RunId, worth_keeping: int = WORTH_KEEPING) -> RunReading:
    """The state of a run, only to be shown; code that acts on the run calls `known`.

    Args:
        records: Where the run is kept.
        run: Which.
        worth_keeping: Keep the fold if at least so many entries are new.

    Raises:
        JournalDamaged: Nothing of the run can be shown.
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
    holder = records.leases.holder(run)
    state.circumstances.driven = holder is not None
    return RunReading(run, state, about, holder, checked, fold.unfit)


def fact_of(entry: Entry) -> Fact:
    """Decode an entry for views.

    Raises:
        JournalDamaged: This version cannot read the entry.
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
    """If reading fails and the journal has flaws, raise an error that names them all."""
    try:
        yield
    except (InputError, StopIteration, *_CANNOT_BE) as error:
        if checked.flaws:
            raise RunDamaged(run, checked.flaws) from error
        raise


@dataclass(slots=True)
class _Fold:
    """Applies entries; from a damaged journal only sound ones that fit the state."""

    state: RunState
    about: About
    checked: JournalCheck
    unfit: int = 0

    def over(self, records: Records, run: RunId) -> Iterator[Fact]:
        """Apply and yield the new entries, up to the last one that was checked."""
        if self.checked.flaws:
            yield from self._what_fits(records.journal.left(run, self.about.seq))
            return
        for entry in records.journal.read(run, self.about.seq):
            if entry.seq > self.checked.sound.seq:
                return  # written after the check
            yield self._apply(fact_of(entry))

    def _what_fits(self, left: Iterable[Entry]) -> Iterator[Fact]:
        for entry in left:
            if self.checked.doubts(entry):
                continue
            try:
                fact = self._apply(fact_of(entry))
            except _CANNOT_BE:
                self.unfit += 1
            else:
                yield fact

    def _apply(self, fact: Fact) -> Fact:
        self.state.apply(fact.event, fact.at)
        self.about.add(fact)
        return fact._replace(seat=self.about.seat_of(fact))


#: Errors from applying an entry without those before it.
_CANNOT_BE = (
    IllegalMove, JournalDamaged, LookupError, ValueError, TypeError, AttributeError,
    ArithmeticError,
)  # fmt: skip


def _begun(records: Records, run: RunId) -> tuple[RunState, About]:
    """The state before the first entry."""
    from drrun.cases.load_plan import plan_of

    plan = plan_of(records.journal.documents(run), judged=True).plan
    return RunState(plan, _replanner(records, run)), About()


def _gone_on_from(
    records: Records, run: RunId, kept: KeptFold | None
) -> tuple[RunState, About] | None:
    """The kept fold; None if there is none that can be read."""
    if kept is None or not kept.text:
        return None
    try:
        state, about = unpack(kept.text)
    except NotPacked:
        return None
    state.replan = _replanner(records, run)
    return state, about


def _replanner(records: Records, run: RunId) -> Replan:
    """Rebuilds the plan for an amendment; reads runbooks only then."""

    def replan(amendments: Sequence[PlanAmended]) -> Plan:
        from drrun.cases.load_plan import replanner

        return replanner(records.journal.documents(run), judged=True)(amendments)

    return replan


def _keep(folds: Folds, run: RunId, state: RunState, about: About) -> None:
    plain = copy(state)
    plain.replan = None
    with suppress(NotPacked):  # readers must not fail because a fold cannot be kept
        folds.keep(run, Head(about.seq, about.hash), pack((plain, about)))

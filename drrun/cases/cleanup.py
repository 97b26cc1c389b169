"""Remove what runs left on hosts: what their jobs printed, and in the end that they were there.

Rules:
- Nothing is removed that anybody may still need: a job that runs, or whose outcome is not in the
  journal, stays, and is named with what to do about it.
- What a host remembers of a run tells an older copy of its journal from the newest. It stays until
  the run was closed and a stated time is over.
- Runs that this state does not know are another's; they are shown and left alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from drrun.cases.read_run import ReadRun, known
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import NotReady, Refused
from drrun.core.model.ids import RunId
from drrun.core.model.inventory import Host
from drrun.core.model.jobnames import job_of
from drrun.core.model.status import Phase
from drrun.core.model.values import Duration
from drrun.core.state.run_state import RunState
from drrun.engine.records import Records
from drrun.ports.hands import LeftJob, Sweeper

#: Hosts that are asked at the same time.
_AT_ONCE = 16
#: For so long after its close hosts remember a run: longer than copies of a state are kept.
REMEMBERED = Duration(30 * 86400)


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of one job or run, or of one host that could not be asked."""

    host: str
    #: Whose it is; `about` says how that run stands, and how old it is.
    run: str
    #: "" for all of the run.
    job: str
    #: `removed`, `kept`, `remembered`, `foreign`, `unreachable`.
    what: str
    why: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class _Sweep:
    """One call."""

    records: Records
    seen: ReadRun
    sweeper: Sweeper
    #: How each run of this state stands.
    runs: Mapping[str, str]
    #: For so long after their close runs are remembered.
    remembered: Duration

    def of(self, host: Host | None) -> Iterator[Swept]:
        """Sweep one place."""
        name = host.name if host else "local"
        try:
            for run in self.sweeper.runs(host):
                if run == self.seen.run:
                    yield from self._mine(host, name)
                else:
                    yield from self._foreign(host, name, run)
        except NotReady as error:
            yield Swept(name, self.seen.run, "", "unreachable", str(error))

    def _mine(self, host: Host | None, name: str) -> Iterator[Swept]:
        needed, run, kept = needed_jobs(self.seen.state), self.seen.run, False
        for left in self.sweeper.jobs(host, run):
            if why := _needed(left, needed):
                kept = True
                yield Swept(name, run, left.job, "kept", why)
            else:
                self.sweeper.drop(host, left)
                yield Swept(name, run, left.job, "removed")
        why = self._stays(run)
        if not kept and not why:
            self.sweeper.leave(host, run)
            yield Swept(name, run, "", "removed")
        else:
            yield Swept(name, run, "", "remembered", why or "it has jobs")

    def _foreign(self, host: Host | None, name: str, run: RunId) -> Iterator[Swept]:
        for left in self.sweeper.jobs(host, run):
            yield Swept(name, run, left.job, "foreign", f"{left.state}; of another run")
        if run in self.runs:
            why = self._stays(run) or f"to remove it: drrun cleanup {run}"
            yield Swept(name, run, "", "remembered", why)
        else:
            yield Swept(name, run, "", "foreign", "this state does not know it")

    def _closed_at(self, run: RunId) -> float | None:
        closes = (each.at for each in self.records.journal.left(run) if each.kind == _CLOSED)
        return next(closes, None)

    def _stays(self, run: RunId) -> str:
        """Why places go on to remember a run, or ""."""
        closed = self._closed_at(run)
        if closed is None:
            return f"it is not closed: drrun close {run}"
        left = closed + self.remembered - self.records.clock.now()
        return f"closed; it is remembered for another {Duration(round(left))}" if left > 0 else ""


_CLOSED = ev.RunClosed.__name__


def clean_up(
    records: Records,
    run: RunId,
    equip: Callable[[ReadRun], Sweeper],
    remembered: Duration = REMEMBERED,
) -> tuple[ReadRun, list[Swept]]:
    """Remove what a run left on its hosts.

    Args:
        records: Where the run is kept.
        run: Which run.
        equip: Makes what asks the hosts.
        remembered: For so long after its close hosts remember a run.

    Raises:
        Refused: A controller drives the run; it cleans up behind itself.
    """
    seen = known(records, run)
    if seen.holder is not None:
        raise Refused(f"{run} is driven by {seen.holder.holder}, which cleans up behind itself")
    sweeper = equip(seen)
    known_runs = about_runs(records)
    sweep = _Sweep(records, seen, sweeper, known_runs, remembered)
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda host: list(sweep.of(host)), reached(seen))
            return seen, [
                replace(swept, about=known_runs.get(swept.run, "not known here"))
                for each in found
                for swept in each
            ]
    finally:
        sweeper.close()


def about_runs(records: Records) -> Mapping[str, str]:
    """How each run stands, and how long ago it began."""
    now = records.clock.now()
    return {
        each.id: f"{each.status}, begun {Duration(round(max(0.0, now - each.started_at)))} ago"
        for each in records.journal.runs()
    }


def reached(seen: ReadRun) -> Sequence[Host | None]:
    """Places where the run may have left something; None: the controller."""
    hosts, state = seen.loaded.plan.inventory.hosts, seen.state
    acted_on = {state.hosts[key] for key, each in state.targets.items() if each.attempt}
    return [hosts.get(name) for name in sorted(acted_on | state.reached.boots.keys())]


def _needed(left: LeftJob, needed: Mapping[str, str]) -> str:
    if left.state == "running":
        return "it is still running: resume the run, or abort it"
    return needed.get(left.job, "")


def needed_jobs(state: RunState) -> Mapping[str, str]:
    """Jobs whose outcome the journal does not have, with what to do about them."""
    return {
        job_of(key.step, key.target, target.attempt): "its outcome is not known: resume the run"
        for key, target in state.targets.items()
        if target.lost or target.phase is Phase.ACTING
    }

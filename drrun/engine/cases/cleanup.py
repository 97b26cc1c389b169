"""Remove what runs left on hosts: folders of jobs whose outcome the journal knows.

Rules:
- Nothing is removed that anybody may still need: a job that runs, or whose outcome is not in the
  journal, stays, and is named with what to do about it.
- Jobs of runs that this state does not know are another's; they are shown and left alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from drrun.core.dataclass import dataclass
from drrun.core.errors import NotReady, Refused
from drrun.core.ids import RunId
from drrun.core.inventory import Host
from drrun.core.jobnames import job_of
from drrun.core.state import RunState
from drrun.core.status import Phase
from drrun.core.values import Duration
from drrun.engine.cases.look import Known, known
from drrun.engine.ports import LeftJob, Sweeper
from drrun.engine.records import Records

#: Hosts that are asked at the same time.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of one job, or of one host that could not be asked."""

    host: str
    #: Whose it is; `about` says how that run stands, and how old it is.
    run: str
    job: str
    #: `removed`, `kept`, `foreign`, `unreachable`.
    what: str
    why: str = ""
    about: str = ""


def clean_up(
    records: Records, run: RunId, equip: Callable[[Known], Sweeper]
) -> tuple[Known, list[Swept]]:
    """Remove what a run left on its hosts.

    Args:
        records: Where the run is kept.
        run: Which run.
        equip: Makes what asks the hosts.

    Raises:
        Refused: A controller drives the run; it cleans up behind itself.
    """
    seen = known(records, run)
    if seen.holder is not None:
        raise Refused(f"{run} is driven by {seen.holder.holder}, which cleans up behind itself")
    sweeper = equip(seen)
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda host: list(_sweep(seen, host, sweeper)), acted_on(seen))
            known_runs = about_runs(records)
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


def acted_on(seen: Known) -> Sequence[Host | None]:
    """Places where the run may have left something; None: the controller."""
    hosts = seen.loaded.plan.inventory.hosts
    names = {seen.state.hosts[key] for key, each in seen.state.targets.items() if each.attempt}
    return [hosts.get(name) for name in sorted(names)]


def _sweep(seen: Known, host: Host | None, sweeper: Sweeper) -> Iterator[Swept]:
    name = host.name if host else "local"
    needed = needed_jobs(seen.state)
    kept = 0
    try:
        for left in sweeper.jobs(host):
            if left.run != seen.run:
                yield Swept(name, left.run, left.job, "foreign", f"{left.state}; of another run")
            elif why := _needed(left, needed):
                kept += 1
                yield Swept(name, left.run, left.job, "kept", why)
            else:
                sweeper.drop(host, left)
                yield Swept(name, left.run, left.job, "removed")
        if not kept:
            sweeper.leave(host, seen.run)
    except NotReady as error:
        yield Swept(name, seen.run, "", "unreachable", str(error))


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

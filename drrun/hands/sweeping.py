"""Looks for jobs that are left on hosts, and removes them. A `Sweeper`."""

import threading
from collections.abc import Sequence

from drrun.core.dataclass import dataclass
from drrun.core.errors import NotReady
from drrun.core.ids import RunId
from drrun.core.inventory import Host
from drrun.engine.ports import LeftJob
from drrun.ssh.faults import Unreachable
from drrun.ssh.resident import Resident, ResidentLost
from drrun.ssh.residents import NoLauncher, Residents


@dataclass(frozen=True, slots=True)
class LauncherSweeper:
    """Asks the launchers of hosts, and of this machine."""

    residents: Residents

    def jobs(self, host: Host | None) -> Sequence[LeftJob]:
        """Every job that has a folder there."""
        resident = self._reach(host)
        try:
            return [
                LeftJob(RunId(run), job, resident.look(f"{run} {job}").word)
                for run, job in resident.jobs()
            ]
        except ResidentLost as error:
            raise NotReady(f"it answered no more: {error}") from error

    def drop(self, host: Host | None, left: LeftJob) -> None:
        """Remove the folder of a job."""
        try:
            self._reach(host).drop(f"{left.run} {left.job}")
        except ResidentLost as error:
            raise NotReady(f"it answered no more: {error}") from error

    def leave(self, host: Host | None, run: RunId) -> None:
        """Remove what is left of a run that has no job there any more."""
        try:
            self._reach(host).leave(run)
        except ResidentLost as error:
            raise NotReady(f"it answered no more: {error}") from error

    def close(self) -> None:
        """Hang up."""
        self.residents.close()

    def _reach(self, host: Host | None) -> Resident:
        try:
            return self.residents.reach(host, threading.Event())[0]
        except Unreachable as error:
            raise NotReady(str(error)) from error
        except NoLauncher as error:
            raise NotReady(str(error)) from error

"""Attempts as jobs: every command of a step outlives the link and the controller.

Rules:
- One job an attempt, named after it; an action that needs a command runs exactly one.
- A place that cannot run the launcher gets the command over a channel of its own, and the record
  says that it does not outlive the link.
"""

import threading
from collections.abc import Callable

from drrun.core.dataclass import dataclass
from drrun.core.outcomes import ContactLost, Outcome
from drrun.engine.either import Either
from drrun.engine.ports import AttemptOrder, Cancel, Output, Progress, Remote, Script
from drrun.ssh.contact import Absent, Enough
from drrun.ssh.ending import END_WITHIN, Told, ender
from drrun.ssh.faults import Unreachable
from drrun.ssh.jobs import Dealings, Job, job_name
from drrun.ssh.link import Link
from drrun.ssh.resident import Resident, ResidentLost
from drrun.ssh.residents import NoLauncher, Residents
from drrun.ssh.session import Ender

#: Makes what ends a script at a place, as the user that it runs as.
EnderOf = Callable[[str | None], Ender]


@dataclass(slots=True)
class JobRemote:
    """A place for the one command of one attempt. A `Remote`."""

    order: AttemptOrder
    residents: Residents
    #: The same place without jobs.
    plain: Remote
    ender_of: EnderOf
    #: Tells to let go of the job, and to end it.
    leave: Cancel
    ends: Cancel
    link: Link | None = None

    def run(
        self, script: Script, output: Output, tell: Callable[[Progress], None], cancel: Cancel
    ) -> Outcome:
        """Execute `script` as the attempt's job, or pick that job up."""
        del cancel  # set for either reason; a job is told which
        place = _JobPlace(self, self.leave)

        def taken() -> None:
            link = place.link
            tell(
                Progress(
                    route=link.way.route if link else "",
                    host_key=link.host_key if link else "",
                    user=link.user if link else "",
                )
            )

        ends, watch = self.ender_of(script.execution.become), self.residents.watch
        job = Job(self.order, script, place, Dealings(output, tell, taken, ends, self.ends, watch))
        try:
            if self.order.again:
                return job.reconcile(self.leave, was_taken=self.order.was_taken)
            return job.perform(self.leave)
        except NoLauncher as error:
            if self.order.again:
                return ContactLost(str(error))
            tell(Progress(note=f"{error}; the command does not outlive the link"))
            return self.plain.run(script, output, tell, Either(self.leave, self.ends))


@dataclass(slots=True)
class _JobPlace:
    """How a job reaches its place."""

    remote: JobRemote
    cancel: Cancel
    link: Link | None = None

    def reach(self) -> Resident:
        try:
            resident, self.link = self.remote.residents.reach(self.remote.order.host, self.cancel)
        except Unreachable as error:
            raise Absent(error.outcome) from error
        return resident

    def find(self, enough: Enough) -> Resident:
        host = self.remote.order.host
        resident, self.link = self.remote.residents.find(host, self.cancel, enough)
        return resident

    @property
    def route(self) -> str:
        return self.link.way.route if self.link else ""

    def __str__(self) -> str:
        host = self.remote.order.host
        return host.name if host else "the controller"


def ender_at(place: Remote) -> EnderOf:
    """What ends scripts at a place, by short scripts of our own there."""

    def aside(script: Script) -> bytes:
        told, patience = Told(), threading.Event()
        timer = threading.Timer(END_WITHIN, patience.set)
        timer.daemon = True
        timer.start()
        try:
            place.run(script, told, lambda _: None, patience)
        finally:
            timer.cancel()
        return told.kept

    return lambda become: ender(aside, become)


def forget(residents: Residents, order: AttemptOrder, cancel: Cancel) -> None:
    """Remove the job of an attempt whose outcome is durable; what fails is found by clean-up."""
    try:
        resident, _ = residents.reach(order.host, cancel)
        resident.drop(job_name(order))
    except (Unreachable, NoLauncher, ResidentLost):
        return

"""Who acts: attempts, hosts that are reached, what is left on hosts."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import Head
from drrun.core.model.ids import RunId
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Outcome
from drrun.ports.places import AttemptOrder, AttemptProgress, Output, ProbeAnswer


@dataclass(frozen=True, slots=True)
class Memory:
    """What a host was told last of the run's journal, and by whom."""

    #: Token and name of the controller that told it.
    epoch: int
    controller: str
    #: Where the journal ended then.
    end: Head


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a host's clock said, at some moment between the question and its answer."""

    #: Seconds since the epoch, UTC.
    says: float
    #: Seconds between the two, and what the clock leaves open; half of it is the uncertainty.
    within: float


@dataclass(frozen=True, slots=True)
class ReachedHost:
    """A host was reached, and answers."""

    #: "" for the controller's own machine.
    host: str
    #: What tells one boot of it from the next; "-" where there is none.
    boot: str
    route: str = ""
    user: str = ""
    #: Fingerprint of the key that was accepted.
    host_key: str = ""
    #: Its clock; None: it did not say.
    reading: ClockReading | None = None
    #: What the host remembers; None: nothing.
    memory: Memory | None = None
    #: It was met on the same boot before.
    again: bool = False


#: Told of a meeting, from any thread, before anything is asked of the host; calls the second once
#: the meeting is durable, and not at all where the host remembers another journal. A controller
#: that comes later can rely on it: what was never met was never asked.
OnReached = Callable[[ReachedHost, Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class HostClaim:
    """In whose name hands act."""

    run: RunId
    #: The fencing token, and the name that tells this controller from all others, also from one
    #: that holds the same token by a copy of the state.
    epoch: int
    controller: str
    #: Whom to tell of each host that is reached.
    meet: OnReached
    #: Where the run's journal ends by now, durably; may be called from any thread.
    end: Callable[[], Head]
    #: Hosts that were reached before; "" is the controller's own machine.
    known: Collection[str] = ()
    #: Jobs of earlier controllers whose outcomes the journal has: what they printed may go.
    ended: Collection[str] = ()


class AttemptListener(Protocol):
    """What hands tell of one attempt, from any thread, in any order."""

    def news(self, progress: AttemptProgress) -> None:
        """Something is known of an attempt that goes on; that it began is told first.

        It began when its host says that the command runs, or, for an action that needs no host, at
        once: from then on its time counts.
        """
        ...

    def checked(self, index: int, seen: ProbeAnswer | None) -> None:
        """The answer to `order.checks[index]`; None: it will not come, so it is asked anew."""
        ...

    def done(self, outcome: Outcome, checks: Collection[int] = ()) -> None:
        """The attempt's end, as far as can be told; exactly once.

        Args:
            outcome: What became of it.
            checks: Those of `order.checks` whose answers are still to come: for each of them
                `checked` will be called, whatever happens. What is not named here and was not
                told before is asked anew at once, so hands that ignore `order.checks` need to
                say nothing; a promise that is not kept is waited for by the question's own time
                limit and a little more, and then asked anew too.
        """
        ...


class Hands(Protocol):
    """Does things to hosts. Nothing blocks but `close`."""

    def take_up(self, claim: HostClaim) -> None:
        """Act for a run from now on; called before anything else."""
        ...

    def visit(self, places: Collection[Host | None]) -> Callable[[], bool]:
        """Come by at places, whether or not anything is to be done there; returns at once.

        They tell what they remember, and let go of what an earlier controller left. One that is
        not reached is not tried again. None: the controller's own machine.

        Returns:
            Whether each was reached by now, or was not.
        """
        ...

    def begin(self, order: AttemptOrder, output: Output, report: AttemptListener) -> None:
        """Carry out one attempt; with `order.again` find out what became of it, and go on with it.

        Returns at once, and never raises for what a host does. `output` has all that was printed
        by the time at which `report.done` is called.
        """
        ...

    def let_go(self, order: AttemptOrder) -> None:
        """Follow an attempt no longer; what it began goes on.

        Its report may still come, nobody needs it.
        """
        ...

    def end(self, order: AttemptOrder) -> None:
        """End all processes of an attempt that was begun here.

        Returns at once; their outcome tells how it went.
        """
        ...

    def forget(self, order: AttemptOrder) -> None:
        """Let a place forget an attempt, once its outcome is durable; returns at once."""
        ...

    def leave(self) -> None:
        """Let go of all attempts; what they began goes on."""
        ...

    def close(self) -> None:
        """Leave all hosts; they remember where the journal ends."""
        ...


@dataclass(frozen=True, slots=True)
class LeftJob:
    """A job whose outputs are still on a host."""

    run: RunId
    #: `STEP@TARGET.ATTEMPT`.
    job: str
    #: absent, claimed, running, ended, gone, rebooted.
    state: str


class Sweeper(Protocol):
    """Finds and removes what runs left on hosts; raises NotReady for one that is not reached."""

    def runs(self, host: Host | None) -> Sequence[RunId]:
        """Runs that the place remembers."""
        ...

    def jobs(self, host: Host | None, run: RunId) -> Sequence[LeftJob]:
        """Jobs of a run whose outputs are still there."""
        ...

    def drop(self, host: Host | None, left: LeftJob) -> None:
        """Remove what a job printed."""
        ...

    def leave(self, host: Host | None, run: RunId) -> None:
        """Let a place forget a run: nothing there tells an older copy of it any more."""
        ...

    def close(self) -> None:
        """Leave all hosts."""
        ...

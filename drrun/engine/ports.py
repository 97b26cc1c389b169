"""What the engine needs from the world, as small protocols that adapters implement.

Rules:
- Three or four methods each. Results of acting are values (`drrun.core.outcomes`); a port raises
  only for faults of this program's own machine (disk, database).
- Every call has a deadline or returns at once; a port that can block takes a `Cancel`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from drrun.core.chain import Head
from drrun.core.clocks import Origin
from drrun.core.dataclass import dataclass
from drrun.core.ids import RunId, StepId, TargetName
from drrun.core.inventory import Host
from drrun.core.masking import OPEN, Mask
from drrun.core.outcomes import Outcome
from drrun.core.probes import Expect, ProbeKind, Verdict
from drrun.core.runbook import Execution
from drrun.core.values import Duration


class Clock(Protocol):
    """The one source of time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC; never goes back while the process lives."""
        ...

    def skew(self) -> float:
        """Seconds by which the machine's clock was set forward since this one was read from it."""
        ...

    def origin(self) -> Origin:
        """Since when the machine counts the seconds of this boot, by this clock."""
        ...


class Ids(Protocol):
    """The one source of names that nobody else has."""

    def new_mark(self) -> str:
        """16 hexadecimal digits that nobody can guess."""
        ...

    def new_run(self, name: str, now: float) -> RunId:
        """A new run's id; sorts by time, tells the runbook, cannot be guessed."""
        ...


class Cancel(Protocol):
    """Tells a blocking call to stop; a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep for `timeout` seconds or until told to stop; True if told."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: an event in its envelope. Bodies are plain JSON values."""

    run: RunId
    #: Counts from 1 without a gap.
    seq: int
    #: Seconds since the epoch, UTC, from the controller's clock.
    at: float
    #: Who: `controller`, or a person's name.
    actor: str
    #: Fencing token of the controller that wrote this.
    epoch: int
    kind: str
    version: int
    body: Mapping[str, Any]
    #: SHA-256 (hex) over the previous entry's hash and this entry's canonical JSON.
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before the journal has given it a place."""

    at: float
    actor: str
    kind: str
    version: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to drive a run. The epoch grows with every holder."""

    run: RunId
    epoch: int
    #: `user@host`.
    holder: str
    host: str
    pid: int
    #: When it was taken, and when the holder was last seen; seconds since the epoch, UTC.
    since: float
    seen: float
    #: Start time of the holder's process, to tell a reused pid.
    started: str = ""
    #: The last sign of life of whoever held it before, by the clock of that one; None: nobody did.
    seen_before: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked of a run from any terminal. Waits in the inbox until answered."""

    id: int
    run: RunId
    at: float
    actor: str
    #: `confirm`, `reject`, `retry`, `skip`, `mark-done`, `pause`, `unpause`, `abort`, `note`.
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the controller made of a request."""

    accepted: bool
    message: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One line of the history. A cache: rebuilt from the journal at will."""

    id: RunId
    runbook: str
    title: str
    mode: str
    variant: str
    started_at: float
    started_by: str
    #: As of the last entry written; `interrupted` is decided by whoever looks at the lease.
    status: str
    ended_at: float | None
    entries: int
    #: Services that it was to raise.
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A text that a run is pinned to: the runbook, an inventory file, the inputs."""

    #: `runbook`, `inventory`, `inputs`.
    kind: str
    path: str
    content: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a look at a run's journal."""

    #: The last entry that, with all before it, is what was written.
    sound: Head
    #: Everything that is not, a clause each; none: it is what was written.
    flaws: tuple[str, ...] = ()
    #: Numbers of entries that are there and were not written so.
    doubted: tuple[range, ...] = ()

    def doubts(self, entry: Entry) -> bool:
        """Whether an entry is one of those."""
        return any(entry.seq in each for each in self.doubted)


class Journal(Protocol):
    """The truth: append-only, hash-chained, one writer per epoch."""

    def create(self, record: RunRecord, documents: Sequence[Document]) -> None:
        """Make a run with its pinned documents, durably, before anything else."""
        ...

    def append(self, lease: Lease, drafts: Sequence[Draft]) -> list[Entry]:
        """Write all of `drafts` durably in one transaction, or none.

        Raises:
            LeaseLost: Another controller holds the run by now; nothing was written.
            StateUnusable: Disk full or failing; nothing was written.
        """
        ...

    def read(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        """Entries with `seq > after`, in order."""
        ...

    def read_steps(self, run: RunId, steps: Collection[StepId]) -> Iterator[Entry]:
        """Entries whose event happened to one of these steps, in order."""
        ...

    def left(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        """Entries as `read` gives them, without those that cannot be read any more."""
        ...

    def documents(self, run: RunId) -> tuple[Document, ...]:
        """What the run is pinned to."""
        ...

    def runs(self) -> list[RunRecord]:
        """All runs, newest first."""
        ...

    def update(self, run: RunId, status: str, ended_at: float | None) -> None:
        """Refresh the history's cache."""
        ...

    def lost(self) -> tuple[RunId, ...]:
        """Runs that were written here, and are in no list any more."""
        ...

    def check(self, run: RunId, since: Head | None = None) -> Checked:
        """Look whether the run is what was written.

        Args:
            run: Which.
            since: An entry that is known to be sound, with all before it; None: look at all.

        Raises:
            Refused: There is no such run.
        """
        ...

    def verify(self, run: RunId) -> str:
        """Check the hash chain and return the head hash.

        Raises:
            JournalDamaged: Names everything that is not what was written.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeptFold:
    """What was kept of a journal's fold."""

    #: Where the journal's chain begins.
    born: Head
    #: The last entry that was folded.
    head: Head
    #: What they fold to; "": nothing is kept, or not of this journal as it is now.
    text: str = ""


class Folds(Protocol):
    """Keeps what journals fold to, for those who look. Everything in it may vanish at any time."""

    def recall(self, run: RunId) -> KeptFold | None:
        """What was kept, if the journal has the very entries that were folded; None: no such run.

        Raises:
            StateUnusable: The journal cannot be read.
        """
        ...

    def keep(self, run: RunId, head: Head, text: str) -> None:
        """Keep what the entries up to `head` fold to, if that can be done.

        Args:
            run: Which.
            head: The last entry; the chain of all up to it was found to hold.
            text: What they fold to.
        """
        ...


class Leases(Protocol):
    """Who may drive a run."""

    def take(self, run: RunId, *, force: bool = False) -> Lease:
        """Become the controller; a holder that is provably dead is replaced.

        Raises:
            RunHeld: Somebody else holds it, or might. With `force` it is watched from the first
                call on, and taken by one that comes after `LEASE_TTL` without a sign of life.
        """
        ...

    def renew(self, lease: Lease) -> None:
        """Give a sign of life.

        Raises:
            LeaseLost: Another controller holds the run.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Stop being the controller."""
        ...

    def holder(self, run: RunId) -> Lease | None:
        """Who drives the run now, if anybody alive does."""
        ...


class Inbox(Protocol):
    """Requests of people on their way to the controller."""

    def post(
        self, run: RunId, at: float, actor: str, kind: str, body: Mapping[str, Any]
    ) -> Request:
        """Leave a request durably, from any process."""
        ...

    def pending(self, run: RunId) -> list[Request]:
        """Requests without an answer, oldest first."""
        ...

    def settle(self, request: Request, answer: Answer) -> None:
        """Record what became of a request; of what was asked, only `request` stays."""
        ...

    def answer(self, request: Request) -> Answer | None:
        """What became of a request, or None while it waits."""
        ...


@dataclass(frozen=True, slots=True)
class AttemptOrder:
    """One attempt, ready to be executed: everything rendered, nothing left to decide."""

    run: RunId
    step: StepId
    target: TargetName
    attempt: int
    epoch: int
    #: None: on the controller itself.
    host: Host | None
    #: `run`, or the name of a built-in action.
    action: str
    #: Rendered arguments; `text` for run.
    arguments: Mapping[str, Any] = field(repr=False)
    execution: Execution = field(default=Execution(), repr=False)
    timeout: Duration | None = None
    #: Hides secrets wherever bytes enter storage.
    mask: Mask = field(default=OPEN, compare=False)
    #: Secrets that it was begun with and that have changed since, by name, each with the mark of
    #: the value that it used; what it printed may show that value, which nobody here knows.
    outdated: Mapping[str, str] = field(default_factory=dict)
    #: Folder of the runbook, for local files.
    folder: Path = Path()
    #: By name, arguments with a value in them that came from other steps, and so from a host: the
    #: folder that the runbook writes before that value, "" if it writes none.
    heard: Mapping[str, str] = field(default_factory=dict)
    #: Names for templates.
    names: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: The journal knows that the place took the command.
    was_taken: bool = False
    #: Seconds since the attempt was intended, for one that is picked up again.
    age: float = 0.0
    #: It is to be ended, not to be waited for.
    ending: bool = False
    #: Losing contact is expected: it is done once its host is back with a new boot id.
    reboots: bool = False
    #: An earlier controller intended it, and may have done it.
    again: bool = False
    #: For one that is picked up again: the boot of its host since which it can have been asked
    #: for; "" if the host was never reached since, "-" if that cannot be told.
    asked_on: str = "-"
    #: By what the outcome of this very attempt is known; "" for those of older controllers.
    mark: str = ""
    #: What a `fact` asks.
    questions: "Sequence[Question]" = ()
    #: By position in the step's `verify`: `run` probes that are asked where the attempt acts, as
    #: soon as it has ended well. Hands may send them along with it; see `Report`. Never given for
    #: an attempt that is picked up again, nor for an action other than `run`.
    checks: "Mapping[int, Question]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """Shell text on its way to a place: never in argv, always over standard input."""

    text: str = field(repr=False)
    execution: Execution = field(default=Execution(), repr=False)
    #: What the command reads on its standard input, after `execution.stdin`.
    stdin: bytes = field(default=b"", repr=False)
    timeout: Duration | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One evaluation of one probe, ready to be asked."""

    kind: ProbeKind
    #: Rendered.
    ask: Mapping[str, Any] = field(repr=False)
    expect: Expect = field(repr=False)
    timeout: Duration
    #: Where it is asked; None: on the controller.
    host: Host | None
    execution: Execution = field(default=Execution(), repr=False)
    #: Hides secrets in what is shown of the answer; no part of what is asked.
    mask: Mask = field(default=OPEN, compare=False)
    #: For files of the controller, as in an `AttemptOrder`.
    folder: Path = Path()
    heard: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What it is asked with, as an order has it."""
        return self.ask


@dataclass(frozen=True, slots=True)
class Seen:
    """What one evaluation found."""

    verdict: Verdict
    #: What was seen, shortened for people.
    value: str
    #: Why it does not hold, or could not be told; "" when it holds.
    why: str = ""
    #: Where it was asked: a host, a server, `local`.
    where: str = ""
    #: The bare answer for later steps, where `value` says more than that.
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """News of an attempt that is going on; without `silent` and `found_after`: it began."""

    #: Route by which the host was reached, "" on the controller.
    route: str = ""
    #: Fingerprint of the host key that was accepted.
    host_key: str = ""
    #: User that was logged in.
    user: str = ""
    #: What is unusual about it, "" if nothing.
    note: str = ""
    #: Seconds for which the place has not answered; None: it answers.
    silent: float | None = None
    #: The place answers again, after so many seconds.
    found_after: float | None = None


#: Nothing by any name.
NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What became of sealed outputs."""

    #: Outputs that can be read now.
    opened: int
    #: Names of secrets that are still wanted for others.
    wanted: tuple[str, ...] = ()


class Output(Protocol):
    """Where the bytes of one attempt go: on disk at once, masked, up to a stated limit."""

    def write(self, stream: str, data: bytes) -> None:
        """Keep bytes of `stdout` or `stderr`."""
        ...

    def text(self, stream: str) -> str:
        """What was kept so far, decoded, for captures."""
        ...

    def close(self) -> Mapping[str, Any]:
        """Flush to disk; how many bytes came, how many were kept, the hash of all."""
        ...


class Remote(Protocol):
    """One place where commands can be executed: a host over SSH, or the controller itself."""

    def run(
        self, script: Script, output: Output, tell: Callable[[Progress], None], cancel: Cancel
    ) -> Outcome:
        """Execute `script` to its end. Never raises for what the place does."""
        ...


class Places(Protocol):
    """Where commands can be executed."""

    def place(self, host: Host | None) -> Remote:
        """The place that `host` is; None: the controller."""
        ...


class BuiltInAction(Protocol):
    """A named action, `copy` or `wait`. Blocking; called in a worker thread."""

    def perform(
        self,
        order: AttemptOrder,
        place: Remote,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute one attempt to its end; an exception counts as an unknown outcome."""
        ...


@dataclass(frozen=True, slots=True)
class Memory:
    """What a host was told last of the run's journal, and by whom."""

    #: Token and name of the controller that told it.
    epoch: int
    controller: str
    #: Where the journal ended then.
    end: Head


@dataclass(frozen=True, slots=True)
class Reading:
    """What a host's clock said, at some moment between the question and its answer."""

    #: Seconds since the epoch, UTC.
    says: float
    #: Seconds between the two, and what the clock leaves open; half of it is the uncertainty.
    within: float


@dataclass(frozen=True, slots=True)
class Meeting:
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
    reading: Reading | None = None
    #: What the host remembers; None: nothing.
    memory: Memory | None = None
    #: It was met on the same boot before.
    again: bool = False


#: Told of a meeting, from any thread, before anything is asked of the host; calls the second once
#: the meeting is durable, and not at all where the host remembers another journal. A controller
#: that comes later can rely on it: what was never met was never asked.
Meet = Callable[[Meeting, Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Claim:
    """In whose name hands act."""

    run: RunId
    #: The fencing token, and the name that tells this controller from all others, also from one
    #: that holds the same token by a copy of the state.
    epoch: int
    controller: str
    #: Whom to tell of each host that is reached.
    meet: Meet
    #: Where the run's journal ends by now, durably; may be called from any thread.
    end: Callable[[], Head]
    #: Hosts that were reached before; "" is the controller's own machine.
    known: Collection[str] = ()
    #: Jobs of earlier controllers whose outcomes the journal has: what they printed may go.
    ended: Collection[str] = ()


class Report(Protocol):
    """What hands tell of one attempt, from any thread, in any order."""

    def news(self, progress: Progress) -> None:
        """Something is known of an attempt that goes on; that it began is told first.

        It began when its host says that the command runs, or, for an action that needs no host, at
        once: from then on its time counts.
        """
        ...

    def checked(self, index: int, seen: Seen | None) -> None:
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

    def take_up(self, claim: Claim) -> None:
        """Act for a run from now on; called before anything else."""
        ...

    def visit(self, places: Collection[Host | None]) -> None:
        """Come by at places, whether or not anything is to be done there; returns at once.

        They tell what they remember, and let go of what an earlier controller left. One that is
        not reached is not tried again. None: the controller's own machine.
        """
        ...

    def begin(self, order: AttemptOrder, output: Output, report: Report) -> None:
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


class Prober(Protocol):
    """Asks questions without changing anything. Blocking; called in a worker thread."""

    def evaluate(self, question: Question, cancel: Cancel) -> Seen:
        """Ask once. Never raises for what a host does."""
        ...


class Renderer(Protocol):
    """Fills in templates and evaluates conditions."""

    def text(self, template: str, names: Mapping[str, Any], *, shell: bool = False) -> str:
        """Render one template; with `shell`, values become variables of the script.

        Raises:
            InputError: A name is undefined, or the template is wrong.
        """
        ...

    def value(self, value: Any, names: Mapping[str, Any]) -> Any:
        """Render every text inside a structure; a lone `{{ x }}` keeps the type of x."""
        ...

    def condition(self, expression: str, names: Mapping[str, Any]) -> bool:
        """Evaluate an expression to true or false."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a stream, or the mark in place of what was left out."""

    data: bytes
    #: Bytes of the stream up to here, those left out counted too.
    end: int
    #: When it came, seconds since the epoch; None: not known.
    came: float | None


class Kept(Protocol):
    """One stream of one attempt as it is kept now; it may still grow."""

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """What was kept from byte `start` of the stream on."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """All that was kept, with a mark where something was left out."""
        ...

    def head(self, size: int) -> bytes:
        """The first `size` bytes."""
        ...

    def tail(self, size: int) -> bytes:
        """The last `size` bytes."""
        ...

    def size(self) -> int:
        """Bytes that are kept; 0 if there is nothing."""
        ...


class Spool(Protocol):
    """Keeps outputs of attempts."""

    def kept(
        self, run: RunId, step: StepId, target: TargetName, attempt: int, stream: str
    ) -> Kept:
        """`stdout` or `stderr` of one attempt, to read; empty if there is none."""
        ...

    def open(
        self,
        run: RunId,
        step: StepId,
        target: TargetName,
        attempt: int,
        mask: Mask = OPEN,
        outdated: Mapping[str, str] = NONE,
    ) -> Output:
        """A place for the output of one attempt.

        Args:
            run: Which.
            step: Which.
            target: Which.
            attempt: Which.
            mask: Hides secrets.
            outdated: See `AttemptOrder`; with any, nothing is kept that can be read without them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that somebody gave as evidence."""

    name: str
    size: int
    sha256: str

    def __str__(self) -> str:
        """As the record has it."""
        return f"{self.name} ({self.size} bytes, sha256 {self.sha256})"


#: How a file is named where it was given as evidence: the hash of what `str(Evidence)` writes.
EVIDENCE_HASH = re.compile(r"sha256 ([0-9a-f]{64})\)")


class EvidenceStore(Protocol):
    """Keeps files that people gave as evidence."""

    def keep(self, path: Path) -> Evidence:
        """Keep a file, durably, before the journal names it."""
        ...

    def path(self, digest: str) -> Path:
        """Where a kept file is; InputError if it is not, or was changed."""
        ...


@dataclass(frozen=True, slots=True)
class Looked:
    """A preflight that was made: a readiness record."""

    runbook: str
    #: Of runbook and inventory, as they were.
    fingerprint: str
    at: float
    by: str
    ready: bool
    #: `{what, where, good, value, wanted}` of everything that was measured.
    checks: Sequence[Mapping[str, Any]]


class Notebook(Protocol):
    """Keeps readiness records."""

    def keep(self, looked: Looked) -> None:
        """Keep one."""
        ...

    def latest(self, runbook: str, until: float) -> Looked | None:
        """The last one of a runbook that was made before a moment."""
        ...


@dataclass(frozen=True, slots=True)
class Removed:
    """What is kept of a run that was removed."""

    run: RunId
    #: The last hash of its journal.
    head: str
    at: float
    by: str


class Shelf(Protocol):
    """Takes whole runs away, and takes in runs from elsewhere."""

    def remove(self, run: RunId, by: str, now: float) -> None:
        """Delete a run with all that belongs to it; that it was there is kept."""
        ...

    def with_work(self) -> frozenset[RunId]:
        """Runs in which people noted what is to be done, and that nobody has closed."""
        ...

    def removed(self, text: str) -> Sequence[Removed]:
        """Removed runs with `text` in their id, a few at most."""
        ...

    def take_in(
        self, record: RunRecord, documents: Sequence[Document], entries: Sequence[Entry]
    ) -> None:
        """Enter a run as it was elsewhere; Refused if it is here, JournalDamaged if altered."""
        ...

    def outputs(self, run: RunId) -> Path:
        """The folder with what the run's attempts printed."""
        ...

    def put(self, path: Path, data: bytes) -> None:
        """Write a file of a run that was taken in."""
        ...


class Signatures(Protocol):
    """Checks who signed what."""

    def is_good(self, text: str, signature: str, who: str) -> bool:
        """Whether `who` signed `text`."""
        ...


class Seals(Protocol):
    """Marks values without keeping them, and closes what only such a value opens."""

    def mark(self, run: RunId, name: str, value: str) -> str:
        """The mark of a secret's value in a run.

        The same value has the same mark there; finding the value by its mark is expensive, and
        impossible without the key, which never leaves the state.
        """
        ...

    def unseal(self, run: RunId, values: Sequence[tuple[str, str]], mask: Mask) -> Unsealed:
        """Open what was closed, where `values` has all that is needed, and keep it masked.

        Args:
            run: Whose outputs.
            values: Names of secrets, each with a value that it had when it was used.
            mask: Hides them.

        Raises:
            InputError: A value is none that anything was closed with.
        """
        ...


class Secrets(Protocol):
    """Finds secrets when they are used."""

    def resolve(self, name: str) -> str:
        """The secret's value.

        Raises:
            NotReady: It is missing, empty or cannot be read.
        """
        ...

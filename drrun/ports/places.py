"""Places where commands execute, and what is kept of what they print."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Protocol

from drrun.core.dataclass import dataclass
from drrun.core.integrity.masking import OPEN, Mask
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Outcome
from drrun.core.model.probes import Expect, ProbeKind, Verdict
from drrun.core.model.runbook import Capture, Execution
from drrun.core.model.values import Duration
from drrun.ports.clock import Cancel
from drrun.ports.journal import NONE


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
    #: What later steps are told of its output; nothing for what stands in the action's place.
    captures: Sequence[Capture] = ()
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
class ProbeAnswer:
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
class AttemptProgress:
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


class Output(Protocol):
    """Where the bytes of one attempt go: on disk at once, masked, up to a stated limit."""

    def write(self, stream: str, data: bytes) -> None:
        """Keep bytes of `stdout` or `stderr`."""
        ...

    def text(self, stream: str) -> str:
        """What was kept so far, for captures: bytes that are no UTF-8 are halves of characters.

        As PEP 383 has it (`surrogateescape`), so that a capture can tell them.
        """
        ...

    def close(self) -> Mapping[str, Any]:
        """Flush to disk; how many bytes came, how many were kept, the hash of all."""
        ...


class Remote(Protocol):
    """One place where commands can be executed: a host over SSH, or the controller itself."""

    def run(
        self,
        script: Script,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute `script` to its end. Never raises for what the place does."""
        ...


class Places(Protocol):
    """Where commands can be executed."""

    def place(self, host: Host | None) -> Remote:
        """The place that `host` is; None: the controller."""
        ...


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One call of a built-in action: what it carries out, where, and whom it tells."""

    order: AttemptOrder
    place: Remote
    output: Output
    tell: Callable[[AttemptProgress], None]
    cancel: Cancel

    def run(self, script: Script, output: Output | None = None) -> Outcome:
        """Execute the attempt's one command at the place; it prints to `output` if given."""
        return self.place.run(script, output or self.output, self.tell, self.cancel)


class BuiltInAction(Protocol):
    """A named action, `copy` or `wait`. Blocking; called in a worker thread."""

    def perform(self, call: ActionCall) -> Outcome:
        """Execute one attempt to its end; an exception counts as an unknown outcome."""
        ...


class Prober(Protocol):
    """Asks questions without changing anything. Blocking; called in a worker thread."""

    def evaluate(self, question: Question, cancel: Cancel) -> ProbeAnswer:
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

    def seen(self, expression: str, names: Mapping[str, Any]) -> Mapping[str, str]:
        """What the names in an expression stand for, secrets left out: `steps.a.lag` -> `300`."""
        ...

    def told_by_steps(self, template: str) -> bool:
        """Whether a template uses what other steps captured or were told."""
        ...


@dataclass(frozen=True, slots=True)
class StreamPiece:
    """A part of a stream, or the mark in place of what was left out."""

    data: bytes
    #: Bytes of the stream up to here, those left out counted too.
    end: int
    #: When it came, seconds since the epoch; None: not known.
    came: float | None


class StoredStream(Protocol):
    """One stream of one attempt as it is kept now; it may still grow."""

    def pieces(self, start: int = 0) -> Iterator[StreamPiece]:
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
    ) -> StoredStream:
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

"""What a launcher says, as values; the words are listed at the head of launcher.sh.

Rules:
- A line that is not understood is no answer: the channel that it came on is given up.
"""

from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import Head
from drrun.ports.hands import Memory

#: How many words tell what a host remembers.
_HEAD = 4


@dataclass(frozen=True, slots=True)
class KeptOutput:
    """What a host keeps of one output."""

    size: int = 0
    #: All of it, where it is small; None: to be fetched.
    data: bytes | None = b""
    #: There is no such file any more, so nobody knows what was in it.
    gone: bool = False


@dataclass(frozen=True, slots=True)
class LauncherReady:
    """The launcher may be asked."""

    #: "-" where the host has no boot id.
    boot: str
    #: The host has lost the run's folder at some time.
    lost: bool
    #: Where it keeps what belongs to the run.
    folder: str
    #: What it was told of the run's journal; None: nothing.
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class ClockRead:
    """What the host's clock says."""

    #: Seconds since the epoch; None: the host does not tell.
    says: float | None
    #: What is not told: it may be so much later.
    coarse: float


@dataclass(frozen=True, slots=True)
class FolderUnusable:
    """The host cannot keep commands."""

    folder: str
    why: str


@dataclass(frozen=True, slots=True)
class CommandBegun:
    """A command began."""

    name: str
    pid: int
    #: Start time in clock ticks since boot, "-" where there is no /proc.
    start: str
    #: Whether it leads a session or group of its own, so that ending all of it is safe.
    leads: bool


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command ended."""

    name: str
    code: int
    out: KeptOutput
    err: KeptOutput
    #: What only the process that waited for this attempt knew; "" from older launchers.
    mark: str = ""
    #: The host had no room to note it.
    full: bool = False


@dataclass(frozen=True, slots=True)
class QuestionEnded:
    """A question, or a check behind an attempt, ended."""

    name: str
    code: int
    out: KeptOutput
    err: KeptOutput


@dataclass(frozen=True, slots=True)
class AttemptExists:
    """The attempt was decided about before."""

    name: str


@dataclass(frozen=True, slots=True)
class StartRefused:
    """The attempt was not started by whoever read this request."""

    name: str
    why: str
    #: It was decided, and then not begun: nobody else can begin it.
    decided: bool


@dataclass(frozen=True, slots=True)
class TokenStale:
    """The host knows another controller of the run."""

    #: Of the attempt; "-" if it was about none.
    name: str
    memory: Memory


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What became of a withdrawal."""

    name: str
    #: won, lost, failed.
    word: str


#: What a host may know of an attempt. `torn`: decided, and not noted how; `ending`: its process is
#: gone, and whoever waits for it has not written the exit code yet.
STATES = ("absent", "torn", "withdrawn", "running", "ending", "ended", "gone", "rebooted")


@dataclass(frozen=True, slots=True)
class AttemptState:
    """What the host knows of an attempt."""

    #: One of `STATES`.
    word: str
    name: str
    code: int | None
    out: KeptOutput
    err: KeptOutput
    begun: CommandBegun | None = None
    #: As that of `CommandEnded`.
    mark: str = ""
    #: Seconds for which it has been running; None: not known.
    age: float | None = None


@dataclass(frozen=True, slots=True)
class InputStored:
    """Bytes that were sent ahead arrived, or did not."""

    name: str
    whole: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pong:
    """A sign of life."""

    word: str


@dataclass(frozen=True, slots=True)
class LeftRun:
    """A run has a folder on the host."""

    run: str


@dataclass(frozen=True, slots=True)
class Left:
    """The host keeps what an attempt, a check or a question printed."""

    name: str


@dataclass(frozen=True, slots=True)
class ListDone:
    """A list is complete."""


LauncherAnswer = (
    LauncherReady
    | ClockRead
    | FolderUnusable
    | CommandBegun
    | CommandEnded
    | QuestionEnded
    | AttemptExists
    | StartRefused
    | TokenStale
    | Withdrawal
    | AttemptState
    | InputStored
    | Pong
    | LeftRun
    | Left
    | ListDone
)


def parse(line: str) -> LauncherAnswer:
    """An answer from the words behind the nonce.

    Raises:
        ValueError: It is none.
    """
    verb, _, rest = line.partition(" ")
    words = rest.split()
    match verb, words:
        case "begun", [name, pid, start, leads]:
            return CommandBegun(name, int(pid), start, leads == "1")
        case "ended", [name, code, mark, out, err, *full]:
            return CommandEnded(name, int(code), _kept(out), _kept(err), _mark(mark), bool(full))
        case "answered", [name, code, out, err]:
            return QuestionEnded(name, int(code), _kept(out), _kept(err))
        case "state", [word, name, code, mark, out, err, *of_process]:
            return _state(word, name, code, (_kept(out), _kept(err)), of_process, _mark(mark))
        case "pong", [word]:
            return Pong(word)
        case "put", [name, word, *_]:
            return InputStored(name, word == "ok", rest.partition(f"{word} ")[2])
        case "ready", [boot, "lost" | "kept" as folder, *head, _] if len(head) >= _HEAD:
            told = rest.split(" ", 2 + _HEAD)
            return LauncherReady(boot, folder == "lost", told[-1], _memory(head[:_HEAD]))
        case _:
            return _seldom(verb, words, rest)


def _seldom(verb: str, words: list[str], rest: str) -> LauncherAnswer:
    match verb, words:
        case "exists", [name]:
            return AttemptExists(name)
        case "refused", [name, *_]:
            why = rest.partition(" ")[2]
            return StartRefused(name, why.removeprefix("decided: "), why.startswith("decided: "))
        case "stale", [name, *head] if len(head) == _HEAD and (memory := _memory(head)):
            return TokenStale(name, memory)
        case "left", [name]:
            return Left(name)
        case "withdrawn", [name, "won" | "lost" | "failed" as word]:
            return Withdrawal(name, word)
        case "unusable", _ if "\t" in rest:
            folder, _, why = rest.partition("\t")
            return FolderUnusable(folder, why)
        case "run", _:
            return LeftRun(rest)
        case "done", []:
            return ListDone()
        case "clock", _:
            return _clock(rest)
        case _:
            raise ValueError(f"{verb} {rest}")


def _memory(words: list[str]) -> Memory | None:
    epoch, controller, seq, digest = words
    return Memory(int(epoch), controller, Head(int(seq), digest)) if int(seq) else None


def _mark(word: str) -> str:
    return "" if word == "-" else word


def _clock(word: str) -> ClockRead:
    whole, _, part = word.partition(".")
    if not whole.isdecimal():
        return ClockRead(None, 0.0)
    return ClockRead(float(word), 0.0) if part.isdecimal() else ClockRead(float(whole), 1.0)


def _state(
    word: str,
    name: str,
    code: str,
    kept: tuple[KeptOutput, KeptOutput],
    of_process: list[str],
    mark: str,
) -> AttemptState:
    begun, age = None, None
    if word not in STATES:
        raise ValueError(f"{word!r} is not a state of an attempt")
    match of_process:
        case [pid, start, leads, seconds] if pid.isdigit():
            begun = CommandBegun(name, int(pid), start, leads == "1")
            age = None if seconds == "-" else float(seconds)
        case _:
            pass
    return AttemptState(word, name, None if code == "-" else int(code), *kept, begun, mark, age)


def _kept(word: str) -> KeptOutput:
    if word in ("-", "?"):
        return KeptOutput(gone=word == "?")
    if word.startswith("+"):
        return KeptOutput(int(word), None)
    data = bytes.fromhex(word)
    return KeptOutput(len(data), data)

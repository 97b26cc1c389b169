"""What can go wrong, by whose fault it is and which exit code it ends with.

Rules:
- The class docstring is the default message; attributes carry the data.
- Results of acting on hosts are values (`drrun.core.model.outcomes`), never exceptions: an
  unreachable host is an observation, not an error of this program.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding stops the program."""

    ERROR = "error"
    WARNING = "warning"
    #: Advice, and what somebody has accepted: never forbids anything.
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a text that a person wrote. Line and column count from 1; 0 is unknown."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or doubtful, in what a person wrote."""

    place: Place
    message: str
    severity: Severity = Severity.ERROR
    #: Stable name of the rule, `missing-verify`; people waive and search for it.
    code: str = "invalid"

    def __str__(self) -> str:
        where = f"{self.place}: " if str(self.place) else ""
        mark = "" if self.severity is Severity.ERROR else f"{self.severity}: "
        return f"{where}{mark}{self.message}"


class DrrunError(Exception):
    """drrun cannot go on."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class InputError(DrrunError):
    """The input is not valid. Exit code 2."""

    def __init__(self, findings: Sequence[Finding] | str) -> None:
        if isinstance(findings, str):
            findings = [Finding(Place(), findings)]
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class NotSupported(InputError):
    """The file is valid, but asks for something that this version cannot execute. Exit code 2."""


class NotReady(DrrunError):
    """Something that the run needs is missing or unreachable. Exit code 4."""


class RunHeld(DrrunError):
    """Another controller holds this run. Exit code 5."""

    def __init__(self, message: str = "", wait: float | None = None) -> None:
        """Say who holds it.

        Args:
            message: Who, and what can be done.
            wait: Seconds after which it may be taken by force, if its holder gives no sign of
                life until then; None: it may not, or the holder has just given one.
        """
        super().__init__(message)
        self.wait = wait


class JournalDamaged(DrrunError):
    """The journal is not what was written. Exit code 6."""


class RunDamaged(JournalDamaged):
    """The journal of a run is not what was written. Exit code 6."""

    def __init__(self, run: str, flaws: Collection[str]) -> None:
        """Say what is wrong, what is safe, what to do next.

        Args:
            run: Its id.
            flaws: Everything that is wrong, a clause each.
        """
        self.flaws = tuple(flaws)
        super().__init__(
            f"the journal of {run} is not what was written: {'; '.join(flaws)}. Nothing was "
            "changed, and this run cannot be continued. Keep a copy of the state folder, then "
            f"see what is left of it: drrun status {run}, drrun events {run}"
        )


class RecordDisputed(JournalDamaged):
    """A host was told of another journal of the run than this one. Exit code 6."""

    def __init__(self, run: str, host: str, told: tuple[int, int], end: int) -> None:
        """Say what that means, what is safe, and the ways out.

        Args:
            run: Its id.
            host: Which; "" for the controller's own machine.
            told: The entry that the host was told, and the token of the controller that told it.
            end: The last entry of this journal.
        """
        seq, epoch = told
        host = host or "this machine"
        self.host = host
        if seq > end:
            self.how = (
                f"{host} was told entry {seq} of {run} by controller {epoch}, but this journal "
                f"ends with entry {end}: it is an older copy"
            )
        else:
            self.how = (
                f"{host} was told another entry {seq} of {run}, by controller {epoch}, than this "
                "journal has: another copy of it was used since"
            )
        super().__init__(
            f"{self.how}. To continue would repeat what was done since, so nothing was begun on "
            f"{host}. Continue with the newer journal: restore its state folder, or import its "
            "archive into another "
            "one: drrun import ARCHIVE --state FOLDER. If it is lost for "
            f"good, a second person may accept this one: drrun resume {run} "
            "--accept-older-record --by SOMEBODY --reason WHY"
        )


class RunsLost(JournalDamaged):
    """The state folder knows of runs that its database does not. Exit code 6."""

    #: Runs that the message names.
    NAMED = 3

    def __init__(self, runs: Collection[str], how: str) -> None:
        """Say what that means, what is safe, and the ways out.

        Args:
            runs: Their ids.
            how: What became of the database, a clause.
        """
        self.runs = tuple(sorted(runs))
        names = ", ".join(self.runs[: self.NAMED]) + (" …" if len(runs) > self.NAMED else "")
        super().__init__(
            f"{how}: there are traces of {names} in this state folder, but its database does "
            "not have them. Do not start their steps again before you know what they did. Restore "
            "the newest "
            "copy of the database that belongs to this folder; or, to give these runs up, move "
            "the files with their names out of the folders heads and outputs; or use another "
            "folder meanwhile: --state FOLDER"
        )


class StateUnusable(DrrunError):
    """The state folder cannot be written safely, so nothing was started. Exit code 2."""


class DiskFull(StateUnusable):
    """The disk with the state has no room; once it has, the run can be resumed. Exit code 3."""


class LeaseLost(DrrunError):
    """Another controller has taken over this run; this one stops acting at once. Exit code 5."""


class Refused(DrrunError):
    """That cannot be done now, or was answered otherwise before. Exit code 2."""


class HasSucceeded(Refused):
    """The run has succeeded, so there is nothing left to do. Exit code 0."""


class HasExceptions(HasSucceeded):
    """The run has succeeded with exceptions; resuming it would not change them. Exit code 7."""


class IllegalMove(DrrunError):
    """An event arrived that the state does not allow; the state was not changed."""

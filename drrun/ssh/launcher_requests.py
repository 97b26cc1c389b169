"""What a launcher is asked to execute: a script as lines, who executes it, and what it reads.

Rules:
- Short scripts travel in the request; long ones, and what a command reads, are sent ahead.
- Where another user or shell executes it, the first line of its output is a mark: without it
  nothing was executed.
"""

from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import Head
from drrun.ports.places import Script
from drrun.ssh.wire import become_of, script_text, shell_of

#: Longer scripts are sent ahead.
_IN_THE_REQUEST = 16384


@dataclass(frozen=True, slots=True)
class Work:
    """A script, ready to be asked for."""

    #: `USER SHELL` as words of a request.
    who: str
    lines: int
    text: bytes
    #: What is sent ahead: the script and its input; None: nothing.
    ahead: bytes | None
    #: Whether the first line of its output is our mark.
    marked: bool

    def start(self, name: str, end: Head, mark: str) -> bytes:
        """The request that starts an attempt.

        Args:
            name: Of the attempt.
            end: Where the journal ends by now.
            mark: Proves that an outcome is this attempt's own.
        """
        words = (
            f"start {name} {end.seq} {end.hash} {mark or '-'} "
            f"{self.lines} {self._input(name)} {self.who}\n"
        )
        return words.encode() + self._body

    def ask(self, name: str) -> bytes:
        """The request that asks a question."""
        words = f"ask {name} {self.lines} {self._input(name)} {self.who}\n"
        return words.encode() + self._body

    def check(self) -> bytes:
        """The request that adds a question to the next attempt."""
        return f"check {self.who} {self.lines}\n".encode() + self.text

    def _input(self, name: str) -> str:
        return "-" if self.ahead is None else f"{name}.i"

    @property
    def _body(self) -> bytes:
        return self.text if self.ahead is None else b""


def work_of(script: Script) -> Work:
    """Make a script ready.

    Raises:
        BadScript: A name, user or shell is not acceptable, or there is a NUL in the text.
    """
    text = script_text(script)
    if not text.endswith(b"\n"):
        text += b"\n"
    execution = script.execution
    given = execution.stdin is not None or script.stdin != b""
    stdin = (execution.stdin or "").encode() + script.stdin
    ahead = text + stdin if given or len(text) > _IN_THE_REQUEST else None
    user, shell = become_of(execution.become), shell_of(execution)
    plain = not user and shell == "/bin/sh"
    return Work(f"{user or '-'} {shell}", text.count(b"\n"), text, ahead, not plain)


def mark_of(name: str) -> str:
    """The first line of an output, where there is a mark."""
    return f"begun {name}"

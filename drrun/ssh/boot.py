"""How the launcher comes to run on a host: proof first (proof.py), its text behind the proof.

Rules:
- The login shell is given one short line, `exec /bin/sh -c …`, that means the same to sh, bash,
  zsh, csh and fish, and holds no secret.
"""

from dataclasses import field
from functools import cache
from importlib.resources import files

from drrun.core.dataclass import dataclass
from drrun.ssh.proof import Proof
from drrun.ssh.wire import quoted_for_any_shell

_STARTER = (
    'echo "$1 $(( $2 * $3 ))"; n=$(printf "\\nx"); n=${n%x}; t=; '
    'while IFS= read -r l || exit 0; do [ "$l" = "begin $1" ] && break; done; '
    'while IFS= read -r l || exit 0; do [ "$l" = "end $1" ] && break; t="$t$l$n"; done; '
    'eval "$t"'
)


@dataclass(frozen=True, slots=True)
class Boot:
    """One start of a launcher."""

    #: Folder for runs on the host; "" for the usual one.
    folder: str
    #: Bytes that the host keeps of each output.
    kept: int
    proof: Proof = field(default_factory=Proof)

    @property
    def argv(self) -> tuple[str, ...]:
        """The program that becomes the launcher."""
        start = ("/bin/sh", "-c", _STARTER, "drrun")
        return (*start, *self.proof.words, self.folder, str(self.kept))

    @property
    def line(self) -> str:
        """The same for a login shell of any kind."""
        return "exec " + " ".join(quoted_for_any_shell(word) for word in self.argv)

    @property
    def program(self) -> bytes:
        """The launcher's text, for a starter that has proved that it reads."""
        end = f"end {self.proof.nonce}\n".encode()
        return self.proof.begin + launcher_text().encode() + end


@cache
def launcher_text() -> str:
    """The launcher without its comments and indentation: every byte is read by itself."""
    text = files("drrun.ssh").joinpath("launcher.sh").read_text("utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("#"))

"""Wrappers in PATH that stand before every program a launcher could use, and disturb one call.

Rules:
- Nothing is known about the launcher: a calm host counts which programs it calls, and how often;
  each of these calls is then disturbed once, on a host of its own.
- A call can stall `before` and `after` the program; it can have its caller `killed`; it `fails`.
- A wrapper numbers its calls by exclusive create, and uses no program that is wrapped itself.
- Only what is found through PATH can be disturbed; built-ins cannot.
"""

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.sshd import Sshd
from tests.worlds.fleet import PATH, Lane

#: Programs of POSIX, and what else a launcher may lean on.
PROGRAMS = tuple(
    """
    awk base64 basename cat chmod cmp cp cut date dd df dirname env expr find flock fold getconf
    grep head hostname id kill ln ls mkdir mkfifo mktemp mv nice nohup od paste pgrep pkill printf
    ps readlink realpath rm rmdir sed seq setsid sh sha256sum sleep sort split stat stdbuf stty
    sync tail tee test timeout touch tr true tty umask uname uniq wc who xargs xxd
    """.split()  # noqa: SIM905 - a column of strings is harder to read
)
#: A host with wrappers.
WRAPPED = Lane(path=("wrapped",))
_WRAPPER = """\
#!/bin/sh
lane=${0%/*/*} name=${0##*/} number=1 how= what= which=
until (set -C; : >"$lane/calls/$name.$number") 2>/dev/null; do number=$((number + 1)); done
[ ! -r "$lane/disturbs" ] || read -r how what which length <"$lane/disturbs"
case $how.$what.$which in
    before."$name.$number") /bin/sleep "$length" ;;
    after."$name.$number") "$lane/real/$name" "$@"; code=$?; /bin/sleep "$length"; exit "$code" ;;
    killed."$name.$number") kill -9 "$PPID"; exit 1 ;;
    fails."$name.$number") exit 1 ;;
esac
exec "$lane/real/$name" "$@"
"""


@dataclass(frozen=True)
class Disturbance:
    """What happens to one call of one program."""

    how: str
    program: str
    number: int

    @property
    def name(self) -> str:
        """A name for the host on which it happens."""
        return f"{self.program}-{self.number}-{self.how}"


def wrap(host: Sshd, disturbs: Disturbance | None = None, length: float = 0) -> None:
    """Put the wrappers before the programs of a host whose lane is `WRAPPED`.

    Args:
        host: Where.
        disturbs: What happens there, if anything.
        length: Seconds of a stall.
    """
    for each in ("wrapped", "real", "calls"):
        (host.folder / each).mkdir()
    wrapper = host.folder / "wrapper"
    wrapper.write_text(_WRAPPER, "utf-8")
    wrapper.chmod(0o755)
    if disturbs:
        line = f"{disturbs.how} {disturbs.program} {disturbs.number} {length:g}\n"
        (host.folder / "disturbs").write_text(line, "utf-8")
    for name in PROGRAMS:
        if found := shutil.which(name, path=PATH):
            (host.folder / "wrapped" / name).symlink_to(wrapper)
            (host.folder / "real" / name).symlink_to(found)


def calls(host: Sshd) -> Counter[str]:
    """How often each program was called on a host."""
    return Counter(Path(each).stem for each in (host.folder / "calls").iterdir())


def happened(host: Sshd, disturbs: Disturbance) -> bool:
    """Whether the call came to pass."""
    return calls(host)[disturbs.program] >= disturbs.number

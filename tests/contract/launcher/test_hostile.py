"""Another user of the host, who may write into the home: no outcome is forged, nothing runs twice.

Everything that such a user can do to the folder of the runs is tried, alone, at each moment of an
attempt's life. What may come of it: the truth, or that nothing is known; never another outcome.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from drrun.ssh import launcher_answers as a
from tests.contract.launcher.conftest import Open
from tests.contract.launcher.launchers import MARK, Ground, digest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")

NOBODY = 65534
#: What the attempt's outcome must bear, and the other user does not know.
SECRET = "5ec2e75ec2e75ec2"
#: What he has at hand; `$mark` and `$digest` are what he may guess.
TOOLS = """
umask 077
away() { if [ -e "$1" ] || [ -h "$1" ]; then mv -T "$1" "$1.away"; fi; }
plant() {
    mkdir -p "$1/run"
    echo 'begun 1 1 boot 1 t.1 1 1 end' >"$1/run/n.d"
    echo "0 $mark end" >"$1/run/n.x"
    : >"$1/run/n.o" >"$1/run/n.e"
    echo "1 c1 1 $digest" >"$1/run/head"
}
set -e
"""
ACTS: Mapping[str, str] = {
    "a folder of his own": "away .drrun; plant .drrun",
    "a folder of his own that all may enter": "away .drrun; plant .drrun; chmod -R 777 .drrun",
    "a link to a folder of his own": "away .drrun; plant his; ln -s his .drrun",
    "a folder of his own with a link to ours": (
        "away .drrun; mkdir -m 711 .drrun; ln -s ../.drrun.away/run .drrun/run"
    ),
    "a link to ours": "away .drrun; ln -s .drrun.away .drrun",
    "another folder of ours in its place": "away .drrun; mv -T ours .drrun",
    "nothing in its place": "away .drrun",
    "a file in its place": "away .drrun; : >.drrun",
    "an exit code in ours": 'echo "0 $mark end" >.drrun/run/n.x',
    "a decision in ours": "echo 'withdrawn 1' >.drrun/run/n.d",
    "our decision away": "rm .drrun/run/n.d",
    "our memory away": "rm .drrun/run/head",
}
#: At which moment: before the first launcher, between its look and its claim, before the start,
#: while the command runs, after its end.
MOMENTS = ("before", "greeted", "claimed", "running", "ended")


class Other(NamedTuple):
    """The other user."""

    home: Path

    def does(self, act: str) -> bool:
        """Whether it could be done."""
        done = subprocess.run(
            ["/bin/sh", "-c", TOOLS + ACTS[act]],
            cwd=self.home,
            env={"PATH": "/usr/bin:/bin", "mark": MARK, "digest": digest(1)},
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
        return done.returncode == 0


@pytest.fixture
def other(home: Path) -> Other:
    """The home is his to write into, and the way to it is open."""
    home.chmod(0o777)
    for folder in home.parents:
        if folder.stat().st_mode & 0o5 != 0o5 and folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o5)
    (home / "ours").mkdir(mode=0o700)
    return Other(home)


class Life:
    """An attempt from its first launcher to what the last one says of it."""

    def __init__(self, ground: Ground, opens: Open, disturb: Callable[[str], None]) -> None:
        self.ground, self.opens, self.disturb = ground, opens, disturb
        self.effects = ground.home / "effects"

    def lived(self) -> list[a.LauncherAnswer]:
        """All that was said of it."""
        go_on = self.ground.home / "go-on"
        os.mkfifo(go_on)
        self.disturb("before")
        first = self.opens(self.ground, claims=False)
        if isinstance(first.either(a.LauncherReady, a.FolderUnusable), a.FolderUnusable):
            return []
        self.disturb("greeted")
        first.claim()
        first.quiet()
        self.disturb("claimed")
        first.start("n", f"echo 1 >>{self.effects}; read line <{go_on}; exit 3", mark=SECRET)
        said = [first.first("n", a.CommandBegun, a.StartRefused, a.AttemptExists)]
        if isinstance(said[0], a.CommandBegun):
            self.disturb("running")
            said += self.asked_again()
            go_on.write_text("\n")
            said.append(first.hear(a.CommandEnded, "n"))
        self.disturb("ended")
        said += self.asked_again()
        return said

    def asked_again(self) -> list[a.LauncherAnswer]:
        """What another launcher says, and whether it executes it if it is asked to."""
        again = self.opens(self.ground, known=True, claims=False)
        ready = again.either(a.LauncherReady, a.FolderUnusable)
        if not isinstance(ready, a.LauncherReady):
            return []
        again.claim()
        state = again.look("n")
        assert ready.lost or state.word != "absent" or not self.effects.exists()
        return [] if ready.lost else [state]


def forged(said: a.LauncherAnswer) -> bool:
    """Whether it is an outcome that a controller would believe, and that is not true."""
    match said:
        case (
            a.CommandEnded(code=code, mark=mark)
            | a.AttemptState(word="ended", code=code, mark=mark)
        ):
            return code != 3 and mark == SECRET
        case a.AttemptState(word="withdrawn") | a.Withdrawal():
            return True
        case _:
            return False


@pytest.mark.faults(122)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("act", ACTS)
def test_no_outcome_is_forged(
    any_ground: Ground, opens: Open, other: Other, act: str, moment: str
) -> None:
    def disturb(now: str) -> None:
        if now == moment:
            other.does(act)

    life = Life(any_ground, opens, disturb)
    said = life.lived()
    assert not [each for each in said if forged(each)], said
    assert not life.effects.exists() or life.effects.read_text() == "1\n"


#: What the folder's mode keeps him from.
KEPT_OUT = {
    "an exit code in ours", "a decision in ours", "our decision away", "our memory away",
}  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_the_other_user_can_do_what_is_tried(
    ground: Ground, opens: Open, other: Other, act: str
) -> None:
    """Else nothing would be shown."""
    launcher = opens(ground)
    launcher.quiet()
    launcher.finish("n", "true")
    assert other.does(act) == (act not in KEPT_OUT)

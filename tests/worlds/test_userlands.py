"""Hosts whose tools are not those of Debian: busybox alone, other shells as /bin/sh, no /proc."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.ssh.places import lives
from tests.programs import effects
from tests.sshd import until
from tests.worlds.conftest import Enter, plain
from tests.worlds.fleet import Fleet, Lane, boxed, tmpfs
from tests.worlds.world import World, ended

#: What follows in an ELF file before the name of its dynamic linker: a static one has none.
_DYNAMIC = b"/ld-linux"
DEVICES = ("null", "zero", "random", "urandom")


def busybox() -> Path:
    """The busybox that needs nothing else and executes its own applets for everything."""
    found = shutil.which("busybox")
    if not found or _DYNAMIC in Path(found).read_bytes():
        pytest.fail("busybox-static is missing: Debian's plain busybox executes coreutils")
    return Path(found)


def busybox_alone(hosts: Fleet) -> None:
    """A root with nothing in it but busybox, where every command is executed."""
    root, home = hosts.server.folder / "root", hosts["db1"].folder
    for each in ("bin", "dev", "proc", "tmp", "etc"):
        (root / each).mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", "utf-8")
    shutil.copy(busybox(), root / "bin/busybox")
    (root / str(home)[1:]).mkdir(parents=True)
    for name in DEVICES:
        (root / "dev" / name).touch()
    hosts.server.prefix = boxed(
        f"chroot {root} /bin/busybox --install -s /bin\n"
        f"mount -t proc none {root}/proc\n"
        f"for each in {' '.join(DEVICES)}; do mount --bind /dev/$each {root}/dev/$each; done\n"
        f"mount --bind {home} {root}{home}\n"
    )
    with hosts.server.config.open("a", encoding="utf-8") as config:
        inside = 'env PATH=/bin sh -c "$SSH_ORIGINAL_COMMAND"'
        config.write(f"  ForceCommand PATH=/usr/sbin:/bin exec chroot {root} {inside}\n")


def shell(name: str) -> Callable[[Fleet], None]:
    """Another program is /bin/sh."""

    def put(hosts: Fleet) -> None:
        hosts.server.prefix = boxed(f"mount --bind {shutil.which(name)} $(readlink -f /bin/sh)")

    return put


def no_proc(hosts: Fleet) -> None:
    """Nothing tells which processes there are, and when the host was booted."""
    hosts.server.prefix = boxed(tmpfs(Path("/proc"), "ro"))


USERLANDS = {
    "Debian": plain,
    "busybox alone": busybox_alone,
    "bash as sh": shell("bash"),
    "zsh as sh": shell("zsh"),
    "no /proc": no_proc,
}


@pytest.fixture(params=list(USERLANDS.values()), ids=list(USERLANDS))
def world(request: pytest.FixtureRequest, enter: Enter, root: None) -> World:
    return enter({"db1": Lane()}, prepare=request.param)


INPUT = 'it\'s "quoted" $HOME `x` \\ \u00fcn\u00efcode'
#: More bytes than any pipe holds.
MUCH = 300_000
FILE = "{{ host.vars.effects }}"
EFFECT = f"echo %s >>{FILE}"
STEPS = f"""
  quick:
    on: db1
    run: {EFFECT % "quick"}
    verify: {{run: "grep -qx quick {FILE}"}}
  fails:
    on: db1
    run: {EFFECT % "fails"}; exit 9
    verify: {{run: "false"}}
  talks:
    on: db1
    run: {EFFECT % "talks"}; head -c {MUCH} /dev/zero; echo x >&2
    verify: {{run: "true"}}
  reads:
    on: db1
    stdin: {json.dumps(INPUT)}
    run: cat >$HOME/read; {EFFECT % "reads"}
    verify: {{run: "true"}}
  late:
    on: db1
    timeout: 1s
    run: |
      {EFFECT % "late"}
      sleep 300 & echo $! >$HOME/child
      sleep 300
    verify: {{run: "false"}}
"""


@pytest.mark.faults(148)
def test_steps_of_every_kind_are_executed_once_and_told_as_they_ended(world: World) -> None:
    home = world.fleet["db1"].home
    world.run(STEPS)
    found = world.verdicts()
    assert world.lies() == []
    assert {name: each.effects for name, each in found.items()} == dict.fromkeys(found, 1)
    assert {name: each.status for name, each in found.items()} == {
        "quick": "passed",
        "fails": "failed",
        "talks": "passed",
        "reads": "passed",
        "late": "failed",
    }
    assert found["fails"].exits == [9]
    # Output and input arrive as they are.
    assert world.output("talks") == {"stdout": MUCH, "stderr": 2}
    assert (home / "read").read_text("utf-8") == INPUT
    # A time limit leaves nothing running.
    assert not lives((home / "child").read_text().strip())


SLOW = """
  slow:
    on: db1
    run: |
      echo begun >>$HOME/told
      while [ ! -e $HOME/go ]; do sleep 0.1; done
      echo slow >>{{ host.vars.effects }}
    verify: {run: "[ -s {{ host.vars.effects }} ]"}
"""


def test_a_command_outlives_its_link_and_its_end_is_found(world: World) -> None:
    home = world.fleet["db1"].home
    process = world.begin(SLOW)
    assert until(lambda: effects(home / "told") == ["begun"])
    world.fleet.server.kill_sessions()
    (home / "go").touch()
    done = ended(process)
    assert (done.exit, world.lies(), effects(home / "told")) == (0, [], ["begun"]), done.err
    assert world.verdicts()["slow"].exits == [0], done.err

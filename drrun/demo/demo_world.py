"""The world that the demonstration moves: a folder for each host, as it was on 11 January 2024.

Rules:
- What the runbook does to these folders is real: files, git repositories, hooks. Nothing outside
  of them is touched. Programs that this machine may not have are in `tools`, see its README.
- What is wrong in this world was wrong: PHL is away, its objects are in no backup, repositories
  changed after the last backup, AMS has no compute for builds, the second name server is late.
  One thing is our own: a backup was still being written when the migration begins.
"""

import hashlib
import os
import shutil
import subprocess
import tarfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Final

from drrun.core.dataclass import dataclass

#: Hosts by their names in inventory/sites.yml.
HOSTS: Final = (
    "db1.phl", "git1.phl", "s3.phl", "db1.fre", "bk1.fre", "db1.ams", "git1.ams", "hg1.ams",
    "web1.ams", "s3.ams", "chat1.ams", "gw.ovh", "build1.ovh", "build2.ovh", "ns1", "ns2",
    "desk.ops", "client.net",
)  # fmt: skip
#: Null-routed when the run begins.
LOST: Final = frozenset({"db1.phl", "git1.phl", "s3.phl"})
#: Not ordered yet.
TO_COME: Final = frozenset({"gw.ovh", "build1.ovh", "build2.ovh"})
#: Service -> host that serves it.
PLACES: Final = {
    **dict.fromkeys(("meta", "todo", "lists", "paste", "hub", "builds"), "web1.ams"),
    "git": "git1.ams",
    "hg": "hg1.ams",
    "pages": "s3.ams",
    "chat": "chat1.ams",
}
REPOSITORIES: Final = ("aerc", "canary", "hare", "scdoc", "sourcehut", "wlroots")
#: Changed in PHL after the last backup.
CHANGED: Final = ("aerc", "wlroots")
#: Still being written in FRE when the run begins.
HALF_WRITTEN: Final = "wlroots.bundle"
USERS: Final = 500
#: Seconds between the last backup and the run.
BACKUP_AGE: Final = 11 * 3600


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """Where everything is."""

    root: Path

    def host(self, name: str) -> Path:
        """The folder of a host."""
        return self.root / "hosts" / name

    @property
    def tools(self) -> Path:
        """Programs of all hosts."""
        return self.root / "bin"

    def connect(self, name: str) -> None:
        """Let the other hosts reach this one."""
        (self.root / "reach" / name).touch()

    def finish_backup(self) -> None:
        """The last file of the backup is whole now."""
        (self.root / HALF_WRITTEN).replace(self.host("bk1.fre") / "srv/backups/git" / HALF_WRITTEN)


def make_world(root: Path, front: str) -> DemoWorld:
    """Make every host's folder.

    Args:
        root: An empty folder.
        front: The gateway's public address.
    """
    world = DemoWorld(root)
    for name in HOSTS:
        (world.host(name) / "tmp").mkdir(parents=True)
    (root / "reach").mkdir()
    for name in HOSTS:
        if name not in LOST | TO_COME:
            world.connect(name)
    (root / "front").write_text(front + "\n")
    (root / "places").write_text("".join(f"{name} {host}\n" for name, host in PLACES.items()))
    _tools(world)
    _database(world.host("db1.fre") / "srv/postgres")
    _repositories(world)
    _hg(world.host("bk1.fre") / "srv/backups/hg")
    _objects(world.host("s3.phl") / "srv")
    _zones(world)
    _people(world)
    return world


def _tools(world: DemoWorld) -> None:
    world.tools.mkdir()
    for tool in files("drrun.demo").joinpath("tools").iterdir():
        name = tool.name
        if name == "README" or (name == "git-stand-in" and shutil.which("git")):
            continue
        to = world.tools / name.removesuffix("-stand-in")
        to.write_bytes(tool.read_bytes())
        to.chmod(0o755)


def _database(cluster: Path) -> None:
    """A standby of the primary that is lost."""
    meta = cluster / "base/meta"
    meta.mkdir(parents=True)
    kinds = ("paying", "trial", "free")
    users = (f"{number} user{number} {kinds[number % 3]}\n" for number in range(USERS))
    (meta / "users").write_text("".join(users))
    (meta / "events").touch()
    (meta / "credits").touch()
    (cluster / "lag").write_text("23.4\n")
    (cluster / "timeline").write_text("1\n")
    (cluster / "standby.signal").write_text("db1.phl\n")


def _repositories(world: DemoWorld) -> None:
    """Bundles of the last backup, and the repositories in PHL, some with one commit more."""
    backup = world.host("bk1.fre") / "srv/backups/git"
    backup.mkdir(parents=True)
    source = world.host("git1.phl") / "srv/git"
    source.mkdir(parents=True)
    for name in REPOSITORIES:
        work = world.root / f"{name}.work"
        _git(world, "-c", "init.defaultBranch=master", "init", "-q", str(work))
        commit = ("-C", str(work), "commit", "-q", "--allow-empty", "-m")
        _git(world, *commit, f"{name}, before the backup")
        bundle = str(backup / f"{name}.bundle")
        _git(world, "-C", str(work), "bundle", "create", bundle, "HEAD", "master")
        if name in CHANGED:
            _git(world, *commit, "after the backup")
        _git(world, "clone", "-q", "--mirror", str(work), str(source / f"{name}.git"))
        shutil.rmtree(work)
    _manifest(backup, "*.bundle")
    whole = (backup / HALF_WRITTEN).read_bytes()
    (world.root / HALF_WRITTEN).write_bytes(whole)
    (backup / HALF_WRITTEN).write_bytes(whole[: len(whole) // 2])


def _git(world: DemoWorld, *arguments: str) -> None:
    """Run git as nobody in particular, whatever the user's configuration says."""
    names = {"GIT_AUTHOR_NAME": "drrun", "GIT_AUTHOR_EMAIL": "drrun@localhost"}
    names |= {"GIT_COMMITTER_NAME": "drrun", "GIT_COMMITTER_EMAIL": "drrun@localhost"}
    subprocess.run(
        ["git", *arguments],
        cwd=world.root,
        env={**environment(world), "HOME": str(world.root), **names},
        check=True,
        capture_output=True,
        timeout=30,
    )


def environment(world: DemoWorld) -> dict[str, str]:
    """Variables that all hosts have."""
    return {
        "PATH": f"{world.tools}:{os.environ.get('PATH', os.defpath)}",
        "LANG": "C.UTF-8",
        "WORLD": str(world.root),
        # What the machine's owner configured for git is no part of this world.
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TEMPLATE_DIR": "",
    }


def _hg(backup: Path) -> None:
    """Archives of repositories."""
    backup.mkdir(parents=True)
    for name in ("hg-evolve", "tortoise", "patchwork"):
        store = backup / name
        store.mkdir()
        (store / "00changelog.i").write_bytes(os.urandom(4000))
        with tarfile.open(backup / f"{name}.tar", "w") as archive:
            archive.add(store, arcname=name)
        shutil.rmtree(store)
    _manifest(backup, "*.tar")


def _manifest(backup: Path, pattern: str) -> None:
    """What a backup's files must be, and when they were taken."""
    (backup / "manifest").write_text(_sums(backup, pattern))
    (backup / "taken").write_text(f"{_long_ago()}\n")


def _sums(folder: Path, pattern: str) -> str:
    """As sha256sum prints them."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
        for path in sorted(folder.glob(pattern))
        if path.is_file()
    )


def _long_ago() -> int:
    """When the backup was taken; the hosts compare it with their own clock."""
    return int(time.time()) - BACKUP_AGE  # noqa: TID251 - part of the world, not of the program


def _objects(folder: Path) -> None:
    """Sites, and those that are asked for most."""
    for kind, count in (("hot", 4), ("cold", 12)):
        for number in range(count):
            site = folder / "pages" / kind / f"site{number:02}"
            site.mkdir(parents=True)
            (site / "index.html").write_bytes(os.urandom(2000))


def _zones(world: DemoWorld) -> None:
    names = ("meta", "paste", "hub", "git", "hg", "todo", "lists", "pages", "builds", "chat")
    zone = "@ 3600 IN SOA ns1 hostmaster 2024011101 7200 900 1209600 60\n"
    zone += "".join(
        f"{name} 3600 IN A 192.0.2.{number}\n" for number, name in enumerate(names, 10)
    )
    for server in ("ns1", "ns2"):
        folder = world.host(server) / "srv/zones"
        folder.mkdir(parents=True)
        (folder / "live").write_text(zone)
    (world.host("ns1") / "srv/zones/sr.ht").write_text(zone)


def _people(world: DemoWorld) -> None:
    """What lies on desks."""
    needs = {"git": (500, 900), "hg": (40, 900), "sql": (80, 400), "builds": (2400, 300)}
    capacity = "".join(f"{name} {need} {free}\n" for name, (need, free) in needs.items())
    desk = world.host("desk.ops")
    (desk / "capacity").write_text(capacity)
    own = ("example.org 192.0.2.17", "example.net 198.51.100.9", "example.com 192.0.2.17")
    (desk / "customers").write_text("".join(f"{line}\n" for line in own))
    users = "".join(f"user{number}\n" for number in range(1, 41))
    (world.host("chat1.ams") / "chat-users").write_text(users)

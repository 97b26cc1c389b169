"""The world that the demonstration moves: a folder for each host, as it was on 11 January 2024.

Rules:
- What the runbook does to these folders is real: files, git repositories, hooks. Nothing outside
  of them is touched.
- What is wrong in this world was wrong: PHL is away, its objects are in no backup, two
  repositories changed after the last backup, the second name server gets the zone a moment late.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

#: Hosts by their names in inventory/sites.yml.
HOSTS = (
    "db1.phl", "git1.phl", "s3.phl", "db1.fre", "bk1.fre", "db1.ams", "git1.ams", "hg1.ams",
    "web1.ams", "s3.ams", "chat1.ams", "gw.ovh", "build1.ovh", "ns1", "ns2",
)  # fmt: skip
#: Null-routed when the run begins.
LOST = frozenset({"db1.phl", "git1.phl", "s3.phl"})
REPOSITORIES = ("aerc", "hare", "scdoc", "sourcehut", "wlroots")
#: Changed at PHL after the last backup.
CHANGED = ("aerc", "wlroots")
ROWS = 500
_COMPARE = "cksum data.* | cmp -s - sums && echo same\n"


def make_world(folder: Path) -> dict[str, Path]:
    """Make every host's folder; host -> folder."""
    hosts = {name: folder / name for name in HOSTS}
    for path in hosts.values():
        path.mkdir(parents=True)
    _database(hosts["db1.fre"] / "db")
    _backups(hosts["bk1.fre"] / "backup")
    _objects(hosts["s3.phl"] / "objects", count=20)
    _repositories(hosts["bk1.fre"] / "backup" / "git", hosts["git1.phl"] / "bundles")
    gateway = hosts["gw.ovh"] / "net"
    gateway.mkdir()
    (gateway / "abuse-case").write_text("this account sends floods\n")
    return hosts


def _database(folder: Path) -> None:
    folder.mkdir()
    (folder / "rows").write_text("".join(f"user-{number}\n" for number in range(ROWS)))
    (folder / "lag").write_text("23\n")
    (folder / "role").write_text("standby\n")


def _backups(folder: Path) -> None:
    for store in ("git", "hg"):
        (folder / store).mkdir(parents=True)
        (folder / store / "age").write_text("41000\n")
    _objects(folder / "hg", count=5)


def _objects(folder: Path, count: int) -> None:
    """Files with their sums, and the script that compares."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"data.{number:03}").write_bytes(os.urandom(2000))
    names = sorted(path.name for path in folder.glob("data.*"))
    sums = subprocess.run(["cksum", *names], cwd=folder, capture_output=True, check=True)
    (folder / "sums").write_bytes(sums.stdout)
    (folder / "verify").write_text(_COMPARE)


def _repositories(backup: Path, source: Path) -> None:
    """Bundles of the last backup, and those at PHL, where some have one commit more."""
    source.mkdir()
    if shutil.which("git") is None:
        for name in REPOSITORIES:
            (backup / f"{name}.bundle").write_text(f"{name} 1\n")
            newest = 2 if name in CHANGED else 1
            (source / f"{name}.bundle").write_text(f"{name} {newest}\n")
        return
    for name in REPOSITORIES:
        work = source / f"{name}.work"
        _git(["init", "-q", "-b", "master", str(work)], source)
        _commit(work, "before the backup")
        _git(["bundle", "create", "-q", str(backup / f"{name}.bundle"), "master"], work)
        if name in CHANGED:
            _commit(work, "after the backup")
        _git(["bundle", "create", "-q", str(source / f"{name}.bundle"), "master"], work)
        shutil.rmtree(work)


def _commit(work: Path, message: str) -> None:
    (work / "file").write_text(f"{work.name}: {message}\n")
    _git(["add", "file"], work)
    _git(["commit", "-q", "-m", message], work)


def _git(arguments: Iterable[str], folder: Path) -> None:
    """Run git as nobody in particular, whatever the user's configuration says."""
    names = {"GIT_AUTHOR_NAME": "drrun", "GIT_AUTHOR_EMAIL": "drrun@localhost"}
    names |= {"GIT_COMMITTER_NAME": "drrun", "GIT_COMMITTER_EMAIL": "drrun@localhost"}
    clean = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder)}
    subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={"PATH": os.environ.get("PATH", ""), **names, **clean},
        check=True,
        capture_output=True,
        timeout=30,
    )

"""Finding and ending what killed labs have left: folders, and programs at the operator's place.

Rules:
- A lab's processes, mounts and links go with its keeper, and the keeper of a killed owner ends
  by itself; left over are a folder that nobody has locked, and marked programs outside.
"""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path

from tests.lab.namespaces import born, everybody, inode, kill
from tests.lab.operator import MARK

#: Where the folders of all labs of this machine are.
LABS = Path("/run/drrun-lab")


def running() -> list[str]:
    """Ids of labs that are up."""
    return [path.name for path in _folders() if _is_held(path)]


def sweep() -> list[str]:
    """End what labs without an owner have left; gives back their ids."""
    gone = []
    for path in _folders():
        lock = hold(path)
        if lock is None:
            continue
        try:
            kill(remains(path.name))
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)
        gone.append(path.name)
    return gone


def hold(folder: Path) -> int | None:
    """Take the lock of a lab's folder; None if somebody holds it, or it is gone.

    The number is a high one: shells use the low ones for themselves.
    """
    try:
        opened = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        return None
    lock = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 100)
    os.close(opened)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def remains(lab_id: str, keeper: int = 0) -> list[int]:
    """Processes outside the lab's own namespace that belong to it; not this one.

    They carry its mark; with a living `keeper` also those of the machine's processes whose network
    is the lab's, whatever they did to their environment.
    """
    mark = f"{MARK}={lab_id}".encode()
    networks = _networks(keeper) if keeper and born(keeper) else set()
    own, found = inode(os.getpid(), "pid"), []
    for pid in everybody():
        environment = b""
        with suppress(OSError):
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        inside = inode(pid, "net") in networks and inode(pid, "pid") == own
        if (inside or mark in environment.split(b"\0")) and pid not in {os.getpid(), keeper}:
            found.append(pid)
    return found


def _networks(keeper: int) -> set[int]:
    """Network namespaces of processes that live below the keeper's numbers."""
    below = inode(keeper, "pid")
    return {inode(pid, "net") for pid in everybody() if inode(pid, "pid") == below} - {
        0,
        inode(os.getpid(), "net"),
    }


def _folders() -> list[Path]:
    return sorted(LABS.iterdir()) if LABS.is_dir() else []


def _is_held(folder: Path) -> bool:
    lock = hold(folder)
    if lock is None:
        return True
    os.close(lock)
    return False

"""The state folder: made for one user, and refused where it could not be trusted.

Rules:
- Folder 0700, files 0600, whatever the umask. Owned by this user, no symbolic link, not writable
  by others, not on a network file system, whose locks lie (rule T3, fault F85).
- Looking creates nothing: only `prepare` writes.
- A reserve is kept on disk, and freed when the disk is full, so that the pause can still be
  recorded (fault F84).
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import StateUnusable

#: Bytes kept back for the entries that record a pause on a full disk.
RESERVE = 256 * 1024

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "glusterfs"}
    | {"fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "davfs", "coda", "ncpfs"}
    | {"ocfs2", "gfs2", "fuse.davfs2"}
)
_DATABASE_NAMES = frozenset({".db", ".sqlite", ".sqlite3"})


@dataclass(frozen=True, slots=True)
class StatePlace:
    """Where the state of one user, or one site, is kept."""

    #: The SQLite file.
    database: Path
    #: Outputs, anchors and the reserve.
    folder: Path

    @classmethod
    def named(cls, name: str | Path) -> "StatePlace":
        """Understand what a person wrote: a folder, or a file `*.db`, `*.sqlite`, `*.sqlite3`.

        A file's other belongings are put beside it, into the folder `FILE.d`.
        """
        path = Path(str(name).removeprefix("sqlite://") or ".").expanduser().absolute()
        if path.is_file() or (path.suffix in _DATABASE_NAMES and not path.is_dir()):
            return cls(path, path.with_name(f"{path.name}.d"))
        return cls(path / "journal.sqlite", path)

    @property
    def reserve(self) -> Path:
        """The file that is freed when the disk is full."""
        return self.folder / "reserve"


def prepare(place: StatePlace) -> None:
    """Make the folder and an empty database file if there is none, and see that both are safe.

    Raises:
        StateUnusable: Something cannot be made, or must not be trusted.
    """
    with _faults_in_words(place):
        make_private_folder(place.folder)
        _adopt_if_empty(place.folder)
        inspect(place)
        make_private_file(place.database)
        _make_reserve(place.reserve)


def size_of_database(place: StatePlace) -> int | None:
    """Bytes of the database; None if there is none.

    Raises:
        StateUnusable: This user may not even look.
    """
    with _faults_in_words(place):
        try:
            return place.database.stat().st_size
        except FileNotFoundError:
            return None


def inspect(place: StatePlace) -> None:
    """See that what exists of the state can be trusted.

    Raises:
        StateUnusable: It belongs to somebody else, others can write it, it is a symbolic link, or
            it lies on a network file system.
    """
    with _faults_in_words(place):
        for path in {place.folder, place.database.parent}:
            _must_be_ours(path, stat.S_ISDIR, "folder")
        for ending in ("", "-journal", "-wal", "-shm"):
            file = place.database.with_name(place.database.name + ending)
            _must_be_ours(file, stat.S_ISREG, "file")
    kind = network_filesystem(place.database.parent, _mounts())
    if kind:
        raise StateUnusable(
            f"{place.database} is on a network file system ({kind}), where locks cannot be "
            "trusted. Nothing was started. Choose a folder on this machine: --state FOLDER"
        )


def network_filesystem(folder: Path, mountinfo: str) -> str:
    """The type of the network file system that `folder` is on, or "".

    Args:
        folder: An absolute path; it need not exist.
        mountinfo: Text as in /proc/self/mountinfo, proc(5).
    """
    real, found, kind = os.path.realpath(folder), "", ""
    for line in mountinfo.splitlines():
        front, _, back = line.partition(" - ")
        words = front.split()
        if len(words) < 5 or not back:
            continue
        point = words[4].encode().decode("unicode_escape")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # Of two mounts over each other the later one is seen.
        if inside and len(point) >= len(found):
            found, kind = point, back.split()[0]
    return kind if kind in _NETWORK else ""


def make_private_file(path: Path) -> None:
    """Make an empty file that only this user can read. A file that exists is left alone."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, flags, 0o600))


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above that are missing, for this user alone."""
    if folder.is_symlink() or folder.exists():
        return
    make_private_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)


def free_reserve(place: StatePlace) -> bool:
    """Give the reserve back to a full disk; whether there was one."""
    try:
        place.reserve.unlink()
    except OSError:
        return False
    return True


def _adopt_if_empty(folder: Path) -> None:
    """An empty folder that somebody made for us becomes ours alone."""
    if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
        folder.chmod(0o700)


def _make_reserve(path: Path) -> None:
    # Without room for it the disk is as good as full; the journal itself will say so.
    with contextlib.suppress(OSError):
        if path.exists() and path.stat().st_size == RESERVE:
            return
        make_private_file(path)
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.posix_fallocate(handle, 0, RESERVE)
        finally:
            os.close(handle)


def _must_be_ours(path: Path, kind: Callable[[int], bool], what: str) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode) or not kind(found.st_mode):
        raise StateUnusable(f"{path} is not a plain {what}. Nothing was started, nothing changed.")
    if found.st_uid != os.geteuid():
        raise StateUnusable(
            f"{path} belongs to another user (uid {found.st_uid}). Nothing was started. Log in as "
            "that user, or choose a state folder of your own: --state FOLDER"
        )
    if found.st_mode & 0o022:
        raise StateUnusable(
            f"others can write the {what} {path}. Nothing was started. If nobody has: "
            f"chmod go-rwx {path}"
        )
    if what == "file" and found.st_mode & 0o077:
        # On a read-only disk others can read it as before; the folder keeps them out.
        with contextlib.suppress(OSError):
            path.chmod(0o600)


@contextlib.contextmanager
def _faults_in_words(place: StatePlace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateUnusable(
            f"the state folder {place.folder} cannot be used: {error.strerror}. Nothing was "
            "started. Make it writable for this user, or choose another one: --state FOLDER"
        ) from error


def _mounts() -> str:
    """Where there is no /proc, network file systems are not recognised."""
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def sync_folder(folder: Path) -> None:
    """Make names durable that were created in a folder, or moved into it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

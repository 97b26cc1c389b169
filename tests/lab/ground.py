"""What every host of a lab has over the machine's root: a layer, made once per lab.

Rules:
- Hosts see the machine's programs, and nothing of its data: keys, homes, databases, logs.
- Names, accounts and the key of the lab are the same on all hosts; what a host changes is its
  own.
"""

import os
import secrets
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.lab.namespaces import must, program
from tests.lab.topology import Topology

HERE = Path(__file__).parent
#: Folders of the machine that hosts find empty -> mode.
HIDDEN = {
    "root": 0o700, "home": 0o755, "tmp": 0o1777, "srv": 0o755, "mnt": 0o755, "media": 0o755,
    "var/tmp": 0o1777, "var/log": 0o755, "var/backups": 0o755, "var/mail": 0o755,
    "var/spool": 0o755, "var/www": 0o755, "var/cache": 0o755, "var/lib/postgresql": 0o755,
    "var/lib/knot": 0o755, "var/lib/docker": 0o700, "etc/ssh": 0o755, "etc/postgresql": 0o755,
    "etc/sudoers.d": 0o750, "etc/ssl/private": 0o700, "etc/lab": 0o755,
}  # fmt: skip
#: Accounts that services run as, made where the machine has none -> (number, home).
ACCOUNTS = {
    "postgres": (780, "/var/lib/postgresql"),
    "git": (781, "/srv/git"),
    "sshd": (782, "/"),
    "ops": (783, "/home/ops"),
}

_SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile /run/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
LogLevel VERBOSE
MaxStartups 200
AuthorizedKeysFile /etc/ssh/lab_key.pub .ssh/authorized_keys
Subsystem sftp internal-sftp
AcceptEnv LANG LC_*
"""
_SSH_CLIENT = """\
StrictHostKeyChecking yes
GlobalKnownHostsFile /etc/ssh/ssh_known_hosts
IdentityFile ~/.ssh/id_ed25519
BatchMode yes
"""


def search_path() -> str:
    """PATH on hosts: the usual one, and PostgreSQL's programs, which Debian keeps apart."""
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)[:1]
    usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return ":".join([usual, *map(str, postgres)])


def make_keys(folder: Path, topology: Topology) -> None:
    """The key that opens all hosts, and each host's own, in `folder`."""
    for name in ("key", *(f"host-{host.name}" for host in topology.hosts)):
        path = folder / name
        must([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)])


def known_hosts(folder: Path, topology: Topology) -> str:
    """Lines of known_hosts for all hosts, by name and by every address."""
    lines = []
    for host in topology.hosts:
        names = {host.name, host.name.split(".")[0]} if _lone(host.name, topology) else {host.name}
        addresses = {each for _, *both in host.links for each in both if each}
        key = " ".join((folder / f"host-{host.name}.pub").read_text().split()[:2])
        lines.append(f"{','.join(sorted(names | addresses))} {key}")
    return "\n".join(lines) + "\n"


def lay(layer: Path, keys: Path, topology: Topology) -> None:
    """Fill the layer; it must be empty, and on a file system that keeps `trusted.` attributes."""
    for name, mode in HIDDEN.items():
        path = layer / name
        path.mkdir(parents=True, exist_ok=True)
        os.setxattr(path, "trusted.overlay.opaque", b"y")
        path.chmod(mode)
    (layer / "var/log/nginx").mkdir()
    _mirror_modes(layer)
    _accounts(layer)
    _ssh(layer, keys, topology)
    _names(layer, topology)
    _programs(layer)


def own(upper: Path, name: str, key: Path) -> None:
    """What tells one host from all others: its name, its machine id, its key."""
    (upper / "etc/ssh").mkdir(parents=True)
    _write(upper / "etc/hostname", [name])
    _write(upper / "etc/machine-id", [secrets.token_hex(16)])
    _write(upper / "etc/ssh/ssh_host_ed25519_key", [key.read_text().strip()], 0o600)
    public = key.with_name(f"{key.name}.pub").read_text().strip()
    _write(upper / "etc/ssh/ssh_host_ed25519_key.pub", [public])


def kept_folders() -> list[str]:
    """Folders with programs inside hidden ones, which hosts see read-only: this Python, if so."""
    found = set()
    for prefix in {sys.base_prefix, sys.prefix, str(Path(sys.executable).resolve().parent)}:
        parts = Path(prefix).parts
        if len(parts) > 2 and parts[1] in {"root", "home", "srv", "mnt"}:
            # The whole of /root/.pyenv, /home/somebody/work: its links lead to other parts of it.
            found.add(str(Path(*parts[: 3 if parts[1] == "root" else 4])))
    return sorted(found)


def _mirror_modes(layer: Path) -> None:
    """Folders between hide nothing, so they have the rights that the machine's have."""
    for name in ("", "var", "var/lib", "etc", "etc/ssl", "usr", "usr/local", "usr/local/sbin"):
        path, real = layer / name, Path("/") / name
        path.mkdir(exist_ok=True)
        if real.is_dir():
            shutil.copystat(real, path)
            os.chown(path, real.stat().st_uid, real.stat().st_gid)


def _accounts(layer: Path) -> None:
    """Accounts of the machine and ours; nobody has a password, all may have keys."""
    people = Path("/etc/passwd").read_text("utf-8").splitlines()
    groups = Path("/etc/group").read_text("utf-8").splitlines()
    have = {line.split(":")[0] for line in people}
    for name, (number, home) in ACCOUNTS.items():
        if name not in have:
            people.append(f"{name}:x:{number}:{number}::{home}:/bin/sh")
            groups.append(f"{name}:x:{number}:")
    _write(layer / "etc/passwd", people)
    _write(layer / "etc/group", groups)
    # `!` would lock the account for sshd too.
    locked = [f"{line.split(':')[0]}:*:19000:0:99999:7:::" for line in people]
    _write(layer / "etc/shadow", locked, 0o600)
    for name in {"postgres", "git", "ops", "knot"} & {line.split(":")[0] for line in people}:
        uid, gid, home = _account(layer, name)
        (layer / home.lstrip("/")).mkdir(parents=True, exist_ok=True)
        os.chown(layer / home.lstrip("/"), uid, gid)


def _account(layer: Path, name: str) -> tuple[int, int, str]:
    """Number, group and home of an account."""
    lines = (layer / "etc/passwd").read_text("utf-8").splitlines()
    _, _, uid, gid, _, home, _ = next(ln for ln in lines if ln.startswith(f"{name}:")).split(":")
    return int(uid), int(gid), home


def _ssh(layer: Path, keys: Path, topology: Topology) -> None:
    etc = layer / "etc/ssh"
    setting = [f"SetEnv PATH={search_path()}", _SSHD]
    _write(etc / "sshd_config", ["Include /etc/ssh/sshd_config.d/*.conf", *setting])
    _write(etc / "ssh_config", [_SSH_CLIENT])
    _write(etc / "ssh_known_hosts", [known_hosts(keys, topology)])
    for account in ("root", "postgres", "git", "ops"):
        uid, gid, home = _account(layer, account)
        folder = layer / home.lstrip("/") / ".ssh"
        folder.mkdir(mode=0o700)
        _write(folder / "id_ed25519", [(keys / "key").read_text().strip()], 0o600)
        for each in (folder, folder / "id_ed25519"):
            os.chown(each, uid, gid)
    _write(etc / "lab_key.pub", [(keys / "key.pub").read_text().strip()])
    (etc / "sshd_config.d").mkdir()


def _names(layer: Path, topology: Topology) -> None:
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    for host in topology.hosts:
        short = f" {host.name.split('.')[0]}" if _lone(host.name, topology) else ""
        first = host.links[0]
        lines += [f"{address} {host.name}{short}" for address in first[1:] if address]
    _write(layer / "etc/hosts", lines)
    # Nobody outside the lab is asked for names.
    target = Path("/etc/resolv.conf").resolve()
    if target == Path("/etc/resolv.conf"):
        _write(layer / "etc/resolv.conf", [])
    else:
        path = layer / "etc/resolv.conf"
        path.unlink(missing_ok=True)
        _write(path, [])


def _lone(name: str, topology: Topology) -> bool:
    """Whether the first part of a name means one host."""
    first = name.partition(".")[0]
    return [host.name.split(".")[0] for host in topology.hosts].count(first) == 1


def _programs(layer: Path) -> None:
    sbin = layer / "usr/local/sbin"
    _write(sbin / "service", [(HERE / "service.sh").read_text().rstrip()], 0o755)
    _write(
        sbin / "reboot",
        ["#!/bin/sh", "# Ends everything; the lab starts it again.", "kill 1"],
        0o755,
    )
    _write(layer / "etc/lab/path", [search_path()])
    (layer / "etc/lab/services").mkdir()


def _write(path: Path, lines: Iterable[str], mode: int = 0o644) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    path.chmod(mode)

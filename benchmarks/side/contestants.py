"""Who is compared, and how each is told what to do.

Rules:
- All are used from outside, as processes; each keeps one connection a host for the whole work and
  is given the fastest form that its own documentation advises.
- drrun pins host keys and synchronises its journal; the others do neither.
- Each peer has an environment of its own, made by pip from the package's plain name.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.side.work import Step, Work
from benchmarks.side.world import World, program

_PEERS = Path(__file__).with_name("peers")


@dataclass(frozen=True)
class Launch:
    """A command line, and where it runs."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contestant:
    """Somebody who is compared."""

    name: str
    #: Writes files into the folder, and says what is to be started.
    prepare: Callable[[World, Work, Path], Launch]
    #: PyPI's name of what has to be installed.
    package: str = ""


def drrun(executable: Path) -> Contestant:
    """The drrun with that path."""
    return Contestant("drrun", lambda world, work, folder: _drrun(executable, world, work, folder))


def peers(cache: Path) -> list[Contestant]:
    """Everybody else, with environments below `cache`."""

    def script(name: str, file: str, package: str = "") -> Contestant:
        python = str(_python(cache, package)) if package else sys.executable

        def prepare(world: World, work: Work, folder: Path) -> Launch:
            return _script([python, str(_PEERS / file)], world, work, folder)

        return Contestant(name, prepare, package)

    def tool(name: str, package: str, write: "_Write", *words: str) -> Contestant:
        folder_of_programs = _python(cache, package).parent

        def prepare(world: World, work: Work, folder: Path) -> Launch:
            environment = write(world, work, folder)
            return Launch([str(folder_of_programs / words[0]), *words[1:]], folder, environment)

        return Contestant(name, prepare, package)

    playbook = ("ansible-playbook", "-i", "hosts.json", "work.json")
    deploy = ("pyinfra", "-y", "--no-wait", "inventory.py", "work.py")
    return [
        script("resident shell", "resident_shell.py"),
        script("ssh", "openssh.py"),
        script("ssh2-python", "with_ssh2_python.py", "ssh2-python"),
        script("paramiko", "with_paramiko.py", "paramiko"),
        script("asyncssh", "with_asyncssh.py", "asyncssh"),
        script("Fabric", "with_fabric.py", "fabric"),
        tool("pyinfra", "pyinfra", _pyinfra, *deploy),
        tool("ansible raw", "ansible-core", _ansible, *playbook),
    ]


def install(contestants: Sequence[Contestant], cache: Path) -> None:
    """Make the environments that are not there yet."""
    for each in contestants:
        python = _python(cache, each.package)
        if not each.package or python.with_name("complete").exists():
            continue
        print(f"installing {each.package} …", file=sys.stderr, flush=True)
        place = python.parents[1]
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        quiet = ("-q", "--disable-pip-version-check", "--no-input")
        command = [str(python), "-m", "pip", "install", *quiet, each.package]
        subprocess.run(command, check=True, timeout=600)
        python.with_name("complete").touch()


def version(contestant: Contestant, cache: Path) -> str:
    """Which version of its package is installed."""
    if not contestant.package:
        return ""
    ask = f"import importlib.metadata as m; print(m.version({contestant.package!r}))"
    command = [str(_python(cache, contestant.package)), "-c", ask]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _python(cache: Path, package: str) -> Path:
    return cache / package / "bin" / "python"


# -- drrun ---------------------------------------------------------------------------------------


def _drrun(executable: Path, world: World, work: Work, folder: Path) -> Launch:
    hosts = {
        host.name: {
            "user": world.user,
            "identity": str(world.identity),
            "host_key": world.host_key,
            "routes": [{"address": host.address, "port": host.port}],
        }
        for host in work.hosts
    }
    everywhere = {"fleet": {"hosts": list(hosts)}}
    steps = {step.id: _drrun_step(step) for step in work.steps}
    _write(folder / "inventory" / "hosts.yml", {"hosts": hosts, "groups": everywhere})
    _write(folder / "runbooks" / "work.yml", {"drrun": 1, "name": "work", "steps": steps})
    parallel = str(max(32, len(hosts)))
    words = ("run", "runbooks/work.yml", "--yes", "--no-input", "--plain")
    return Launch(
        [str(executable), *words, "--max-parallel", parallel], folder, drrun_environment(folder)
    )


def drrun_environment(folder: Path) -> dict[str, str]:
    """A drrun that knows nothing but what is in the folder."""
    return {
        "DRRUN_STATE": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "HOME": str(folder),
        "NO_COLOR": "1",
    }


def _drrun_step(step: Step) -> dict[str, object]:
    on = step.on[0] if len(step.on) == 1 else "fleet"
    made: dict[str, object] = {"run": step.command, "on": on, "needs": list(step.needs)}
    return made | ({"verify": {"run": step.verify}} if step.verify else {})


# -- peers ---------------------------------------------------------------------------------------

#: Writes what a tool reads, and returns what its environment needs.
_Write = Callable[[World, Work, Path], Mapping[str, str]]


def _script(command: Sequence[str], world: World, work: Work, folder: Path) -> Launch:
    document = {
        "user": world.user,
        "identity": str(world.identity),
        "keep_output": str(folder / "output") if work.keep_output else "",
        "lanes": work.lanes(),
    }
    return Launch([*command, str(_write(folder / "work.json", document))], folder)


def _commands(work: Work) -> list[str]:
    return [each for step in work.steps for each in (step.command, step.verify) if each]


def _pyinfra(world: World, work: Work, folder: Path) -> Mapping[str, str]:
    known = {
        "ssh_user": world.user,
        "ssh_key": str(world.identity),
        "ssh_config_file": "/dev/null",
        "ssh_known_hosts_file": "/dev/null",
        "ssh_strict_host_key_checking": "no",
    }
    hosts = [(host.address, {**known, "ssh_port": host.port}) for host in work.hosts]
    lines = ["from pyinfra.operations import server"]
    lines += [f"server.shell(name={str(n)!r}, commands=[{command!r}])"
              for n, command in enumerate(_commands(work))]  # fmt: skip
    (folder / "inventory.py").write_text(f"hosts = {hosts!r}\n", "utf-8")
    (folder / "work.py").write_text("\n".join(lines) + "\n", "utf-8")
    return {"HOME": str(folder)}


def _ansible(world: World, work: Work, folder: Path) -> Mapping[str, str]:
    hosts = {
        host.name: {"ansible_host": host.address, "ansible_port": host.port} for host in work.hosts
    }
    known = {
        "ansible_user": world.user,
        "ansible_ssh_private_key_file": str(world.identity),
        "ansible_ssh_executable": program("ssh"),
    }
    play = {
        "hosts": "all",
        "gather_facts": False,
        "strategy": "linear" if len(hosts) == 1 else "free",
        "tasks": [{"raw": command} for command in _commands(work)],
    }
    _write(folder / "hosts.json", {"all": {"hosts": hosts, "vars": known}})
    _write(folder / "work.json", [play])
    # More processes than that only wait for each other, and for memory.
    forks = min(len(hosts), 100)
    # Masters of connections end by themselves soon after the last use.
    shared = "-F /dev/null -o ControlMaster=auto -o ControlPersist=15s"
    return {
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_FORKS": str(forks),
        "ANSIBLE_TIMEOUT": "120",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_HOST_KEY_CHECKING": "0",
        "ANSIBLE_SSH_ARGS": f"{shared} -o UserKnownHostsFile=/dev/null",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "c"),
        "ANSIBLE_DISPLAY_OK_HOSTS": "0",
    }


def _write(path: Path, document: object) -> Path:
    """A JSON file, which is YAML too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1), "utf-8")
    return path


def environment_of(launch: Launch) -> dict[str, str]:
    """What a launched process finds in its environment."""
    return {**os.environ, **launch.environment}

"""What the user, the project and the machine want: flags, environment, files, defaults.

Rules:
- The first place that says something wins: flag, environment, `drrun.yaml` of the working folder,
  `$XDG_CONFIG_HOME/drrun/config.yaml` (contract section 4).
- Files are only read, and only if they exist. A setting that nobody knows is an error.
"""

import getpass
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding, InputError, Place
from drrun.core.model.values import Duration

V = TypeVar("V")
PROJECT_FILE = "drrun.yaml"
#: Name -> what it is for. Also `DRRUN_NAME` in the environment.
KNOWN: Mapping[str, str] = {
    "state": "where runs are kept: an SQLite file or a folder",
    "by": "who is acting; by default the user of the operating system",
    "inventory": "inventory files or folders",
    "max_parallel": "how many things are done at once",
    "linger": "how long to stay when only a person can go on, 30m",
    "no_input": "never ask at the terminal",
    "log": "file for drrun's own faults",
    "ssh_config": "another SSH configuration than the user's own",
    "fetch_into": "folders besides the runbook's own that files may be fetched into",
    "notify": "who is told of what, and how; only in files",
}

#: Settings that are several paths.
_LISTS = frozenset({"inventory", "fetch_into"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for one call of the command."""

    state: str
    by: str
    log: Path
    #: This user's key, by which drrun knows what it has kept for itself.
    key: Path
    inventory: tuple[Path, ...] = ()
    max_parallel: int | None = None
    #: Seconds; None: as the command thinks best.
    linger: Duration | None = None
    no_input: bool = False
    ssh_config: Path | None = None
    #: Folders besides the runbook's own that files may be fetched into.
    fetch_into: tuple[Path, ...] = ()
    #: Ways to reach people, as declared.
    notify: tuple[Mapping[str, Any], ...] = ()


def read_settings(
    flags: Mapping[str, Any], environment: Mapping[str, str], folder: Path
) -> Settings:
    """Put the settings together.

    Args:
        flags: Values given on the command line, by name; None: not given.
        environment: Of the process.
        folder: The working folder, where the project file is.

    Raises:
        InputError: A file or a variable says something that cannot be.
    """
    found, origin = _found(flags, environment, folder)

    def read(name: str, reader: Callable[[Any], V]) -> V:
        try:
            return reader(found.get(name))
        except ValueError as error:
            raise InputError(f"{origin[name]}: {error}") from None

    home = state_home(environment)
    return Settings(
        state=str(found.get("state") or home / "state.db"),
        by=str(found.get("by") or _user()),
        log=Path(found.get("log") or home / "drrun.log"),
        key=home / "key",
        inventory=tuple(Path(each) for each in _listed(found.get("inventory", ()))),
        max_parallel=read("max_parallel", _count),
        linger=read("linger", _duration),
        no_input=read("no_input", _truth),
        ssh_config=Path(found["ssh_config"]) if "ssh_config" in found else None,
        fetch_into=tuple(Path(each) for each in _listed(found.get("fetch_into", ()))),
        notify=read("notify", _ways),
    )


def _found(
    flags: Mapping[str, Any], environment: Mapping[str, str], folder: Path
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """The settings that somebody made, and where: as the author of each calls that."""
    found: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for path, level in reversed(list(_of_files(environment, folder))):
        found |= level
        origin |= {name: f"{path}: {name}" for name in level}
    of_environment = _of_environment(environment)
    given = {name: value for name, value in flags.items() if value not in (None, (), "")}
    origin |= {name: f"DRRUN_{name.upper()}" for name in of_environment}
    origin |= {name: f"--{name.replace('_', '-')}" for name in given}
    return found | of_environment | given, origin


def state_home(environment: Mapping[str, str]) -> Path:
    """The folder for what drrun keeps of one user, `$XDG_STATE_HOME/drrun`."""
    return _xdg(environment, "XDG_STATE_HOME", ".local/state")


def _xdg(environment: Mapping[str, str], name: str, default: str) -> Path:
    folder = environment.get(name, "")
    # The specification wants relative paths ignored.
    base = Path(folder) if Path(folder).is_absolute() else Path("~").expanduser() / default
    return base / "drrun"


def _of_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in (each for each in KNOWN if each != "notify"):
        value = environment.get(f"DRRUN_{name.upper()}", "")
        if value:
            found[name] = value.split(os.pathsep) if name in _LISTS else value
    return found


def _of_files(
    environment: Mapping[str, str], folder: Path
) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in (
        folder / PROJECT_FILE,
        _xdg(environment, "XDG_CONFIG_HOME", ".config") / "config.yaml",
    ):
        yield path, _read(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise InputError([Finding(Place(str(path)), error.strerror or "unreadable")]) from None
    # The readers of YAML cost more than everything else that `--help` needs.
    from drrun.core.nearest import did_you_mean
    from drrun.files.yaml.written import Table, plain_value
    from drrun.files.yaml.yaml_reader import read_yaml

    written, findings = read_yaml(raw, str(path))
    if not findings and not isinstance(written, Table):
        findings = [Finding(Place(str(path), 1, 1), "must be a mapping of settings")]
    if not isinstance(written, Table) or findings:
        raise InputError(findings)
    for name, entry in written.entries.items():
        if name not in KNOWN:
            place = Place(str(path), entry.key.line, entry.key.column)
            hint = did_you_mean(name, KNOWN)
            findings.append(Finding(place, f"unknown setting {name!r}{hint}"))
    if findings:
        raise InputError(findings)
    return _beside(plain_value(written), path.parent)


def _beside(found: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Paths in a file are meant from where the file is."""
    for name in _LISTS & found.keys():
        found[name] = [str(folder / Path(each).expanduser()) for each in _listed(found[name])]
    for name in ("state", "log", "ssh_config"):
        if name in found and "://" not in str(found[name]):
            found[name] = str(folder / Path(str(found[name])).expanduser())
    for way in found.get("notify") or ():
        for name in ("status_text", "template"):
            if isinstance(way, dict) and name in way:
                way[name] = str(folder / Path(str(way[name])).expanduser())
    return {name: value for name, value in found.items() if value is not None}


def _ways(value: Any) -> tuple[Mapping[str, Any], ...]:
    ways = [value] if isinstance(value, Mapping) else value or ()
    if not isinstance(ways, list | tuple) or not all(isinstance(way, Mapping) for way in ways):
        raise ValueError("must be a list of ways: {webhook: URL}, {email: ADDRESS}, …")
    return tuple(ways)


def _listed(value: Any) -> list[str]:
    return [str(value)] if isinstance(value, str | Path) else [str(each) for each in value]


def _count(value: Any) -> int | None:
    if value is None:
        return None
    try:
        count = int(str(value))
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(f"must be a number from 1, not {str(value)!r}")
    return count


def _duration(value: Any) -> Duration | None:
    if value is None or isinstance(value, Duration):
        return value
    return Duration.parse(str(value))


def _truth(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    text = str(value).lower()
    if text in {"1", "true", "yes"}:
        return True
    if text in {"0", "false", "no"}:
        return False
    raise ValueError(f"must be true or false, not {str(value)!r}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return f"uid-{os.getuid()}"

"""Files on the controller that actions send."""

from pathlib import Path

from drrun.core.errors import InputError
from drrun.engine.ports import AttemptOrder

#: A file travels in one piece, in memory; for more there is rsync.
LARGEST = 256 << 20


def read_source(order: AttemptOrder) -> bytes:
    """The file that an action's `source` names, relative to the runbook's folder.

    Raises:
        InputError: It is not there, too large, or a relative path that leaves the folder
            (FAULTS 17).
    """
    written = str(order.arguments["source"])
    path = (order.folder / Path(written).expanduser()).resolve()
    inside = path.is_relative_to(order.folder.resolve())
    if not inside and not Path(written).expanduser().is_absolute():
        raise InputError(f"{written} leads out of the runbook's folder; give an absolute path")
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST >> 20} MiB; use rsync")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None

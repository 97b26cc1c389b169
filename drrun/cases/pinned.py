"""A plan in a file: reviewed today, executed exactly so another day, or not at all.

Rules:
- The file holds the documents that the plan follows from, with the choices and learned estimates
  among them, and the hashes of local files that its steps send.
- It is not executed once a file that it was made from reads otherwise; the difference is shown. A
  file that is gone is no obstacle, as for a run: the laptop on which it was made may be lost.
- A file that was altered or cut short is refused.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from drrun.cases.edited_files import changes
from drrun.cases.load_plan import PINNED_KEY, LoadedPlan, first_plan_of, sent_files
from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import canonical
from drrun.core.model.errors import InputError
from drrun.ports.journal import Document

_VERSION = 1
#: No runbook begins like this.
_BEGINS = f'{{\n "{PINNED_KEY}": '.encode()


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a file pins."""

    made_at: float
    by: str
    #: Folder in which it was made; paths of documents are relative to it.
    folder: Path
    documents: tuple[Document, ...]
    #: Hash of each local file that is sent.
    sent: Mapping[str, str]


def pin(loaded: LoadedPlan, folder: Path, by: str, now: float) -> str:
    """The text of the file for a plan.

    Args:
        loaded: The plan.
        folder: The working folder.
        by: Who makes it.
        now: Seconds since the epoch.

    Raises:
        InputError: A file that is to be sent cannot be read.
    """
    body: dict[str, Any] = {
        PINNED_KEY: _VERSION,
        "runbook": loaded.plan.runbook.name,
        "made_at": now,
        "by": by,
        "folder": str(folder),
        "sent": {str(path): _hash(path) for path in sent_files(loaded)},
        "documents": [asdict(each) for each in loaded.documents],
    }
    return json.dumps({**body, "sha256": _sum(body)}, indent=1) + "\n"


def read_pinned(path: Path) -> Pinned | None:
    """What a file pins; None if it is something else, a runbook.

    Raises:
        InputError: It was altered, cut short, or made by a newer drrun.
    """
    try:
        raw = path.read_bytes()
    except OSError:
        return None  # whoever wants it as a runbook says why
    if not raw.startswith(_BEGINS):
        return None
    body = _whole(raw)
    if body is None:
        raise InputError(f"{path}: this pinned plan was altered or cut short; pin it anew")
    if body[PINNED_KEY] != _VERSION:
        raise InputError(f"{path}: this pinned plan was made by a newer drrun")
    try:
        return Pinned(
            float(body["made_at"]),
            str(body["by"]),
            Path(body["folder"]),
            tuple(Document(**each) for each in body["documents"]),
            dict(body["sent"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: this pinned plan holds no plan ({error!r})") from None


def _whole(raw: bytes) -> dict[str, Any] | None:
    """The content of a file that is as it was written."""
    try:
        body: dict[str, Any] = json.loads(raw)
        return body if body.pop("sha256") == _sum(body) else None
    except (ValueError, KeyError):
        return None


def unpinned(pinned: Pinned, path: Path) -> LoadedPlan:
    """The plan, if everything still is as it was.

    Raises:
        InputError: Files changed since; shows the difference.
    """
    # Seen from here: a run keeps these paths, and looks there again when it is resumed.
    elsewhere = pinned.folder != Path.cwd()
    there = tuple(
        replace(each, path=str(pinned.folder / each.path)) if each.path and elsewhere else each
        for each in pinned.documents
    )
    differs = changes(there) + "".join(_sent_otherwise(pinned.sent))
    if differs:
        raise InputError(
            f"files changed since {path} was made:\n{differs}\n"
            "Look at it, then pin the plan anew: drrun plan RUNBOOK -o FILE"
        )
    try:
        return first_plan_of(there)
    except (KeyError, StopIteration, TypeError, AttributeError) as error:
        raise InputError(f"{path}: this pinned plan holds no plan ({error!r})") from None


def _sent_otherwise(sent: Mapping[str, str]) -> Iterator[str]:
    for name, digest in sent.items():
        path = Path(name)
        if path.exists() and _hash(path) != digest:
            yield f"{name}: a file that is sent to hosts, it had the SHA-256 {digest}\n"


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def _sum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(body).encode()).hexdigest()

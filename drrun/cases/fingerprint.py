"""What runbook and inventory are, in one hash."""

import hashlib
from collections.abc import Iterable

from drrun.ports.journal import Document


def is_file(document: Document) -> bool:
    """Whether a document is somebody's file, and not what was chosen for a run."""
    return document.kind in ("runbook", "inventory") or document.kind.startswith("part:")


def fingerprint(documents: Iterable[Document]) -> str:
    """The same for the same files, whatever was chosen for a run."""
    parts = sorted((each.kind, each.sha256) for each in documents if is_file(each))
    return hashlib.sha256(repr(parts).encode()).hexdigest()

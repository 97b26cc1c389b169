"""A run as one archive, and back: journal, outputs, what it was pinned to, evidence, hashes.

Rules:
- The archive holds its own SHA-256 sums, and the journal in it is checked as in a state folder:
  whoever has the head hash can tell that nothing was altered (contract guarantee 7).
- Reading one believes nothing: names that are not ours, sums that do not fit and sizes beyond
  `LARGEST` are refused before anything is written.
- The same run gives the same bytes.
"""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from drrun import __version__
from drrun.cases.fingerprint import fingerprint
from drrun.cases.output_integrity import refuse_altered
from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import canonical
from drrun.core.integrity.flaws import inspect, told
from drrun.core.model.errors import InputError, JournalDamaged, Refused
from drrun.core.model.ids import RunId
from drrun.engine.records import Records
from drrun.engine.sealing import born
from drrun.ports.journal import EVIDENCE_HASH, Document, Entry, RunRecord

FORMAT = 1
#: Bytes of one file of an archive that is read.
LARGEST = 2 * 1024**3
#: A file that somebody gave, as the journal names it.
#: Names that an archive may hold.
_NAMES = re.compile(
    r"run\.json|documents\.json|entries\.ndjson|outputs/[^/]+/[^/]+|evidence/[0-9a-f]{64}"
)
_SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive says, checked."""

    record: RunRecord
    documents: tuple[Document, ...]
    entries: tuple[Entry, ...]
    #: Name -> content of outputs and evidence.
    files: Mapping[str, bytes]

    @property
    def head(self) -> str:
        """The hash that the journal ends with."""
        return self.entries[-1].hash if self.entries else born(self.record, self.documents).hash


def export(records: Records, run: RunId, to: Path) -> str:
    """Write a run to an archive; the hash of its journal's end.

    Raises:
        Refused: There is no such run.
        JournalDamaged: It is not what was written, or what its steps printed is not.
        InputError: The archive cannot be written.
    """
    head = records.journal.verify(run)
    refuse_altered(records, run)
    try:
        with to.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
            _write(records, run, packed)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise InputError(f"{to}: {reason}") from None
    return head


def _write(records: Records, run: RunId, to: gzip.GzipFile) -> None:
    sums = []
    with tarfile.open(fileobj=to, mode="w") as tar:
        for name, content in _files(records, run):
            sums.append(f"{sha256(content).hexdigest()}  {name}\n")
            _add(tar, name, content)
        _add(tar, _SUMS, "".join(sums).encode())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    tar.addfile(info, io.BytesIO(content))


def _files(records: Records, run: RunId) -> Iterator[tuple[str, bytes]]:
    record = next(each for each in records.journal.runs() if each.id == run)
    documents = records.journal.documents(run)
    yield "run.json", _json({"format": FORMAT, "drrun": __version__,
                             "fingerprint": fingerprint(documents), **asdict(record)})  # fmt: skip
    yield "documents.json", _json([asdict(each) for each in documents])
    lines, named = [], set[str]()
    for entry in records.journal.read(run):
        body = canonical(asdict(entry))
        named |= set(EVIDENCE_HASH.findall(body))
        lines.append(f"{body}\n")
    yield "entries.ndjson", "".join(lines).encode()
    folder = records.shelf.outputs(run) if records.shelf else Path("/nowhere")
    for path in sorted(folder.glob("*/*")):
        yield f"outputs/{path.parent.name}/{path.name}", path.read_bytes()
    for digest in sorted(named):
        if records.evidence is not None:
            yield f"evidence/{digest}", records.evidence.path(digest).read_bytes()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def read_archive(path: Path) -> Archive:
    """Read an archive, and check all of it.

    Raises:
        InputError: It is none, or holds what no archive holds.
        JournalDamaged: A sum or the chain does not fit.
    """
    try:
        with tarfile.open(path, "r:gz") as tar:
            content = dict(_contents(tar))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path} is not an archive of a run: {reason}") from None
    except (tarfile.TarError, EOFError) as error:
        raise InputError(f"{path} is not an archive of a run: {error}") from None
    _check_sums(path, content)
    try:
        archive = _parsed(content)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalDamaged(f"{path}: it cannot be read ({error})") from None
    if flaws := inspect(archive.entries, born(archive.record, archive.documents)).flaws:
        raise JournalDamaged(f"{path}: {told(flaws)}")
    for document in archive.documents:
        raw = document.content.encode("utf-8", "surrogateescape")
        if sha256(raw).hexdigest() != document.sha256:
            raise JournalDamaged(f"{path}: {document.kind} {document.path} was altered")
    return archive


def _contents(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in tar:
        known = member.name == _SUMS or _NAMES.fullmatch(member.name)
        if not member.isreg() or not known or ".." in PurePosixPath(member.name).parts:
            raise tarfile.TarError(f"it holds {member.name!r}")
        if member.size > LARGEST:
            raise tarfile.TarError(f"{member.name} is larger than {LARGEST} bytes")
        file = tar.extractfile(member)
        yield member.name, file.read() if file else b""


def _check_sums(path: Path, content: dict[str, bytes]) -> None:
    lines = content.pop(_SUMS, b"").decode("utf-8", "replace").splitlines()
    wanted = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name, data in content.items():
        if wanted.pop(name, "") != sha256(data).hexdigest():
            raise JournalDamaged(f"{path}: {name} was altered")
    if wanted:
        raise JournalDamaged(f"{path}: {', '.join(sorted(wanted))} is missing")


def _parsed(content: dict[str, bytes]) -> Archive:
    told = json.loads(content.pop("run.json"))
    if told.get("format") != FORMAT:
        raise ValueError(f"format {told.get('format')}, this drrun reads {FORMAT}")
    record = RunRecord(
        **{name: told[name] for name in RunRecord.__slots__ if name != "services"},
        services=tuple(told["services"]),
    )
    documents = tuple(Document(**each) for each in json.loads(content.pop("documents.json")))
    lines = content.pop("entries.ndjson").decode().splitlines()
    entries = tuple(Entry(**json.loads(line)) for line in lines)
    return Archive(record, documents, entries, content)


def take_in(records: Records, archive: Archive) -> RunId:
    """Enter the run of an archive.

    Raises:
        Refused: It is here already, or this state cannot take it.
    """
    if records.shelf is None:
        raise Refused("this state cannot import archives")
    run = archive.record.id
    records.shelf.take_in(archive.record, archive.documents, archive.entries)
    folder = records.shelf.outputs(run)
    for name, data in archive.files.items():
        kind, _, rest = name.partition("/")
        if kind == "outputs":
            records.shelf.put(folder / rest, data)
        elif records.evidence is not None:
            records.shelf.put(folder.parent.parent / "evidence" / rest, data)
    return run

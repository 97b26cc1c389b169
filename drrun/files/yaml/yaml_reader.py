"""YAML text to a tree of what was written, hardened against traps and bombs.

Rules:
- The tree is built from parser events in a loop, not by PyYAML's recursive composer: limits
  apply while reading, so that a bomb costs what was read until then (fault F11).
- Refused, each with its place: tags, merge keys, duplicate keys, keys that are no words, aliases
  inside their own anchor, too much nesting or aliasing, a second document (faults F2 and F10
  to F13).
- A tab is refused where YAML refuses it, in indentation, and is named; inside text it is text.
"""

from dataclasses import field
from typing import Any, Final

import yaml

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding, Place
from drrun.files.yaml.characters import decode, forbidden
from drrun.files.yaml.written import Listing, Scalar, Table, TableItem, Written

#: Nested levels; a runbook needs about eight.
DEEPEST: Final = 50
#: Scalars, lists and mappings in one file, those repeated by aliases included.
MOST: Final = 800_000
#: Parts that aliases may repeat, and anchors in one file.
MOST_REPEATED: Final = 20_000
MOST_ANCHORS: Final = 1_000

_ENDS: Final = frozenset({yaml.MappingEndEvent, yaml.SequenceEndEvent})
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Refused(Exception):
    """The file breaks a rule that makes reading on pointless."""

    def __init__(self, mark: Any, message: str) -> None:
        super().__init__(message)
        self.mark = mark


def read_yaml(raw: bytes | str, file: str) -> tuple[Written | None, list[Finding]]:
    """Read one YAML document.

    Returns:
        The tree (None if there is none) and what is wrong. Duplicate and merge keys are findings
        beside a tree; everything else that is wrong ends the reading.
    """
    text, findings = decode(raw, file)
    if findings:
        return None, findings
    builder = _Builder(file)
    try:
        loader = _LOADER(text)
        # Asked one by one, which costs half of what `yaml.parse` does.
        while not builder.is_complete:
            builder.take(loader.get_event())
    except _Refused as refused:
        place = Place(file, refused.mark.line + 1, refused.mark.column + 1)
        return None, [*builder.findings, Finding(place, str(refused))]
    except yaml.YAMLError as error:
        return None, [*builder.findings, _not_yaml(error, text, file)]
    if builder.root is None and not builder.findings:
        builder.findings.append(Finding(Place(file, 1, 1), "is empty: nothing is written in it"))
    return builder.root, builder.findings


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    mark: Any
    anchor: str | None
    count_before: int
    #: None for a list.
    entries: dict[str, TableItem] | None = None
    items: list[Written] = field(default_factory=list)
    key: Scalar | None = None
    height: int = 1


@dataclass(slots=True)
class _Anchored:
    """What an alias repeats: the part, how many parts it consists of, how deep it is."""

    written: Written
    count: int
    height: int


class _Builder:
    """Turns events into the tree."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Written | None = None
        self.findings: list[Finding] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        #: Nothing comes any more.
        self.is_complete = False
        self._documents = 0
        self._count = 0
        self._repeated = 0

    def take(self, event: Any) -> None:
        """Account for one event.

        Raises:
            _Refused: Reading on is pointless.
        """
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._take_scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._begin(event, {})
        elif kind is yaml.SequenceStartEvent:
            self._begin(event, None)
        elif kind in _ENDS:
            self._end()
        elif kind is yaml.AliasEvent:
            self._take_alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                raise _Refused(
                    event.start_mark, "a second document begins here: one file, one document"
                )
        elif kind is yaml.StreamEndEvent:
            self.is_complete = True

    def _take_scalar(self, event: Any) -> None:
        self._count_one(event)
        mark, plain = event.start_mark, event.style is None or not event.style
        if not plain and event.style == '"' and (hidden := forbidden(event.value)):
            raise _Refused(mark, hidden[1])  # hidden behind an escape like "\0"
        scalar = Scalar(event.value, plain, mark.line + 1, mark.column + 1)
        if event.anchor:
            self._remember(event, _Anchored(scalar, 1, 1))
        self._place(scalar, 1, event)

    def _begin(self, event: Any, entries: dict[str, TableItem] | None) -> None:
        self._count_one(event)
        if len(self._open) >= DEEPEST:
            raise _Refused(event.start_mark, f"nested more than {DEEPEST} levels deep")
        if event.anchor:
            self._remember(event, None)
        self._refuse_as_key(event)
        self._open.append(_Open(event.start_mark, event.anchor, self._count - 1, entries))

    def _end(self) -> None:
        ended = self._open.pop()
        line, column = ended.mark.line + 1, ended.mark.column + 1
        written: Written
        if ended.entries is None:
            written = Listing(ended.items, line, column)
        else:
            written = Table(ended.entries, line, column)
        if ended.anchor:
            count = self._count - ended.count_before
            self._anchors[ended.anchor] = _Anchored(written, count, ended.height)
        self._place(written, ended.height, None)

    def _take_alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise _Refused(event.start_mark, f"no anchor '&{event.anchor}' is defined above")
        known = self._anchors[event.anchor]
        if known is None:
            raise _Refused(event.start_mark, f"'*{event.anchor}' is inside its own anchor")
        self._repeated += known.count
        self._count += known.count
        if self._repeated > MOST_REPEATED or self._count > MOST:
            raise _Refused(event.start_mark, f"aliases repeat more than {MOST_REPEATED} parts")
        if len(self._open) + known.height > DEEPEST:
            raise _Refused(event.start_mark, f"aliases nest more than {DEEPEST} levels deep")
        self._place(known.written, known.height, event)

    def _count_one(self, event: Any) -> None:
        self._count += 1
        if self._count > MOST:
            raise _Refused(event.start_mark, f"more than {MOST} parts: split the file")
        if event.tag is not None:
            raise _Refused(event.start_mark, f"tag '{event.tag}' is not allowed: write plain YAML")

    def _remember(self, event: Any, anchored: _Anchored | None) -> None:
        if len(self._anchors) >= MOST_ANCHORS:
            raise _Refused(event.start_mark, f"more than {MOST_ANCHORS} anchors")
        self._anchors[event.anchor] = anchored

    def _refuse_as_key(self, event: Any) -> None:
        around = self._open[-1] if self._open else None
        if around is not None and around.entries is not None and around.key is None:
            raise _Refused(
                event.start_mark,
                "a key must be a word; to begin a text with '{{', put it into quotes",
            )

    def _place(self, written: Written, height: int, event: Any) -> None:
        if not self._open:
            self.root = written
            return
        around = self._open[-1]
        if around.height <= height:
            around.height = height + 1
        if around.entries is None:
            around.items.append(written)
        elif around.key is None:
            if not isinstance(written, Scalar):
                raise _Refused(event.start_mark, "a key must be a word")
            around.key = written
        else:
            self._enter(around.entries, TableItem(around.key, written))
            around.key = None

    def _enter(self, entries: dict[str, TableItem], entry: TableItem) -> None:
        name, key = entry.key.text, entry.key
        if name not in entries and name != "<<":
            entries[name] = entry
            return
        place = Place(self.file, key.line, key.column)
        if name == "<<" and key.plain:
            self.findings.append(Finding(place, "merge keys ('<<') are not allowed: use defaults"))
        elif name in entries:
            first = entries[name].key.line
            message = f"'{name}' is written twice: here and in line {first}"
            self.findings.append(Finding(place, message, code="duplicate-key"))
        else:
            entries[name] = entry


def _not_yaml(error: yaml.YAMLError, text: str, file: str) -> Finding:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark is None:
        return Finding(Place(file, 1, 1), f"is not YAML: {problem}")
    place = Place(file, mark.line + 1, mark.column + 1)
    lines = text.split("\n", mark.line + 1)
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or line[mark.column :].startswith("\t"):
        return Finding(place, f"line {place.line} is indented with a tab: use spaces", code="tab")
    context = getattr(error, "context", None)
    return Finding(place, f"is not YAML: {problem}" + (f" ({context})" if context else ""))

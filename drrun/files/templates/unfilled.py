"""Braces in texts that nobody fills in: people would read them as they are written.

Rules:
- What is filled in is what `templated` lists; every other text with braces is refused, so that no
  text is ever printed with a template in it.
- A pattern is no text: its braces count. Braces in a title or a description are a warning only.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from drrun.core.model.actions import ManualAction
from drrun.core.model.errors import Finding, Place, Severity
from drrun.core.model.ids import StepId
from drrun.core.model.probes import Probe
from drrun.core.model.runbook import Step
from drrun.files.templates.templated import templated_of
from drrun.files.templates.templating import has_template
from drrun.files.yaml.written import Listing, Scalar, Table, Written

#: Keys that `templated` lists under another one.
_LISTED_AS: Final = {"become": "env", "chdir": "env", "stdin": "env"}
_PATTERNS: Final = ("regex",)
_HEADINGS: Final = ("title", "description")
#: Whose templates are those of the steps that use them.
_SHARED: Final = ("probes", "defaults")


def find_unfilled(
    written: Table, steps: Mapping[StepId, Step], invariants: tuple[Probe, ...], file: str
) -> Iterator[Finding]:
    """Texts of a file with braces that are not filled in.

    Args:
        written: The file.
        steps: What was read of its steps.
        invariants: What was read of its invariants.
        file: Its name, for findings.
    """
    asked = Step(id=StepId("invariants"), action=ManualAction(""), verify=invariants)
    filled = {name: _filled(step) for name, step in steps.items()}
    anywhere = set(chain(*(texts for each in filled.values() for texts in each.values())))
    of_invariants = _filled(asked).get("verify", set())
    for path, scalar in _texts(written, ()):
        if path[0] == "steps" and len(path) > 2:
            known = filled.get(StepId(path[1]))
            if known is None or path[2] == "uses":
                continue  # the step could not be read, which is told
            texts = known.get(_LISTED_AS.get(path[2], path[2]), set())
        elif path[0] == "invariants":
            texts = of_invariants
        elif path[0] in _SHARED:
            texts = anywhere | of_invariants
        else:
            texts = set()
        if path[-1] not in _PATTERNS and not _is_among(scalar.text, texts):
            message = (
                f"{'.'.join(path)}: templates are not filled in here, and people would read the "
                "braces. Write the text without them"
            )
            # A heading with braces looks wrong, and acts on nothing.
            heading = path[-1] in _HEADINGS
            severity = Severity.WARNING if heading else Severity.ERROR
            yield Finding(Place(file, scalar.line, scalar.column), message, severity, "template")


def _filled(step: Step) -> dict[str, set[str]]:
    """The texts of a step that are filled in, by the key that they stand under."""
    found: dict[str, set[str]] = {}
    for each in templated_of(step):
        if has_template(each.text):
            found.setdefault(each.key, set()).add(each.text)
    return found


def _is_among(text: str, filled: set[str]) -> bool:
    """Whether a text, or the parts that it was taken apart into, are filled in."""
    return text in filled or any(part in text or text.strip() in part for part in filled)


def _texts(written: Written, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    """Every value with braces, and the keys that lead to it."""
    match written:
        case Scalar():
            if has_template(written.text):
                yield path, written
        case Listing():
            for item in written.items:
                yield from _texts(item, path)
        case Table():
            for name, entry in written.entries.items():
                yield from _texts(entry.value, (*path, name))

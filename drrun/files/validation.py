"""Validate: a runbook's text, and an inventory's, to a model and everything that is wrong.

Rules:
- All errors at once, in the order of the text: rules about names judge whatever could be read.
- Warnings can be waived in the runbook, with a reason; errors cannot.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from drrun.core.dataclass import dataclass
from drrun.core.garbage import without_collection
from drrun.core.model.errors import Finding, Place, Severity
from drrun.core.model.inventory import Inventory
from drrun.core.model.runbook import Runbook
from drrun.files.inventory.merge import read_inventory
from drrun.files.runbook.amendments import Amendment, amended
from drrun.files.runbook.piped_probes import find_piped
from drrun.files.runbook.references import find_dangling, find_unverified
from drrun.files.runbook.runbook_yaml import read_draft
from drrun.files.templates.template_lint import lint_templates


@dataclass(frozen=True, slots=True)
class Validated:
    """What was read, and what is wrong with it."""

    #: None if anything is wrong with it.
    runbook: Runbook | None
    inventory: Inventory
    #: Errors and warnings, sorted by place.
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid a run."""
        return tuple(each for each in self.findings if each.severity is Severity.ERROR)


def validate(
    runbook_text: bytes | str,
    file: str,
    inventory_texts: Sequence[tuple[str, bytes]] | None = None,
    amendments: Sequence[Amendment] = (),
    *,
    judged: bool = False,
) -> Validated:
    """Read and judge a runbook.

    Args:
        runbook_text: Content of the runbook's file.
        file: Its name, for findings.
        inventory_texts: Name and content of the inventory's files; None: there is none, and
            nothing is said about hosts.
        amendments: Name and text of what was changed since, in order.
        judged: It was judged before, when its run began: only what cannot be read is a finding.
    """
    with without_collection():
        draft, findings = read_draft(runbook_text, file)
        if draft is not None and amendments:
            draft, wrong = amended(draft, runbook_text, amendments)
            findings += wrong
        inventory, found = read_inventory(inventory_texts or [])
        findings += found
        if draft is not None and not judged:
            known = inventory if inventory_texts is not None else None
            findings = _judged(draft, known, findings)
    findings = sorted(dict.fromkeys(findings), key=lambda finding: finding.place)
    sound = draft if not _errors(findings) else None
    return Validated(sound, inventory, tuple(findings))


def _judged(draft: Runbook, known: Inventory | None, findings: list[Finding]) -> list[Finding]:
    """The findings of reading, and what else is wrong; without what the runbook accepts."""
    findings += find_dangling(draft, known)
    findings += lint_templates(draft, known)
    findings += find_piped(draft)
    # A step that could not be read may have had a verify.
    if not _errors(findings):
        findings += find_unverified(draft)
    return _without_waived(findings, draft)


def _errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def _without_waived(findings: Iterable[Finding], runbook: Runbook) -> list[Finding]:
    """Leave out warnings that the runbook accepts."""
    if not runbook.waivers:
        return list(findings)
    starts = [(step.place, step.id) for step in runbook.steps.values()]
    starts.sort()

    def step_at(place: Place) -> str:
        number = bisect_right(starts, place, key=lambda start: start[0])
        return starts[number - 1][1] if number else ""

    def is_waived(finding: Finding) -> bool:
        return finding.severity is Severity.WARNING and any(
            waiver["rule"] == finding.code
            and ("steps" not in waiver or step_at(finding.place) in waiver["steps"])
            for waiver in runbook.waivers
        )

    return [finding for finding in findings if not is_waived(finding)]

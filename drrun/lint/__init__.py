"""What is allowed, and will hurt in the night when it is needed: found months before, from files.

Rules:
- One rule is one function of what was written to findings with its code; nothing is contacted.
- A finding says what is missing and what happens without it. Whoever accepts that writes a waiver
  with a reason; a waiver that is over is a finding again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from drrun.core.model.errors import Finding
from drrun.lint.coverage import expired_waivers, one_domain, uncovered, unrestored
from drrun.lint.rehearsing import manual_share, single_points, unrehearsed
from drrun.lint.structure import ungated, unowned, unraised, without_estimate, without_undo
from drrun.lint.subject import Subject
from drrun.lint.who_answers import few_approvers, no_alternate, overdue_contacts, single_channels

Rule = Callable[[Subject], Iterator[Finding]]

#: Code -> the rule. The codes are stable: people waive and search for them.
RULES: Final[Mapping[str, Rule]] = {
    "uncovered-store": uncovered,
    "shared-domain": one_domain,
    "unrestored-store": unrestored,
    "expired-waiver": expired_waivers,
    "unraised-service": unraised,
    "ungated-irreversible": ungated,
    "missing-owner": unowned,
    "missing-undo": without_undo,
    "missing-estimate": without_estimate,
    "few-approvers": few_approvers,
    "single-channel": single_channels,
    "overdue-contact": overdue_contacts,
    "no-alternate": no_alternate,
    "overdue-rehearsal": unrehearsed,
    "manual-share": manual_share,
    "single-point": single_points,
}


def lint(subject: Subject) -> list[Finding]:
    """Findings of all rules that nobody has waived in the runbook, for all steps or for one."""
    waivers = [each for each in subject.runbook.waivers if not subject.is_over(each)]
    step_at = {step.place: step.id for step in subject.runbook.steps.values()}
    return [
        finding
        for code, rule in RULES.items()
        for finding in rule(subject)
        if not any(
            waiver["rule"] == code
            and ("steps" not in waiver or step_at.get(finding.place) in waiver["steps"])
            for waiver in waivers
        )
    ]

"""What a runbook refers to must exist: steps, roles, locks, services, stores, hosts.

Rules:
- What only an inventory can tell is left out when there is none.
- Patterns with templates in them are judged when the plan is bound.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from drrun.core.model import graph
from drrun.core.model.actions import DecisionAction, UsesAction, changes
from drrun.core.model.errors import Finding, Place, Severity
from drrun.core.model.ids import StepId
from drrun.core.model.inventory import Inventory
from drrun.core.model.plan import hosts_matching
from drrun.core.model.probes import Probe
from drrun.core.model.runbook import Runbook, StandIn, Step
from drrun.core.nearest import did_you_mean, nearest
from drrun.files.templates.templating import has_template

#: Codes of the warnings that validation itself gives; lint adds its own.
WARNINGS: Final = (
    "missing-verify", "raw-filter", "unused-input", "unused-probe", "nested-shell", "piped-probe",
)  # fmt: skip
#: Codes of `drrun.lint`, which stands beside this package; a test keeps both the same.
LINT: Final = (
    "uncovered-store", "shared-domain", "unrestored-store", "expired-waiver", "unraised-service",
    "ungated-irreversible", "missing-owner", "missing-undo", "missing-estimate",
    "few-approvers", "single-channel", "overdue-contact", "no-alternate",
    "overdue-rehearsal", "manual-share", "single-point",
)  # fmt: skip
#: Suggestions cost time; nobody reads more than so many of them.
_SUGGESTIONS: Final = 200


def find_dangling(runbook: Runbook, inventory: Inventory | None = None) -> list[Finding]:
    """Everything that is referred to and does not exist, and circles of steps."""
    seeker = _Seeker(runbook, inventory)
    for step in runbook.steps.values():
        seeker.seek_needs(step)
        seeker.seek_stand_in(step)
        seeker.seek_names(step)
        seeker.seek_hosts(step)
    seeker.seek_header()
    return [*seeker.findings, *_circles(runbook)]


def find_unverified(runbook: Runbook) -> Iterator[Finding]:
    """Steps that change something and do not say how to tell that it worked (fault F22)."""
    for step in runbook.steps.values():
        if changes(step.action) and not step.verify:
            message = (
                f"steps.{step.id}: changes something and has no 'verify': nothing will tell"
                " whether it worked"
            )
            yield Finding(step.place, message, Severity.WARNING, "missing-verify")


def _circles(runbook: Runbook) -> Iterator[Finding]:
    for circle in graph.find_cycles(runbook.steps):
        # A step that needs itself is reported as that.
        if len(circle) > 2:
            first = runbook.steps[circle[0]]
            message = f"steps need each other in a circle: {' -> '.join(circle)}"
            yield Finding(first.places.get("needs", first.place), message, code="cycle")


class _Seeker:
    """Collects what is not there."""

    def __init__(self, runbook: Runbook, inventory: Inventory | None) -> None:
        self.findings: list[Finding] = []
        self._runbook = runbook
        self._inventory = inventory
        #: Pattern -> why it matches nothing, "" if it matches.
        self._patterns: dict[str, str] = {}

    def seek_needs(self, step: Step) -> None:
        """Steps that `step` needs."""
        for need in step.needs:
            for name in need.any_of:
                if name == step.id:
                    place = _place(step, "needs")
                    message = f"steps.{step.id}.needs: a step cannot need itself"
                    self.findings.append(Finding(place, message, code="cycle"))
                else:
                    self._seek("step", name, self._runbook.steps, step, "needs")

    def seek_stand_in(self, step: Step) -> None:
        """The step that makes `step` needless."""
        other, chain = step.superseded_by, [step.id]
        if not other:
            return
        self._seek("step", other, self._runbook.steps, step, "superseded_by")
        if any(need.any_of == (other,) for need in step.needs):
            why = f"it needs '{other}', so it could only begin to be skipped; drop one of both"
            self._wrong_stand_in(step, why)
        while other in self._runbook.steps and other not in chain:
            chain.append(StepId(other))
            other = self._runbook.steps[StepId(other)].superseded_by
        if other == step.id:
            self._wrong_stand_in(step, f"goes in a circle: {' -> '.join((*chain, other))}")

    def _wrong_stand_in(self, step: Step, why: str) -> None:
        message = f"steps.{step.id}.superseded_by: {why}"
        self.findings.append(Finding(_place(step, "superseded_by"), message))

    def seek_names(self, step: Step) -> None:
        """Roles, locks, services and stores that `step` names."""
        runbook = self._runbook
        for key, role in _roles(step):
            self._seek("role", role, runbook.roles, step, key)
        for lock in step.locks:
            self._seek("lock", lock, runbook.locks, step, "locks")
        for service in step.raises:
            self._seek("service", service, runbook.services, step, "raises")
        if self._inventory is not None:
            for store in step.restores:
                self._seek("store", store, self._inventory.stores, step, "restores")
        if runbook.variants:
            for variant in step.variants or ():
                self._seek("variant", variant, runbook.variants, step, "variants")

    def seek_hosts(self, step: Step) -> None:
        """Hosts, groups and sites that `step` and its probes act on."""
        for pattern in step.on:
            self._seek_pattern(pattern, _place(step, "on"), f"steps.{step.id}.on")
        for key, probe in probes_of(step):
            for pattern in probe.on or ():
                self._seek_pattern(pattern, probe.place, f"steps.{step.id}.{key}.on")

    def seek_header(self) -> None:
        """What services, invariants and waivers name."""
        runbook = self._runbook
        for service in runbook.services.values():
            for store in service.stores:
                if self._inventory is not None and store not in self._inventory.stores:
                    where = f"services.{service.name}.stores"
                    known = self._inventory.stores
                    self._note("store", store, known, service.place, where)
        for probe in runbook.invariants:
            for pattern in probe.on or ():
                self._seek_pattern(pattern, probe.place, "invariants.on")
            for key, step in (("since", probe.since), ("until", probe.until)):
                if step and step not in runbook.steps:
                    self._note("step", step, runbook.steps, probe.place, f"invariants.{key}")
        for waiver in runbook.waivers:
            self._seek_waiver(waiver["rule"], waiver.get("steps", ()), waiver["place"])

    def _seek_waiver(self, rule: str, steps: Iterable[str], place: Place) -> None:
        known = (*WARNINGS, *LINT)
        meant = nearest(rule, known)
        if rule not in known and meant is not None:
            message = f"waivers: unknown rule '{rule}'; did you mean '{meant}'?"
            self.findings.append(Finding(place, message, Severity.WARNING, "unknown-waiver"))
        for name in steps:
            if name not in self._runbook.steps:
                self._note("step", name, self._runbook.steps, place, "waivers")

    def _seek(self, kind: str, name: str, known: Iterable[str], step: Step, key: str) -> None:
        if name not in known:
            self._note(kind, name, known, _place(step, key), f"steps.{step.id}.{key}")

    def _note(self, kind: str, name: str, known: Iterable[str], place: Place, where: str) -> None:
        hint = did_you_mean(name, known) if len(self.findings) < _SUGGESTIONS else ""
        message = f"{where}: unknown {kind} '{name}'{hint}"
        self.findings.append(Finding(place, message, code=f"unknown-{kind}"))

    def _seek_pattern(self, pattern: str, place: Place, where: str) -> None:
        if self._inventory is None or has_template(pattern):
            return
        if pattern not in self._patterns:
            self._patterns[pattern] = self._why_unmatched(pattern, self._inventory)
        why = self._patterns[pattern]
        if why:
            self.findings.append(Finding(place, f"{where}: {why}", code="unknown-host"))

    def _why_unmatched(self, pattern: str, inventory: Inventory) -> str:
        _, unmatched = hosts_matching([pattern], inventory)
        name = pattern.removeprefix("!")
        site = name.removeprefix("site:")
        if not unmatched:
            return ""
        if site != name:
            if site in inventory.sites:
                return f"site '{site}' has no host"
            return f"unknown site '{site}'{did_you_mean(site, inventory.sites)}"
        if name in inventory.groups:
            return f"group '{name}' is empty"
        if any(character in name for character in "*?["):
            return f"'{name}' matches no host"
        known = (*inventory.hosts, *inventory.groups, "local")
        return f"no host or group '{name}'{did_you_mean(name, known)}"


def _place(step: Step, key: str) -> Place:
    return step.places.get(key, step.place)


def _roles(step: Step) -> Iterator[tuple[str, str]]:
    if step.owner:
        yield "owner", step.owner
    if step.approval is not None:
        yield "approval", str(step.approval["role"])
    if isinstance(step.action, DecisionAction) and step.action.authority:
        yield "decision", step.action.authority


def probes_of(step: Step) -> Iterator[tuple[str, Probe]]:
    """All probes of a step, each with the key that it stands under."""
    for key in ("guard", "done_when", "verify", "watch"):
        for probe in getattr(step, key):
            yield key, probe
    if isinstance(step.action, UsesAction):
        for value in step.action.arguments.values():
            for probe in value if isinstance(value, tuple) else (value,):
                if isinstance(probe, Probe):
                    yield "with", probe
    for key in ("undo", "dry_run", "when_lost"):
        other = getattr(step, key)
        if isinstance(other, StandIn):
            for probe in other.verify:
                yield key, probe

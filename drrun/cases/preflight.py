"""Measures what a run will need: hosts by every route, logins, tools, clocks, backups.

Rules:
- Only reads, over channels that leave nothing behind (contract guarantee 11).
- Hosts are checked in parallel. One that does not answer does not shorten another's time limit.
- The result names every shortfall, not only the first.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from threading import Event
from typing import assert_never

from drrun.builtin.actions.syncing import look_between
from drrun.cases.fingerprint import fingerprint
from drrun.cases.load_plan import LoadedPlan
from drrun.cases.preflight_check import Check
from drrun.cases.ttls import ttls
from drrun.core.dataclass import dataclass
from drrun.core.model.actions import RunAction, UsesAction
from drrun.core.model.errors import DrrunError, InputError
from drrun.core.model.execution import Execution
from drrun.core.model.inventory import Backup, Host, Route, Store
from drrun.core.model.outcomes import (
    Ended,
    NeverStarted,
    Outcome,
    OutcomeUnknown,
    RefusedByHost,
    Stopped,
    TimedOut,
)
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Step
from drrun.core.model.values import Duration, Size
from drrun.core.state.clocks import MAY_DIFFER
from drrun.engine.records import Records
from drrun.files.templates.templating import Templates
from drrun.ports.clock import Clock
from drrun.ports.credentials import Secrets
from drrun.ports.journal import PreflightRecord
from drrun.ports.places import Output, Prober, Remote, Script

#: The line in which ssh or rsync names a cause, among others that only warn or follow from it.
_CAUSE = re.compile(
    r"^.*(?:denied|failed|refused|could not resolve|timed out|unreachable|not found|no such).*$",
    re.IGNORECASE | re.MULTILINE,
)
#: Hosts that are asked at once.
_AT_ONCE = 64
#: Programs that are looked for where a step's text names them.
TOOLS = (
    "curl", "dig", "git", "hg", "jq", "knotc", "mysql", "mysqldump", "nft", "nginx", "openssl",
    "pg_basebackup", "pg_ctl", "pg_dump", "pg_restore", "pg_rewind", "psql", "rsync", "systemctl",
    "tar",
)  # fmt: skip
_LOOK = """
echo "now=$(date +%s)"
df -Pk . | awk 'NR == 2 {{ print "free=" $4 }}'
df -Pkl 2>/dev/null |
    awk 'NR > 1 && $4 + 0 > most {{ most = $4 + 0 }} END {{ printf "most=%d\\n", most }}'
for tool in {tools}; do command -v "$tool" >/dev/null 2>&1 || echo "missing=$tool"; done
"""


@dataclass(frozen=True, slots=True)
class PreflightTools:
    """The tools that a preflight measures with."""

    #: Makes a place for a host: by its first route only, and without a shared connection.
    place: Callable[[Host], Remote]
    secrets: Secrets
    clock: Clock
    #: Makes a buffer for a command's output.
    collect: Callable[[], Output]
    #: Asks name servers.
    prober: Prober


def preflight(plan: Plan, eyes: PreflightTools) -> list[Check]:
    """All measurements, including those that fall short."""
    hosts = plan.inventory.hosts
    sizes = _sizes(plan)
    jobs: list[_Visit | _Age | _Between] = [
        _Visit(hosts[name], route, tuple(steps), eyes, sizes.get(name))
        for name, steps in _used(plan).items()
        for route in hosts[name].routes or (Route(),)
    ]
    jobs += [
        _Age(plan, store, backup, eyes)
        for store in _stores(plan)
        for backup in store.backups
        if backup.age is not None
    ]
    jobs += _between(plan, eyes)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = [check for part in pool.map(lambda job: list(job.check()), jobs) for check in part]
    return [*_secrets(plan, eyes), *ttls(plan, eyes.prober), *found]


def keep(records: Records, loaded: LoadedPlan, found: Iterable[Check], by: str) -> None:
    """Keep what was measured as a readiness record."""
    checks = [asdict(check) for check in found]
    if records.notebook is not None:
        records.notebook.keep(
            PreflightRecord(
                loaded.plan.runbook.name,
                fingerprint(loaded.documents),
                records.clock.now(),
                by,
                all(check["good"] for check in checks),
                checks,
            )
        )


def _used(plan: Plan) -> Mapping[str, list[Step]]:
    """Hosts that steps act on, with these steps."""
    used: dict[str, list[Step]] = {}
    for planned in plan.steps.values():
        for target in planned.targets if not planned.left_out else ():
            if target.host is not None:
                used.setdefault(target.host.name, []).append(planned.step)
    return used


def _sizes(plan: Plan) -> Mapping[str, Size]:
    """Host -> the size of the largest store that a step restores there."""
    found: dict[str, Size] = {}
    for planned in plan.steps.values():
        for name in planned.step.restores if not planned.left_out else ():
            store = plan.inventory.stores.get(name)
            for target in planned.targets:
                if store is not None and store.size is not None and target.host is not None:
                    most = found.get(target.host.name, Size(0))
                    found[target.host.name] = max(most, store.size)
    return found


def _stores(plan: Plan) -> Iterator[Store]:
    """Stores that the runbook's services live on."""
    wanted = {name for service in plan.runbook.services.values() for name in service.stores}
    yield from (store for name, store in plan.inventory.stores.items() if name in wanted)


def _secrets(plan: Plan, eyes: PreflightTools) -> Iterator[Check]:
    for name in plan.runbook.secrets:
        try:
            eyes.secrets.resolve(name)
        except DrrunError as error:
            yield Check("secret", name, good=False, value=str(error))
        else:
            yield Check("secret", name, good=True, value="resolved")


@dataclass(frozen=True, slots=True)
class _Visit:
    """One host by one route."""

    host: Host
    route: Route
    steps: tuple[Step, ...]
    eyes: PreflightTools
    #: The largest store that is restored here.
    size: Size | None

    def check(self) -> Iterator[Check]:
        """Log in and measure."""
        where = f"{self.host.name} by {self.route.label}"
        place = self.eyes.place(replace(self.host, routes=(self.route,)))
        before = self.eyes.clock.now()
        tools = " ".join(sorted(_tools(self.steps))) or "sh"
        outcome, said = _ask(self.eyes, place, _LOOK.format(tools=tools))
        after = self.eyes.clock.now()
        if not isinstance(outcome, Ended):
            yield Check("reached", where, good=False, value=_why(outcome))
            return
        yield Check("reached", where, good=True, value=f"in {after - before:.1f} s")
        told = [line.partition("=")[::2] for line in said.splitlines() if "=" in line]
        yield from self._clock(dict(told), before, after)
        for name, value in told:
            if name == "missing":
                yield Check("tool", self.host.name, good=False, value=f"{value} is not there")
        yield from self._users(place)

    def _clock(self, told: Mapping[str, str], before: float, after: float) -> Iterator[Check]:
        if told.get("now", "").isdigit():
            # `date` counts whole seconds, and ran at some moment between `before` and `after`.
            off, unsure = int(told["now"]) + 0.5 - (before + after) / 2, (after - before + 1) / 2
            good = abs(off) <= MAY_DIFFER + unsure
            wanted = f"within {MAY_DIFFER:.0f} s; set it by NTP: chronyc makestep"
            value = "right" if abs(off) <= unsure else f"{off:+.0f} s"
            yield Check("clock", self.host.name, good, value, wanted)
        if told.get("free", "").isdigit():
            free = Size(int(told["free"]) * 1024)
            yield Check("disk", self.host.name, good=free > 0, value=f"{free} free")
        if self.size is not None and told.get("most", "").isdigit():
            most = Size(int(told["most"]) * 1024)
            wanted = f"{self.size} for what is restored here"
            yield Check("room", self.host.name, most >= self.size, f"{most} free", wanted)

    def _users(self, place: Remote) -> Iterator[Check]:
        users = {step.execution.become for step in self.steps} - {None, ""}
        for user in sorted(str(each) for each in users if "{" not in str(each)):
            outcome, _ = _ask(self.eyes, place, "true", user)
            good = isinstance(outcome, Ended) and outcome.good
            value = "by sudo" if good else _why(outcome)
            yield Check("become", f"{self.host.name}: {user}", good, value)


@dataclass(frozen=True, slots=True)
class _Age:
    """How old a store's backup is, against what is allowed."""

    plan: Plan
    store: Store
    backup: Backup
    eyes: PreflightTools

    def check(self) -> Iterator[Check]:
        """Ask for the backup's age on the host that holds it."""
        where = f"{self.store.name} at {self.backup.to}"
        limits = [each for each in (self.backup.max_age, *self._rpos()) if each is not None]
        wanted = f"at most {min(limits)}" if limits else ""
        age = age_of(self.plan, self.backup, self.eyes)
        if not isinstance(age, Duration):
            yield Check("backup", where, good=False, value=age, wanted=wanted)
            return
        good = not limits or age <= min(limits)
        yield Check("backup", where, good, f"{age} old", wanted)

    def _rpos(self) -> Iterator[Duration | None]:
        for service in self.plan.runbook.services.values():
            if self.store.name in service.stores:
                yield service.objectives.rpo


def _between(plan: Plan, eyes: PreflightTools) -> Iterator["_Between"]:
    """What rsync steps fetch from another host, or send there."""
    for planned in plan.steps.values():
        action = planned.step.action
        if planned.left_out or not isinstance(action, UsesAction) or action.name != "rsync":
            continue
        inputs = planned.step.scope.inputs if planned.step.scope else plan.inputs
        names = {"inputs": inputs, "vars": {**plan.inventory.vars, **plan.runbook.vars}}
        try:
            given = Templates().value(dict(action.arguments), names)
        except InputError:  # known only in the run
            continue
        text = look_between(given, plan.inventory.hosts)
        for target in planned.targets if text else ():
            if target.host is not None:
                yield _Between(target.host, planned.step, text, eyes)


@dataclass(frozen=True, slots=True)
class _Between:
    """Whether a target reaches the host that its rsync copies from, or to."""

    host: Host
    step: Step
    text: str
    eyes: PreflightTools

    def check(self) -> Iterator[Check]:
        """Ask it there, as the user who will copy."""
        become = str(self.step.execution.become or "")
        if "{" in become:
            return
        output = self.eyes.collect()
        script = Script(self.text, Execution(become=become or None), timeout=Duration(20))
        place = self.eyes.place(self.host)
        outcome = place.run(script, output, lambda _: None, Event())
        good = isinstance(outcome, Ended) and outcome.good
        said = _CAUSE.search(output.text("stderr"))
        value = "reached" if good else (said[0].strip() if said else _why(outcome))
        yield Check("rsync", f"{self.host.name}: {self.step.id}", good, value)


def age_of(plan: Plan, backup: Backup, eyes: PreflightTools) -> Duration | str:
    """The age of a backup, asked on the host that holds it; or why it is not known."""
    written = backup.age or {}
    on = written.get("on", backup.to)
    name = str(on[0] if isinstance(on, list | tuple) else on)
    host = plan.inventory.hosts.get(name)
    text = written.get("run")
    if host is None or not isinstance(text, str):
        return "its age cannot be asked"
    become = written.get("become")
    outcome, said = _ask(eyes, eyes.place(host), text, str(become or ""))
    if not isinstance(outcome, Ended) or not outcome.good:
        return _why(outcome)
    try:
        return Duration(float(said.strip()))
    except ValueError:
        return f"its age is not a number: {said.strip()[:40]!r}"


def _ask(eyes: PreflightTools, place: Remote, text: str, become: str = "") -> tuple[Outcome, str]:
    output = eyes.collect()
    script = Script(text, Execution(become=become or None), timeout=Duration(20))
    outcome = place.run(script, output, lambda _: None, Event())
    return outcome, output.text("stdout")


def _why(outcome: Outcome) -> str:
    match outcome:
        case NeverStarted() | RefusedByHost() | OutcomeUnknown():
            return outcome.why
        case Ended():
            return outcome.note or f"exit {outcome.exit}"
        case TimedOut():
            return outcome.note or "out of time"
        case Stopped():
            return outcome.note or "ended on request"
        case _:
            assert_never(outcome)


def _tools(steps: Iterable[Step]) -> set[str]:
    """Known programs that the steps' texts execute."""
    found: set[str] = set()
    for step in steps:
        if isinstance(step.action, RunAction):
            words = re.findall(r"(?:^|[|&;(]|\b(?:do|then|exec|if|!))\s*([a-z_]+)\b",
                               step.action.text, re.MULTILINE)  # fmt: skip
            found |= set(words) & set(TOOLS)
    return found

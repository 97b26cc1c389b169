"""How long caches may keep the names that a runbook changes, against the time that there is."""

from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any

from drrun.cases.preflight_check import Check
from drrun.core.model.actions import UsesAction
from drrun.core.model.errors import InputError
from drrun.core.model.ids import RunId
from drrun.core.model.plan import Plan
from drrun.core.model.probes import Expect, ProbeKind
from drrun.core.model.values import Duration
from drrun.engine.naming import run_names
from drrun.files.templates.templating import Templates
from drrun.ports.places import Prober, Question

_PATIENCE = Duration(5)


def ttls(plan: Plan, prober: Prober) -> Iterator[Check]:
    """The TTL of every name that a step is going to change, as its server tells it now.

    It is low enough if the recovery time objective leaves room for it. What cannot be known
    before the run, a name that an earlier step finds out, is left out.
    """
    rto = plan.runbook.objectives.rto
    for server, name, kind in sorted(set(_changed(plan))):
        asked = {"name": name, "type": kind, "server": server, "want": "ttl"}
        seen = prober.evaluate(Question(ProbeKind.DNS, asked, Expect(), _PATIENCE, None), Event())
        where = f"{name} {kind}"
        if not seen.answer.isdigit():
            yield Check("ttl", where, good=False, value=seen.why or "not known")
            continue
        ttl = Duration(int(seen.answer))
        wanted = f"at most the RTO of {rto}" if rto is not None else ""
        yield Check("ttl", where, rto is None or ttl <= rto, str(ttl), wanted)


def _changed(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """(server, name, type) of the records that steps change."""
    names = run_names(plan, RunId("preflight"), None, None)
    for planned in plan.steps.values():
        action = planned.step.action
        updates = isinstance(action, UsesAction) and action.name == "dns.update"
        if planned.left_out or not updates or not isinstance(action, UsesAction):
            continue
        wanted = {key: action.arguments.get(key) for key in _KEYS if key in action.arguments}
        try:
            given = Templates().value(wanted, names)
        except InputError:
            continue
        for record in given.get("records") or [given]:
            if isinstance(record, Mapping) and record.get("name"):
                yield str(given.get("server", "")), _full(record, given), _kind(record)


_KEYS = ("server", "zone", "records", "name", "type")


def _kind(record: Mapping[str, Any]) -> str:
    return str(record.get("type") or "A")


def _full(record: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """The whole name: what does not end with a dot is below the zone."""
    name, zone = str(record["name"]), str(given.get("zone", "")).rstrip(".")
    if name.endswith(".") or name.rstrip(".").endswith(zone):
        return name.rstrip(".")
    return zone if name == "@" else f"{name}.{zone}"

"""What people say about the world: something is lost, or found, or reached by another route.

Rules:
- What was declared lost is not contacted again until it is declared found (contract section 4).
"""

from collections.abc import Iterable, Iterator

from drrun.core import events as ev
from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.model.status import Status
from drrun.core.nearest import did_you_mean
from drrun.core.people.commands import DeclareFound, DeclareLost, SetRoute
from drrun.core.people.request import Asking, Denied, Granted
from drrun.core.people.seats import known_people
from drrun.core.rules.freeing import freed
from drrun.core.state.run_state import RunState

#: Kinds of things that can be lost.
KINDS = ("site", "host", "provider", "person")


def lost(asking: Asking, command: DeclareLost) -> Granted | Denied:
    """Declare something lost."""
    found = _thing(asking, command.thing)
    if isinstance(found, Denied):
        return found
    if found in asking.state.circumstances.lost:
        return Granted([], f"{found} was declared lost already")
    event = ev.Lost(thing=found, by=asking.by, why=command.reason)
    return Granted([event], f"{found} is declared lost: drrun does not contact it any more")


def found(asking: Asking, command: DeclareFound) -> Granted | Denied:
    """Take a declaration back."""
    thing = _thing(asking, command.thing)
    if isinstance(thing, Denied):
        return thing
    lost = asking.state.circumstances.lost
    if thing not in lost:
        return Denied(f"{thing} was not declared lost: {', '.join(lost) or 'nothing'}")
    event = ev.Found(thing=thing, by=asking.by, why=command.reason)
    return Granted([event, *_open_again(asking, thing)], f"{thing} is back")


def _open_again(asking: Asking, thing: str) -> Iterator[ev.Event]:
    """What was blocked only because the thing was lost, and what waited for that."""
    state = asking.state
    seen: set[TargetKey] = set()
    for step in state.plan.order:
        for target in state.plan.steps[step].targets:
            key = TargetKey(step, target.name)
            blocked = state.targets[key].status is Status.BLOCKED
            lost = target.host is not None and state.circumstances.lost_hosts.get(target.host.name)
            if not blocked or lost != thing:
                continue
            reopened: list[ev.Event] = [
                ev.TargetReopened(
                    step=step,
                    target=key.target,
                    by=asking.by,
                    why=f"{thing} is back",
                    freed=True,
                    seek=state.targets[key].unaccounted,
                )
            ]
            for event in (*reopened, *freed(state, step, asking.by)):
                if isinstance(event, ev.TargetReopened):
                    again = TargetKey(StepId(event.step), TargetName(event.target))
                    if again not in seen:
                        seen.add(again)
                        yield event


def _thing(asking: Asking, written: str) -> str | Denied:
    """`site:phl`, checked against what there is."""
    kind, _, name = written.partition(":")
    if not name:
        kind, name = "host", kind
    if kind not in KINDS:
        kinds = ", ".join(f"{each}:NAME" for each in KINDS)
        return Denied(f"{kind!r} cannot be lost{did_you_mean(kind, KINDS)}; write {kinds}")
    known = _known(asking, kind)
    if name not in known:
        return Denied(f"there is no {kind} {name!r}{did_you_mean(name, known)}")
    return f"{kind}:{name}"


def _known(asking: Asking, kind: str) -> list[str]:
    plan = asking.state.plan
    match kind:
        case "site":
            return list(plan.inventory.sites)
        case "host":
            return list(plan.inventory.hosts)
        case "provider":
            return _unique(site.provider for site in plan.inventory.sites.values())
        case _:
            return list(known_people(asking.state))


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


def accept_record(state: RunState, by: str, why: str, line: str) -> Granted | Denied:
    """Let this journal count although hosts know of more; no controller drives it now.

    Args:
        state: The run as this journal has it.
        by: Who says so.
        why: The reason.
        line: Names what is written from here on.
    """
    driver = state.circumstances.driver
    if by == driver:
        return Denied(
            f"{driver} drove this run last: a second person must accept the older record: --by "
            "SOMEBODY"
        )
    event = ev.RecordAccepted(by=by, why=why, line=line)
    return Granted([event], "its hosts accept this journal now")


def set_route(asking: Asking, command: SetRoute) -> Granted | Denied:
    """Choose the route by which a host is reached."""
    host, route = command.host, command.route
    known = asking.state.plan.inventory.hosts.get(host)
    if known is None:
        hint = did_you_mean(host, asking.state.plan.inventory.hosts)
        return Denied(f"there is no host {host!r} in the inventory of this run{hint}")
    labels = [each.label for each in known.routes]
    if route not in (*labels, "auto"):
        return Denied(f"{host} has no route {route!r}: {', '.join(labels)}, or auto")
    if asking.state.circumstances.routes.get(host, "auto") == route:
        return Granted([], f"{host} is reached by {route} already")
    event = ev.RouteSet(host=host, route=route, by=asking.by, why=command.reason)
    return Granted([event], f"{host} is reached by {route} from now on")

"""Lines about people and about the world around a run."""

from drrun.core import events as ev
from drrun.report.facts import Fact
from drrun.report.ink import Style
from drrun.report.text.line import Line


def of_people(fact: Fact) -> Line | None:
    """Who took what on, who was told again."""
    match fact.event:
        case ev.Approved(step=step, by=by):
            return Line(fact.at, "approved", f"{step} by {by}; more have to", Style.STRONG)
        case ev.PersonReminded(step=step, to=to, times=times):
            return Line(fact.at, "reminder", f"{step}: {_named(to)} (reminder {times})")
        case ev.GateEscalated(step=step, to=to):
            return Line(fact.at, "escalated", f"{step}: {_named(to)} told", Style.DOUBT)
        case ev.Claimed(step=step, by=by, reason=reason):
            return Line(fact.at, "claimed", f"{step} by {by}{_why(reason)}")
        case ev.Assigned(step=step, to=to_one, by=by):
            return Line(fact.at, "assigned", f"{step} to {to_one} by {by}")
        case ev.HandedOver(by=by, to=to_one, note=note):
            return Line(fact.at, "handover", f"{by} to {to_one}: {note}", Style.STRONG)
        case _:
            return None


def of_world(fact: Fact) -> Line | None:
    """What was lost, found, or broke again."""
    match fact.event:
        case ev.Lost(thing=thing, by=by, why=why):
            return Line(fact.at, "lost", f"{thing}, by {by}{_why(why)}", Style.BAD)
        case ev.Found(thing=thing, by=by, why=why):
            return Line(fact.at, "found", f"{thing}, by {by}{_why(why)}")
        case ev.RouteSet(host=host, route=route, by=by):
            return Line(fact.at, "route", f"{host} by {route} ({by})")
        case ev.InvariantBroken(name=name, why=why, suspects=suspects):
            after = f"; acted since it held: {', '.join(suspects)}" if suspects else ""
            return Line(fact.at, "broken", f"invariant {name}: {why}{after}", Style.BAD)
        case ev.Recovered(step=step, name=name):
            return Line(fact.at, "recovered", f"{step}: {name}")
        case ev.RollbackBegan(why=why, by=by, steps=steps):
            return Line(fact.at, "rollback", f"by {by}: {why}: {', '.join(steps)}", Style.BAD)
        case ev.PlanAmended(by=by, why=why, added=added, changed=changed):
            what = ", ".join((*(f"+{each}" for each in added), *changed))
            return Line(fact.at, "amended", f"by {by}: {why}: {what}", Style.STRONG)
        case _:
            return None


def _named(to: tuple[str, ...]) -> str:
    return ", ".join(to) or "anybody"


def _why(reason: str) -> str:
    return f": {reason}" if reason else ""

"""Who is known to a run, and where each of them acts from.

Rules:
- Known is whoever a role names, and whoever has acted in the run: somebody who helps out tonight
  becomes known by their first request.
- A runbook whose roles name nobody knows no names: then everybody counts as known.
"""

from collections.abc import Iterator

from drrun.core import events as ev
from drrun.core.model.runbook import Runbook
from drrun.core.model.seat import Seat
from drrun.core.nearest import did_you_mean
from drrun.core.people.request import Denied
from drrun.core.state.run_state import RunState


def people_of(runbook: Runbook) -> tuple[str, ...]:
    """Everybody whom a role names."""
    roles = runbook.roles.values()
    return tuple(dict.fromkeys(who for role in roles for who in (*role.people, *role.deputies)))


def known_people(state: RunState) -> tuple[str, ...]:
    """Whom a role names, and who has acted in the run."""
    circumstances = state.circumstances
    acted = (circumstances.driver, *circumstances.seats)
    return tuple(dict.fromkeys((*people_of(state.plan.runbook), *filter(None, acted))))


def no_such_person(state: RunState, name: str) -> Denied | None:
    """Why nothing can be given to somebody; None: they are known."""
    runbook = state.plan.runbook
    named = people_of(runbook)
    if not named or name in known_people(state):
        return None
    if name in runbook.roles:
        role = runbook.roles[name]
        who = ", ".join((*role.people, *role.deputies))
        return Denied(f"{name} is a role, not a person; its people: {who or 'none'}")
    return Denied(
        f"nobody in this run is called {name!r}{did_you_mean(name, known_people(state))}. "
        f"A helper without a role must first take part: drrun note RUN --by {name} 'I take part'"
    )


def not_in_roles(runbook: Runbook, by: str) -> str:
    """A warning that nobody of that name is in a role; "" if somebody is."""
    named = people_of(runbook)
    if not named or by in named:
        return ""
    return f"no role of this runbook names {by!r}{did_you_mean(by, named)}. Say who you are: --by"


def barred_by_driving(runbook: Runbook, by: str) -> Iterator[str]:
    """Approvals that nobody can complete because a person drives the run, in words."""
    for step in runbook.steps.values():
        written = step.approval or {}
        role = runbook.roles.get(str(written.get("role", "")))
        if role is None:
            continue
        who = dict.fromkeys((*role.people, *role.deputies))
        others, count = [each for each in who if each != by], int(written.get("count", 1))
        if who and len(others) < count:
            yield (
                f"{step.id} needs {count} of {role.name} ({', '.join(who)}) to approve, and {by} "
                "may not while driving the run: the step would wait for ever. Let somebody else "
                "drive the run: --by NAME"
            )


def seat_taken(state: RunState, by: str, seat: Seat | None) -> Iterator[ev.Event]:
    """The fact that somebody acts from another seat than before."""
    if seat is not None and state.circumstances.seats.get(by) != seat:
        yield ev.SeatTaken(by=by, user=seat.user, host=seat.host, terminal=seat.terminal)

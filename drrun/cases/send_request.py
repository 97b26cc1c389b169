"""A person acts on a run from any terminal: a request, and what became of it.

Rules:
- The request is durable before anything else. A live controller answers it; without one it is
  weighed against the journal at once, so that a mistake is told now and not at the next resume.
- What only adds to the record is written at once where nobody drives the run, also after its end.
  So is a correction of the plan: the next one is judged with it, and everybody sees it.
"""

import threading
from dataclasses import replace

from drrun.cases.at_once import record_at_once
from drrun.cases.kept_requests import STOOD
from drrun.cases.read_run import ReadRun, known
from drrun.core.model.ids import RunId
from drrun.core.people.annotations import AddsOnly
from drrun.core.people.commands import Amend, Approve, Command, body_of
from drrun.core.people.consider import Denied, consider
from drrun.core.people.seats import not_in_roles
from drrun.core.people.unanswered import stands
from drrun.engine.records import Records
from drrun.engine.run_clock import now_of
from drrun.ports.journal import Request, RequestAnswer

#: Seconds to wait for a live controller's answer.
PATIENCE = 10.0


def act(records: Records, run: RunId, command: Command, by: str) -> RequestAnswer:
    """Ask something of a run.

    Args:
        records: Where the run is kept.
        run: Which run.
        command: What is asked for.
        by: Who asks.

    Returns:
        What became of it; without a live controller, what will.
    """
    seen = known(records, run, amendable=True)
    doubt = not_in_roles(seen.state.plan.runbook, by)
    return replace(_act(records, seen, command, by), doubt=doubt)


def _act(records: Records, seen: ReadRun, command: Command, by: str) -> RequestAnswer:
    run = seen.run
    if seen.holder is None:
        return _act_alone(records, seen, command, by)
    request = _post(records, seen, command, by)
    pause = threading.Event()
    deadline = records.clock.now() + PATIENCE
    while records.clock.now() < deadline:
        answer = records.inbox.answer(request)
        if answer is not None:
            return answer
        pause.wait(0.05)
    return RequestAnswer(
        accepted=True,
        message=f"kept, but its controller has not answered for {PATIENCE:.0f} s: "
        f"look with: drrun status {run}",
    )


def _act_alone(records: Records, seen: ReadRun, command: Command, by: str) -> RequestAnswer:
    """Nobody drives the run: weigh it here; write it down, or keep it for whoever goes on."""
    now = now_of(seen.state.time, records.clock)
    found = consider(seen.state, command, by, now)
    if isinstance(found, Denied):
        return RequestAnswer(accepted=False, message=found.why)
    if not found.events:
        return RequestAnswer(accepted=True, message=found.message)
    if isinstance(command, AddsOnly | Amend):
        record_at_once(records, seen, found.events, by)
        then = f"; continue with: drrun resume {seen.run}" if isinstance(command, Amend) else ""
        return RequestAnswer(accepted=True, message=f"{found.message}{then}")
    request = _post(records, seen, command, by)
    kept = f"kept for later: nobody drives this run now; continue with: drrun resume {seen.run}"
    back = f"take it back with: drrun withdraw {seen.run} {request.id}"
    told = [kept, back]
    if isinstance(command, Approve):
        told.append(f"it counts only if somebody else than {by} resumes the run")
    return RequestAnswer(accepted=True, message="\n".join(told))


def _post(records: Records, seen: ReadRun, command: Command, by: str) -> Request:
    seat = records.seat.in_request() if records.seat else {}
    body = {**body_of(command), **seat, STOOD: stands(seen.state, command)}
    return records.inbox.post(seen.run, records.clock.now(), by, command.KIND, body)

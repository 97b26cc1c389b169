"""A person acts on a run from any terminal: a request, and what became of it.

Rules:
- The request is durable before anything else. A live controller answers it; without one it is
  weighed against the journal at once, so that a mistake is told now and not at the next resume.
- What only adds to the record is written at once where nobody drives the run, also after its end.
  So is a correction of the plan: the next one is judged with it, and everybody sees it.
"""

import threading
from dataclasses import replace

from drrun.cases.read_run import ReadRun, known
from drrun.core.model.ids import RunId
from drrun.core.people.annotations import AddsOnly
from drrun.core.people.commands import Amend, Command, body_of
from drrun.core.people.consider import Denied, Granted, consider
from drrun.core.people.seats import not_in_roles, seat_taken
from drrun.engine.ledger import Ledger
from drrun.engine.records import Records
from drrun.engine.run_clock import clock_of, now_of
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
    request = _post(records, run, command, by)
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
    if isinstance(command, AddsOnly):
        return _write(records, seen, found, by)
    if isinstance(command, Amend):
        return _write(records, seen, found, by, f"; go on with: drrun resume {seen.run}")
    _post(records, seen.run, command, by)
    go_on = f"nobody drives this run now; go on with: drrun resume {seen.run}"
    return RequestAnswer(accepted=True, message=f"kept for later: {go_on}")


def _post(records: Records, run: RunId, command: Command, by: str) -> Request:
    seat = records.seat.in_request() if records.seat else {}
    body = {**body_of(command), **seat}
    return records.inbox.post(run, records.clock.now(), by, command.KIND, body)


def _write(
    records: Records, seen: ReadRun, found: Granted, by: str, then: str = ""
) -> RequestAnswer:
    """Add to the record, as the run's controller for a moment.

    Raises:
        RunHeld: Somebody took the run meanwhile.
    """
    lease = records.leases.take(seen.run)
    try:
        clock = clock_of(seen.state.time, records.clock)
        ledger = Ledger(seen.state, records.journal, lease, clock)
        for event in (*seat_taken(seen.state, by, records.seat), *found.events):
            ledger.record(event, by)
        ledger.commit()
    finally:
        records.leases.release(lease)
    return RequestAnswer(accepted=True, message=f"{found.message}{then}")

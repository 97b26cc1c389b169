"""Facts that are recorded while nobody drives a run, as its controller for a moment."""

from collections.abc import Sequence

from drrun.cases.read_run import ReadRun
from drrun.core import events as ev
from drrun.core.people.seats import seat_taken
from drrun.engine.ledger import Ledger
from drrun.engine.records import Records
from drrun.engine.run_clock import clock_of


def record_at_once(records: Records, seen: ReadRun, events: Sequence[ev.Event], by: str) -> None:
    """Record what somebody did to a run that nobody drives.

    Raises:
        RunHeld: Somebody took the run meanwhile.
    """
    lease = records.leases.take(seen.run)
    try:
        clock = clock_of(seen.state.time, records.clock)
        ledger = Ledger(seen.state, records.journal, lease, clock)
        for event in (*seat_taken(seen.state, by, records.seat), *events):
            ledger.record(event, by)
        ledger.commit()
    finally:
        records.leases.release(lease)

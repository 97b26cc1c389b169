"""What the engine itself costs a target: hands that succeed at once, a real journal on disk.

A chain of steps on this machine, and a graph of steps on ten hosts each. Prints for each target:
milliseconds of this process, those of them outside the journal's commits, commits; and the peak
of memory.

Usage: python benchmarks/engine_cost.py [STEPS] [STEPS_ON_TEN_HOSTS]
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drrun.cases.load_plan import LoadedPlan
from drrun.cases.start import Options, RunTools, start
from drrun.core.model.inventory import Host, Inventory, Route, Site
from drrun.core.model.plan import Plan
from drrun.core.model.status import RunStatus
from drrun.engine.records import Records
from drrun.files.templates.templating import Templates
from drrun.journal.database import Database, Transaction
from drrun.journal.store import open_store
from drrun.journal.system_clock import SystemClock
from drrun.testing.scripted import ScriptedHands, ScriptedProber
from tests.unit.core.worlds import plan_of, step
from tests.unit.engine.rigs import CountedIds, NoSecrets


def chain(steps: int) -> Plan:
    """Steps on the controller, one behind the other."""
    return plan_of(*(step(f"s{n}", *([f"s{n - 1}"] if n else [])) for n in range(steps)))


def wide(steps: int) -> Plan:
    """Steps on ten hosts each; every one needs the one ten before it."""
    hosts = {f"h{n}": Host(f"h{n}", site="x", routes=(Route("10.0.0.1"),)) for n in range(10)}
    inventory = Inventory(sites={"x": Site("x")}, hosts=hosts)
    made = (step(f"s{n}", *([f"s{n - 10}"] if n >= 10 else []), on=("h*",)) for n in range(steps))
    return plan_of(*made, inventory=inventory)


class Commits:
    """Counts the transactions of a database, and how long they take."""

    def __init__(self, database: Database) -> None:
        self.count, self.seconds = 0, 0.0
        self._inner = database.transaction
        database.transaction = self.timed  # type: ignore[method-assign] # only to measure

    @contextmanager
    def timed(self) -> Iterator[Transaction]:
        """As `Database.transaction`."""
        began = time.perf_counter()
        with self._inner() as transaction:
            yield transaction
        self.count += 1
        self.seconds += time.perf_counter() - began


def measure(name: str, plan: Plan) -> None:
    """Drive one plan to its end and print what it cost."""
    targets = sum(len(planned.targets) for planned in plan.steps.values())
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder), SystemClock()) as store:
        records = Records(
            store.journal, store.leases, store.inbox, store.spool, SystemClock(), CountedIds()
        )
        tools = RunTools(ScriptedHands(), ScriptedProber(), Templates(), NoSecrets())
        session = start(records, lambda _: tools, LoadedPlan(plan, (), Path()), Options(by="drew"))
        commits = Commits(store.database)
        began, used = time.perf_counter(), time.process_time()
        standing = session.drive()
        took, used = time.perf_counter() - began, time.process_time() - used
        assert standing.status is RunStatus.SUCCEEDED, standing
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{name:>6} {targets:>7} targets  {took / targets * 1000:6.2f} ms  "
        f"{(took - commits.seconds) / targets * 1000:6.2f} ms without commits  "
        f"cpu {used / targets * 1000:6.2f} ms  "
        f"{commits.count / targets:5.2f} commits  peak {peak} MiB"
    )


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    measure("chain", chain(numbers[0] if numbers else 2000))
    measure("wide", wide(numbers[1] if len(numbers) > 1 else 2000))

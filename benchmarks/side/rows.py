"""The table: who does what, how often, and which figure is made of it.

Rules:
- Contestants take turns, and each round does the whole table, so that a slower minute of the
  machine hits all alike, and little time means fewer rounds and no empty row.
- A cost of one step is a long run less a short one, for everybody: starting a program, logging in
  and leaving are in neither.
- Whoever fails at a size has no figure of it nor of larger ones, in no round; it is named, with
  what it said.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from benchmarks.side.contestants import Contestant, Launch, drrun_environment
from benchmarks.side.measure import Failed, Measured, done, execute
from benchmarks.side.work import Host, Step, Work, chain, fan_out, layers
from benchmarks.side.world import World

#: What one contestant took in one round, by size of the work.
Round = Mapping[int, "Taken"]
EVERYBODY = (
    *("drrun", "resident shell", "ssh2-python", "paramiko", "asyncssh"),
    *("Fabric", "pyinfra", "ansible raw"),
)
CLIENTS = ("drrun", "ssh2-python", "paramiko", "asyncssh")
FLEETS = (*CLIENTS, "pyinfra", "ansible raw")
_ROUND_TRIP = 0.02
_SECONDS_OF_STEP = 0.2


@dataclass(frozen=True)
class Taken:
    """One contestant, one size, one round."""

    seconds: float
    #: Of the process itself, in seconds: hosts and logging in there are not in it.
    cpu: float
    memory: float
    #: Seconds after the last moment of each step on its host at which the end was known.
    late: tuple[float, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A number that is made of a round."""

    title: str
    unit: str
    of: Callable[[Round], float]
    #: The only size that it is made of; otherwise it takes all.
    size: int | None = None


@dataclass(frozen=True)
class Row:
    """One thing that all of some do."""

    name: str
    sizes: Sequence[int]
    work: Callable[[World, int], Work]
    figures: Sequence[Figure]
    who: Sequence[str]
    #: Seconds that one contestant may take for one size.
    limit: float = 120.0
    #: What the sizes count, if the cost against them is to be drawn.
    drawn: str = ""


@dataclass
class Result:
    """What came of a row."""

    row: Row
    rounds: dict[str, list[dict[int, Taken]]] = field(default_factory=dict)
    #: Who failed, at which size, and what it said.
    failures: dict[str, tuple[int, str]] = field(default_factory=dict)

    def sizes(self, name: str) -> list[int]:
        """The sizes that a contestant has not failed at: below the first that it has."""
        failed = self.failures.get(name, (max(self.row.sizes) + 1, ""))[0]
        return [size for size in self.row.sizes if size < failed]

    def values(self, figure: Figure) -> dict[str, list[float]]:
        """One value a round, by contestant."""
        wanted = {figure.size} if figure.size else set(self.row.sizes)
        return {
            name: [figure.of(each) for each in rounds]
            for name, rounds in self.rounds.items()
            if wanted <= set(self.sizes(name))
        }

    def curve(self, name: str) -> list[tuple[int, float]]:
        """Size and median of seconds."""
        rounds = self.rounds.get(name, [])
        return [
            (size, statistics.median(each[size].seconds for each in rounds))
            for size in self.sizes(name)
            if rounds
        ]


def measure(
    results: Sequence[Result], world: World, contestants: Sequence[Contestant], deadline: float
) -> bool:
    """Add a round to each row; whether all was done before the time of the whole was over."""
    for result in results:
        for each in contestants:
            if each.name not in result.row.who or not result.sizes(each.name):
                continue
            if time.monotonic() > deadline:
                return False
            print(f"{result.row.name}: {each.name}", file=sys.stderr, flush=True)
            result.rounds.setdefault(each.name, []).append(_round(result, world, each))
    return True


def _round(result: Result, world: World, contestant: Contestant) -> dict[int, Taken]:
    """What one takes for all sizes, up to the first that it fails at."""
    taken = {}
    for size in result.sizes(contestant.name):
        try:
            taken[size] = _take(result.row, world, contestant, size)
        except Failed as failure:
            result.failures[contestant.name] = (size, str(failure))
            break
    return taken


def _take(row: Row, world: World, contestant: Contestant, size: int) -> Taken:
    work = row.work(world, size)
    for host in work.hosts:
        (world.home(host) / "stamps").unlink(missing_ok=True)
    with done(world, contestant, work, row.limit) as measured:
        late = _lateness(world, contestant, work, measured)
        return Taken(measured.seconds, measured.cpu, measured.memory, late)


def _lateness(
    world: World, contestant: Contestant, work: Work, measured: Measured
) -> tuple[float, ...]:
    """For work whose commands leave stamps of time: by how much each end was known late."""
    with suppress(FileNotFoundError):
        stamps = (world.home(work.hosts[0]) / "stamps").read_text("ascii").split()
        if contestant.name == "drrun":
            known = _ends(contestant, world, work, measured.folder)
        else:
            known = json.loads(measured.out)
        return tuple(
            known[step.id] - float(stamp) for step, stamp in zip(work.steps, stamps, strict=True)
        )
    return ()


def _ends(contestant: Contestant, world: World, work: Work, folder: Path) -> dict[str, float]:
    """When the journal says that each attempt ended."""
    executable = contestant.prepare(world, work, folder).command[0]
    words = [executable, "events", "latest", "--json"]
    said = execute(Launch(words, folder, drrun_environment(folder)), 60).out
    events = [json.loads(line) for line in said.splitlines()]
    return {
        each["body"]["step"]: datetime.fromisoformat(each["at"]).timestamp()
        for each in events
        if each["kind"] == "AttemptEnded"
    }


# -- figures -------------------------------------------------------------------------------------


def _slope(taken: Round) -> float:
    """Seconds for each further unit of size."""
    small, large = min(taken), max(taken)
    return (taken[large].seconds - taken[small].seconds) / (large - small)


def _largest(taken: Round) -> Taken:
    return taken[max(taken)]


def _a_step(title: str) -> Figure:
    return Figure(title, "ms a step", lambda taken: _slope(taken) * 1000)


def _in_round_trips(title: str) -> Figure:
    return Figure(title, "round trips a step", lambda taken: _slope(taken) / _ROUND_TRIP)


def _whole(title: str) -> Figure:
    return Figure(title, "s", lambda taken: _largest(taken).seconds)


def _whole_of(size: int, title: str) -> Figure:
    return Figure(title, "s", lambda taken: taken[size].seconds, size)


def _memory(title: str) -> Figure:
    return Figure(title, "MB at most", lambda taken: _largest(taken).memory)


def _against_bound(title: str) -> Figure:
    return Figure(title, "of its bound", lambda taken: _slope(taken) / _SECONDS_OF_STEP)


def _late(title: str) -> Figure:
    return Figure(title, "ms", lambda taken: statistics.median(_largest(taken).late) * 1000)


# -- rows ----------------------------------------------------------------------------------------


def _chain(round_trip: float | None, verify: str) -> Callable[[World, int], Work]:
    return lambda world, size: chain(world.hosts(1, round_trip)[0], size, verify)


def _chains(near: Sequence[int], far: Sequence[int], who: Sequence[str]) -> list[Row]:
    """Chains: near and far, with and without a verify."""
    rows = []
    for verify, words in (("", ""), ("true", ", with a verify")):
        title = f"chain of {max(near)} steps, 0 ms round trip{words}"
        drawn = "steps, 0 ms round trip" if not verify else ""
        rows.append(
            Row(f"chain-0{'-verify' if verify else ''}", near, _chain(None, verify),
                [_a_step(title)], who, drawn=drawn)
        )  # fmt: skip
        title = f"chain of {max(far)} steps, 20 ms round trip{words}"
        drawn = "steps, 20 ms round trip" if not verify else ""
        rows.append(
            Row(f"chain-20{'-verify' if verify else ''}", far, _chain(_ROUND_TRIP, verify),
                [_a_step(title), _in_round_trips(title)], who, drawn=drawn)
        )  # fmt: skip
    return rows


def _fleet(sizes: Sequence[int], who: Sequence[str]) -> Row:
    figures = [_whole_of(size, f"{size} hosts x 5 steps") for size in sizes]
    return Row("hosts", sizes, lambda world, size: fan_out(world.hosts(size), 5), figures, who,
               limit=300, drawn="hosts x 5 steps")  # fmt: skip


def _graph(hosts: int, depth: int) -> Row:
    title = f"graph of {hosts * depth} steps of {_SECONDS_OF_STEP} s on {hosts} hosts"
    work: Callable[[World, int], Work] = lambda world, size: layers(  # noqa: E731
        world.hosts(hosts), size, _SECONDS_OF_STEP
    )
    return Row("graph", (1, depth), work, [_against_bound(title)],
               ("drrun", "ssh2-python", "asyncssh"))  # fmt: skip


def _stamped(host: Host, length: int) -> Work:
    command = "sleep 1.3; date +%s.%N >>$HOME/stamps"
    steps = [
        Step(f"s{n}", (host.name,), command, (f"s{n - 1}",) if n else ()) for n in range(length)
    ]
    return Work([host], steps)


def _output(host: Host, size: int) -> Work:
    command = f"head -c {size} /dev/zero | tr '\\000' x"
    return Work([host], [Step("s0", (host.name,), command)], keep_output=True)


def short() -> list[Row]:
    """What fits into two minutes on two cores."""
    who = ("drrun", "resident shell", "ssh2-python", "paramiko")
    return [*_chains((5, 25), (3, 13), who), _fleet((4, 16), CLIENTS), _graph(8, 4)]


def full() -> list[Row]:
    """All of it."""
    return [
        *_chains((20, 80, 200), (20, 200), EVERYBODY),
        _fleet((10, 50, 200), FLEETS),
        _graph(20, 15),
        Row("connect", (50,), lambda world, size: fan_out(world.hosts(size, 0.1), 1),
            [_whole("connecting 50 hosts, 100 ms round trip")], FLEETS),
        Row("thousand", (1000,), lambda world, size: fan_out(world.hosts(size), 1),
            [_whole("1,000 hosts x 1 step"), _memory("1,000 hosts x 1 step")], FLEETS,
            limit=420),
        Row("output", (10**9,), lambda world, size: _output(world.hosts(1)[0], size),
            [_whole("1 GB of output"), _memory("1 GB of output")], ("ssh", *CLIENTS)),
        Row("late", (6,), lambda world, size: _stamped(world.hosts(1)[0], size),
            [_late("the end of a step of 1.3 s is known late by")], CLIENTS),
    ]  # fmt: skip

"""What connecting to many hosts costs, against plain paramiko threads doing the same.

One real sshd on this machine stands for all hosts, each at a loopback address of its own. Prints
what open connections take: threads, memory, and processor time while nothing happens. Then, near
and behind a relay that makes a round trip of 100 ms, seconds, milliseconds of processor time for
each login (of this process alone) and ratios against paramiko: medians of alternating runs.

Usage: python -m benchmarks.connecting [HOSTS] [RUNS]
"""

import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko

from drrun.core.model.inventory import Host, Route
from drrun.ssh.connections import Connections
from drrun.ssh.link import Link
from tests.relay import relay
from tests.sshd import Sshd, SshdFactory

_IDLE_SECONDS = 20


def hosts_of(server: Sshd, port: int, count: int) -> list[Host]:
    """So many hosts, each at an address of its own."""
    return [
        server.host(f"h{n}", routes=(Route(f"127.1.{n // 250}.{n % 250 + 1}", port=port),))
        for n in range(count)
    ]


def by_paramiko(hosts: list[Host]) -> Callable[[], None]:
    """Connect by a thread for each; what leaves them again."""

    def connect(host: Host) -> paramiko.SSHClient:
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(
            host.routes[0].address,
            host.routes[0].port or 22,
            host.user,
            key_filename=host.identity,
            look_for_keys=False,
            allow_agent=False,
        )
        return client

    with ThreadPoolExecutor(len(hosts)) as pool:
        clients = list(pool.map(connect, hosts))
    return lambda: [client.close() for client in clients] and None


def by_drrun(hosts: list[Host]) -> Callable[[], None]:
    """Connect as a run does; what leaves them again."""
    connections = Connections({host.name: host for host in hosts})
    answers: list[object] = []
    over = threading.Semaphore(0)

    def then(answer: object) -> None:
        answers.append(answer)
        over.release()

    for host in hosts:
        connections.open(host, then)
    for _ in hosts:
        over.acquire()
    assert all(isinstance(answer, Link) for answer in answers), answers
    return connections.close


def measured(
    connect: Callable[[list[Host]], Callable[[], None]], hosts: list[Host]
) -> list[float]:
    """Seconds, and processor seconds of this process."""
    processor, began = time.process_time(), time.perf_counter()
    leave = connect(hosts)
    taken = [time.perf_counter() - began, time.process_time() - processor]
    leave()
    return taken


def compare(name: str, hosts: list[Host], runs: int) -> None:
    """Print one line of the comparison."""
    theirs: list[list[float]] = []
    ours: list[list[float]] = []
    turns = [(by_paramiko, theirs), (by_drrun, ours)]
    for _ in range(runs):
        for connect, kept in turns:
            kept.append(measured(connect, hosts))
            # The server ends its sessions.
            threading.Event().wait(1)
        turns.reverse()
    (their_wall, their_cpu), (our_wall, our_cpu) = (
        [statistics.median(column) for column in zip(*rows, strict=True)]
        for rows in (theirs, ours)
    )
    print(
        f"{name:28} paramiko {their_wall:6.2f} s {their_cpu / len(hosts) * 1000:5.1f} ms each   "
        f"drrun {our_wall:6.2f} s {our_cpu / len(hosts) * 1000:5.1f} ms each   "
        f"ratio {our_wall / their_wall:.2f}",
        flush=True,
    )


def idle(
    name: str, connect: Callable[[list[Host]], Callable[[], None]], hosts: list[Host]
) -> None:
    """Print what open connections take."""
    before, threads = _resident(), threading.active_count()
    leave = connect(hosts)
    memory, more = _resident() - before, threading.active_count() - threads
    processor = time.process_time()
    threading.Event().wait(_IDLE_SECONDS)
    spent = (time.process_time() - processor) / _IDLE_SECONDS
    leave()
    print(
        f"{name:10} {len(hosts)} open: {more} threads, {memory / len(hosts):.0f} KiB each, "
        f"{spent * 100:.2f} % of a processor while idle",
        flush=True,
    )


def _resident() -> int:
    """KiB of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() // 1024


def main() -> None:
    """Measure, and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    factory = SshdFactory(Path(tempfile.mkdtemp()))
    try:
        server = factory.start("MaxStartups 5000", address="0.0.0.0")
        idle("drrun", by_drrun, hosts_of(server, server.port, 300))
        idle("paramiko", by_paramiko, hosts_of(server, server.port, 300))
        compare(f"{count} hosts, near", hosts_of(server, server.port, count), runs)
        with relay(server.port, 0.05) as port:
            compare("50 hosts, 100 ms", hosts_of(server, port, 50), runs)
            compare(f"{count} hosts, 100 ms", hosts_of(server, port, count), runs)
    finally:
        factory.close()


if __name__ == "__main__":
    main()

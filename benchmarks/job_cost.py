"""What a command costs as a job, against the same command over a plain channel and by Fabric.

Real sshd on this machine, one open connection; with a login shell as delivered, and with one that
takes 0.2 s. Prints medians and, against the plain channel, ratios.

Usage: python benchmarks/job_cost.py [COMMANDS]
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import fabric

from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Ended
from drrun.hands.live import LiveHands
from drrun.ports.places import AttemptOrder, Script
from drrun.ssh.connections import Connections
from drrun.ssh.options import SshOptions
from drrun.testing.scripted import MemoryOutput
from tests.sshd import Sshd, SshdFactory

SLOW_LOGIN = 'ForceCommand sleep 0.2; eval "$SSH_ORIGINAL_COMMAND"'


def median(do: Callable[[int], object], times: int) -> float:
    """Milliseconds that one call takes; the first is not counted."""
    taken = []
    for number in range(times + 1):
        began = time.perf_counter()
        do(number)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken[1:])


def measure(server: Sshd, times: int) -> dict[str, float]:
    """Medians by way."""
    host = server.host("h")
    hands = LiveHands(Connections({"h": host}, SshOptions()), {})
    plain = hands.place(host)
    connection = fabric.Connection(
        server.address,
        user=server.user,
        port=server.port,
        connect_kwargs={"key_filename": str(server.identity), "look_for_keys": False},
    )
    never = threading.Event()

    def by_fabric(_: int) -> None:
        connection.run("true", hide=True, in_stream=False)

    def by_channel(_: int) -> None:
        outcome = plain.run(Script("true"), MemoryOutput(), lambda _: None, never)
        assert isinstance(outcome, Ended), outcome

    def by_job(number: int) -> None:
        order = attempt(host, number)
        outcome = hands.perform(order, MemoryOutput(), lambda _: None, never)
        assert isinstance(outcome, Ended), outcome
        hands.forget(order)

    try:
        return {
            "Fabric run()": median(by_fabric, times),
            "plain channel": median(by_channel, times),
            "job, and forgetting it": median(by_job, times),
        }
    finally:
        hands.close()
        connection.close()


def attempt(host: Host, number: int) -> AttemptOrder:
    """One attempt of its own."""
    return AttemptOrder(
        run=RunId("bench"),
        step=StepId("step"),
        target=TargetName("h"),
        attempt=number + 1,
        epoch=1,
        host=host,
        action="run",
        arguments={"text": "true"},
    )


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        for name, extra in (("login shell as delivered", ()), ("login of 0.2 s", (SLOW_LOGIN,))):
            place = Path(folder) / name.replace(" ", "-")
            place.mkdir()
            factory = SshdFactory(place)
            try:
                took = measure(factory.start(*extra), times)
            finally:
                factory.close()
            plain = took["plain channel"]
            print(f"{name}, {times} commands:")
            for way, milliseconds in took.items():
                print(f"  {way:24} {milliseconds:8.1f} ms   x {milliseconds / plain:.2f}")


if __name__ == "__main__":
    main()

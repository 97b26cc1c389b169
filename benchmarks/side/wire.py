"""A wire between two network namespaces: holds every packet back for half a round trip.

Started by `world`, never by hand. Kernels often lack netem; two tun devices and this program do
the same for packets, so that handshakes and acknowledgements take their time too.

Rules:
- Packets keep their order, none is lost or changed.
- Orders come on standard input, one a line: `delay SECONDS`, or `count` for how many TCP segments
  with data went to the hosts and came back. Each is answered with a line.
"""

import select
import sys
import time
from collections import deque
from contextlib import suppress
from os import read, write

_LARGEST = 65_536


def carries_data(packet: bytes) -> bool:
    """Whether an IP packet is a TCP segment that is more than a header."""
    if packet[0] >> 4 != 4 or packet[9] != 6:
        return False
    header = (packet[0] & 15) * 4
    return int.from_bytes(packet[2:4], "big") > header + (packet[header + 12] >> 4) * 4


class Direction:
    """One way of the wire."""

    def __init__(self, source: int, sink: int) -> None:
        self.source, self.sink = source, sink
        self.data = 0
        self._held: deque[tuple[float, bytes]] = deque()

    def take(self, delay: float) -> None:
        """Hold what has arrived."""
        with suppress(BlockingIOError):
            while True:
                packet = read(self.source, _LARGEST)
                self.data += carries_data(packet)
                self._held.append((time.monotonic() + delay, packet))

    def give(self) -> float | None:
        """Deliver what is due; seconds until the next is, if there is one."""
        while self._held:
            left = self._held[0][0] - time.monotonic()
            if left > 0:
                return left
            write(self.sink, self._held.popleft()[1])
        return None


def main() -> None:
    near, far = (int(each) for each in sys.argv[1:])
    there, back = Direction(near, far), Direction(far, near)
    delay = 0.0
    print("ready", flush=True)
    while True:
        waits = [left for left in (there.give(), back.give()) if left is not None]
        ready = select.select([near, far, sys.stdin], [], [], min(waits, default=None))[0]
        for way in (there, back):
            if way.source in ready:
                way.take(delay)
        if sys.stdin in ready:
            match sys.stdin.readline().split():
                case ["delay", seconds]:
                    delay = float(seconds)
                    print("ok", flush=True)
                case ["count"]:
                    print(there.data, back.data, flush=True)
                case _:
                    return


if __name__ == "__main__":
    main()

"""A relay that delays bytes, for tests and benchmarks of far hosts; in a process of its own.

    with relay(server.port, 0.05) as port:      # a round trip of 100 ms
        host = server.host("db1", routes=(Route("127.0.0.1", port=port),))

Rules:
- Each byte arrives `delay` seconds after it was sent, in order; nothing else is slowed down.
- It listens on all addresses of the loopback network, so each can stand for a host.
- Connecting is not delayed: that is done by the kernel, before the relay is asked.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65536


@contextmanager
def relay(port: int, delay: float) -> Iterator[int]:
    """Relay to a port of this machine; the port to connect to instead."""
    command = [sys.executable, __file__, str(port), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def _serve(port: int, delay: float) -> None:
    async def pair(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pass_on(reader, there[1], delay), _pass_on(there[0], writer, delay))

    server = await asyncio.start_server(pair, "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - whoever started it reads
    await server.serve_forever()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float
) -> None:
    """Pass bytes on in one direction, then their end."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()

    delivering = asyncio.create_task(deliver())
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            queue.put_nowait((loop.time() + delay, data))
    queue.put_nowait((loop.time() + delay, b""))
    with suppress(OSError):
        await delivering
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))

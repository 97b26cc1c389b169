"""asyncssh: a task for each host in one thread, a channel for each command."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import asyncssh


class Run:
    """One piece of work in progress."""

    def __init__(self, work: dict[str, Any]) -> None:
        self._work = work
        ids = {step["id"] for lane in work["lanes"] for step in lane["steps"]}
        self._done = {each: asyncio.Event() for each in ids}
        self._ends: dict[str, float] = {}

    async def drive(self) -> dict[str, float]:
        """Execute all lanes at once; when each step ended."""
        await asyncio.gather(*map(self._lane, self._work["lanes"]))
        return self._ends

    async def _lane(self, lane: dict[str, Any]) -> None:
        connection = await asyncssh.connect(
            lane["address"],
            lane["port"],
            username=self._work["user"],
            client_keys=[self._work["identity"]],
            known_hosts=None,
            config=None,
            agent_path=None,
            login_timeout=120,
        )
        for step in lane["steps"]:
            for each in step["needs"]:
                await self._done[each].wait()
            for command in step["commands"]:
                await self._command(connection, command)
            self._ends[step["id"]] = time.time()
            self._done[step["id"]].set()

    async def _command(self, connection: asyncssh.SSHClientConnection, command: str) -> None:
        kept = self._work["keep_output"]
        where = {"stdout": kept, "encoding": None} if kept else {}
        await connection.run(command, check=True, **where)


async def main(work: dict[str, Any]) -> None:
    print(json.dumps(await Run(work).drive()), flush=True)
    # As in `lanes`: closing is no part of the comparison.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text("utf-8"))))

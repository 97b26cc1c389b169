"""What all peers with threads have in common: a lane for each host, a connection for each lane.

Usage of a peer: PYTHON PEER.py WORK.json. It prints when each step ended, as JSON.

Rules:
- Uses the standard library only: each peer runs in an environment of its own.
- Any command that does not exit with 0 ends the peer with an error: all have done the same work.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Executes a command on an open connection and returns its exit status; what it prints goes
#: to the given function.
Call = Callable[[str, Callable[[bytes], Any]], int]
#: From the work and its lane to an open connection.
Connect = Callable[[dict[str, Any], dict[str, Any]], Call]


def drop(_: bytes) -> None:
    """Where output goes that nobody wants."""


class Run:
    """One piece of work in progress."""

    def __init__(self, work: dict[str, Any], connect: Connect) -> None:
        self._work, self._connect = work, connect
        ids = {step["id"] for lane in work["lanes"] for step in lane["steps"]}
        self._done = {each: threading.Event() for each in ids}
        self._ends: dict[str, float] = {}
        self._failure: BaseException | None = None

    def drive(self) -> dict[str, float]:
        """Execute all lanes at once; when each step ended."""
        threading.stack_size(256 * 1024)
        lanes = [threading.Thread(target=self._lane, args=(e,)) for e in self._work["lanes"]]
        for each in lanes:
            each.start()
        for each in lanes:
            each.join()
        if self._failure:
            raise self._failure
        return self._ends

    def _lane(self, lane: dict[str, Any]) -> None:
        try:
            call = self._connect(self._work, lane)
            for step in lane["steps"]:
                self._step(call, step)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            self._failure = error
            for each in self._done.values():
                each.set()

    def _step(self, call: Call, step: dict[str, Any]) -> None:
        for each in step["needs"]:
            self._done[each].wait()
        for command in step["commands"]:
            code = self._keep(call, command)
            if code:
                raise RuntimeError(f"{command} exited with {code}")
        self._ends[step["id"]] = time.time()
        self._done[step["id"]].set()

    def _keep(self, call: Call, command: str) -> int:
        if not self._work["keep_output"]:
            return call(command, drop)
        with Path(self._work["keep_output"]).open("wb") as file:
            return call(command, file.write)


def main(connect: Connect) -> None:
    """Do the work that the command line names, and leave at once."""
    work = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    print(json.dumps(Run(work, connect).drive()), flush=True)
    # Closing hundreds of connections politely is no part of the comparison.
    os._exit(0)

"""`wait` for a TTL: as long as caches may keep the current record of a DNS name.

Rules:
- It asks the authoritative servers; the longest TTL counts. It must ask before the record changes:
  afterwards the servers give the new TTL.
- This action only finds the TTL; the engine waits. The journal holds the end of the wait, so the
  wait survives the end of this process.
"""

import time

from drrun.builtin.probes.dns import Unresolved, ask_server, read, servers_of
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.ports.places import ActionCall

#: Time limit for finding the TTL, in seconds.
_WITHIN = 20.0


class WaitForTtl:
    """Finds out how long to wait."""

    def perform(self, call: ActionCall) -> Outcome:
        """Ask all servers for the TTL; the outcome carries the length of the wait."""
        name = str(call.order.arguments["ttl"])
        deadline = time.monotonic() + _WITHIN
        ask = {"name": name, "server": call.order.arguments.get("server")}
        try:
            servers = servers_of(ask, deadline)
            answers = [ask_server(each, name, "A", deadline) for each in servers]
        except (Unresolved, OSError) as error:
            return NeverStarted(f"cannot find the TTL of {name}: {error}")
        found = [read(answer, "ttl") for answer in answers]
        longest = max((int(each.text) for each in found if each.present), default=None)
        if longest is None:
            return NeverStarted(f"there is no A record of {name} whose TTL could be waited for")
        call.output.write("stdout", f"{name}: TTL {longest} s\n".encode())
        return Ended(0, facts={"ttl": longest, "wait": float(longest)})

"""`wait` for a TTL: as long as caches may keep what a DNS name says now.

Rules:
- The TTL is asked of the authoritative servers, and the longest counts. It is found before the
  record is changed; a wait after the change would take the new TTL.
- Found here, waited out by the engine: the end of the wait is in the journal and outlives us.
"""

import time
from collections.abc import Callable

from drrun.builtin.probes.dns import Unresolved, ask_server, read, servers_of
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.ports.clock import Cancel
from drrun.ports.places import AttemptOrder, AttemptProgress, Output, Remote

#: Seconds to find the TTL out.
_WITHIN = 20.0


class WaitForTtl:
    """Finds out how long to wait."""

    def perform(
        self,
        order: AttemptOrder,
        place: Remote,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Ask all servers for the TTL; the outcome carries the length of the wait."""
        del place, tell, cancel
        name = str(order.arguments["ttl"])
        deadline = time.monotonic() + _WITHIN
        ask = {"name": name, "server": order.arguments.get("server")}
        try:
            servers = servers_of(ask, deadline)
            answers = [ask_server(each, name, "A", deadline) for each in servers]
        except (Unresolved, OSError) as error:
            return NeverStarted(f"the TTL of {name} cannot be found out: {error}")
        found = [read(answer, "ttl") for answer in answers]
        longest = max((int(each.text) for each in found if each.present), default=None)
        if longest is None:
            return NeverStarted(f"there is no A record of {name} whose TTL could be waited for")
        output.write("stdout", f"{name}: TTL {longest} s\n".encode())
        return Ended(0, facts={"ttl": longest, "wait": float(longest)})

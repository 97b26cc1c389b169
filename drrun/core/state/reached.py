"""Which hosts answered on which boot; and since which boot an attempt can have been asked for.

Rules:
- A controller records that it reached a host before it asks anything of it. So what was never
  reached was never asked, and what a host forgets with a reboot is known to be forgotten.
- Controllers of older versions did not: after them that cannot be told.
"""

from collections.abc import Iterable
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import TargetKey

#: For an attempt of which it cannot be told.
UNKNOWN = "-"
#: The line of a journal that nobody has overruled.
FIRST_LINE = "00000000"


@dataclass(slots=True)
class Reached:
    """What is known of a run's hosts."""

    #: Host -> the boot on which it was reached last; "" is the controller's own machine.
    boots: dict[str, str] = field(default_factory=dict)
    #: The boot of its host since which a target's attempt can have been asked for; "" if it was
    #: not reached since the attempt was intended.
    asked_on: dict[TargetKey, str] = field(default_factory=dict)
    #: Whoever drives records what it reaches.
    recorded: bool = False
    #: Names of the lines of this journal: the first, and one more for each time at which people
    #: let it count although another one had gone on. What hosts know of earlier ones is overruled.
    lines: tuple[str, ...] = (FIRST_LINE,)

    def intend(self, key: TargetKey, host: str) -> None:
        """An attempt was intended."""
        self.asked_on[key] = self.boots.get(host, "") if self.recorded else UNKNOWN

    def reach(self, host: str, boot: str, in_flight: Iterable[TargetKey]) -> None:
        """A host answered; `in_flight` are the targets that may have attempts there."""
        self.boots[host] = boot
        for key in in_flight:
            if self.asked_on.get(key) == "":
                self.asked_on[key] = boot

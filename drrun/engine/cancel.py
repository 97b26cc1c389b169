"""One reason to stop, made of two."""

import math

from drrun.core.dataclass import dataclass
from drrun.ports.clock import Cancel


@dataclass(frozen=True, slots=True)
class AnyCancel:
    """A `Cancel` that is set as soon as one of two is set."""

    one: Cancel
    other: Cancel

    def is_set(self) -> bool:
        """Whether to stop, for either reason."""
        return self.one.is_set() or self.other.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until either is set; looks at the second four times a second."""
        left = math.inf if timeout is None else timeout
        while not self.is_set() and left > 0:
            self.one.wait(min(left, 0.25))
            left -= 0.25
        return self.is_set()

"""What a look at the state comes to: wishes, and when to look again."""

from collections import Counter
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import TargetKey
from drrun.core.rules import wishes as w


@dataclass(slots=True)
class WakeUp:
    """When to look again at the latest; None: not before something happens."""

    wake_at: float | None = None

    def wake(self, at: float) -> None:
        """Look again at `at`, or earlier."""
        if self.wake_at is None or at < self.wake_at:
            self.wake_at = at


@dataclass(slots=True)
class Decision(WakeUp):
    """What to do now, and when to ask again at the latest."""

    wishes: list[w.Wish] = field(default_factory=list)
    #: Locks that the wishes will take.
    locks: Counter[str] = field(default_factory=Counter)
    #: Active targets of which nothing follows until something happens to them, or until then.
    resting: dict[TargetKey, float | None] = field(default_factory=dict)
    #: Those of which nothing follows before there is a place for anybody, or until then.
    wanting: dict[TargetKey, float | None] = field(default_factory=dict)

"""Everybody else in the story: providers and night jobs, who do something once something happened.

Rules:
- They see files of the world and act on the world, nothing more; each acts once.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from drrun.core.dataclass import dataclass
from drrun.demo.demo_world import LOST, TO_COME, DemoWorld
from drrun.demo.farm import FRONT, Farm

#: Seconds between looks.
_LOOK = 0.05


@dataclass(slots=True)
class Reaction:
    """What somebody does after something happened."""

    #: Glob below the world's folder; a match is the cause.
    when: str
    #: Seconds.
    after: float
    act: Callable[[], None]
    waited: float = 0.0
    over: bool = False


def others(world: DemoWorld, farm: Farm) -> Sequence[Reaction]:
    """Who does what in this story."""

    def arrive(names: frozenset[str]) -> None:
        for name in sorted(names):
            farm.up(name)
            world.connect(name)

    def abuse_desk() -> None:
        inbox = world.host("desk.ops") / "inbox"
        inbox.mkdir()
        (inbox / "abuse").write_text("Thank you. Your account is in normal standing.\n")

    def open_front() -> None:
        for door in FRONT:
            farm.up(door)

    return (
        Reaction("hosts/desk.ops/outbox/ovh.*", 0.6, lambda: arrive(TO_COME)),
        Reaction("hosts/desk.ops/outbox/abuse.*", 0.5, abuse_desk),
        Reaction("hosts/desk.ops/outbox/colo.*", 3.0, lambda: arrive(LOST)),
        Reaction("hosts/gw.ovh/run/nft/nat", 0.0, open_front),
        Reaction("hosts/git1.ams/srv/incoming/wlroots.bundle", 0.2, world.finish_backup),
    )


def react(world: DemoWorld, reactions: Sequence[Reaction], stop: threading.Event) -> None:
    """Look and act until `stop`, in a thread of its own."""
    threading.Thread(target=_react, args=(world, reactions, stop), daemon=True).start()


def _react(world: DemoWorld, reactions: Sequence[Reaction], stop: threading.Event) -> None:
    while not stop.wait(_LOOK) and not all(each.over for each in reactions):
        for each in reactions:
            if each.over or (not each.waited and not any(world.root.glob(each.when))):
                continue
            each.waited += _LOOK
            if each.waited > each.after:
                each.over = True
                # The servers end before this thread does.
                with suppress(OSError):
                    each.act()

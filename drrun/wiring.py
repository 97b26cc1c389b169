"""The one place where concrete meets port.

Rules:
- Nothing is opened, read or contacted by importing this, and as little as can be by calling it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, assert_never

from drrun.cases.load_plan import LoadedPlan
from drrun.cases.preflight import PreflightTools
from drrun.cases.read_run import ReadRun
from drrun.cases.start import RunTools, ToolFactory
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError
from drrun.core.model.runbook import Mode
from drrun.engine.notifying import Notifier
from drrun.journal.system_clock import SystemClock
from drrun.ports.hands import Hands, Sweeper
from drrun.ports.places import BuiltInAction


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How this machine reaches hosts."""

    #: Another SSH configuration than the user's own.
    ssh_config: Path | None = None
    #: Folders besides the runbook's own that files may be fetched into.
    fetch_into: tuple[Path, ...] = ()

    def of_run(self, recorded: Mapping[str, Any]) -> "SshSettings":
        """These, and where they say nothing what a run was started with.

        Args:
            recorded: The options of the run.

        Raises:
            InputError: Its SSH configuration is not on this machine.
        """
        config, folders = self.ssh_config, self.fetch_into
        if config is None and "ssh_config" in recorded:
            config = Path(recorded["ssh_config"])
            if not config.is_file():
                raise InputError(
                    f"the run was started with --ssh-config {config}, and there is no such file "
                    "here. Give the one to use: --ssh-config FILE"
                )
        return SshSettings(config, folders or tuple(map(Path, recorded.get("fetch_into", ()))))


def notifiers_of(declared: Sequence[Mapping[str, Any]]) -> list[Notifier]:
    """The ways to reach people that the settings declare.

    Raises:
        InputError: One of them says something that cannot be.
    """
    if not declared:
        return []
    from drrun.builtin.notifiers import notifiers

    try:
        return notifiers(declared)
    except ValueError as error:
        raise InputError(f"settings: {error}") from None


def sweeper(world: SshSettings) -> Callable[[ReadRun], Sweeper]:
    """Makes what looks for leftovers on the hosts of a run."""

    def equip(seen: ReadRun) -> Sweeper:
        from drrun.builtin.secrets import SecretSources
        from drrun.hands.lanes import Lanes
        from drrun.hands.sweeping import LauncherSweeper
        from drrun.ssh.connections import Connections
        from drrun.ssh.options import SshOptions

        plan, config = seen.loaded.plan, world.of_run(seen.state.options).ssh_config
        secrets = SecretSources(plan.runbook.secrets, seen.loaded.folder)
        options, hosts = SshOptions(config=config), plan.inventory.hosts
        return LauncherSweeper(Lanes(Connections(hosts, options, secrets.resolve)))

    return equip


def equipper(world: SshSettings, ways: Sequence[Notifier] = ()) -> ToolFactory:
    """Makes the tools of a run: hands that act over SSH and on this machine."""

    def equip(loaded: LoadedPlan, recorded: Mapping[str, Any]) -> RunTools:
        from drrun.builtin.actions import actions, reading_actions
        from drrun.builtin.probes import Probes, judge
        from drrun.builtin.secrets import SecretSources
        from drrun.builtin.signatures import SshSignatures
        from drrun.files.templates.templating import Templates
        from drrun.hands.blocking import PooledHands
        from drrun.hands.dry_hands import DryHands
        from drrun.hands.live import LiveHands, LivePlaces
        from drrun.ssh.connections import Connections
        from drrun.ssh.options import SshOptions

        renderer = Templates()
        own, hosts = world.of_run(recorded), loaded.plan.inventory.hosts
        secrets = SecretSources(loaded.plan.runbook.secrets, loaded.folder)
        connections = Connections(hosts, SshOptions(config=own.ssh_config), secrets.resolve)
        hands: Hands
        match loaded.plan.mode:
            case Mode.DRY_RUN:
                probes = Probes(LivePlaces(connections))
                reading = reading_actions(renderer, probes, hosts)
                hands = PooledHands(DryHands(connections, reading))
            case Mode.LIVE | Mode.REHEARSAL:
                known: dict[str, BuiltInAction] = {}
                live = LiveHands(connections, known, judge)
                probes = Probes(live)
                known.update(actions(renderer, probes, hosts, ways, own.fetch_into))
                hands = live
            case Mode.TABLETOP:
                raise AssertionError("a tabletop contacts nothing: it needs no hands")
            case _:
                assert_never(loaded.plan.mode)
        people = loaded.plan.runbook.people.values()
        signatures = SshSignatures({each.name: each.keys for each in people})
        return RunTools(hands, probes, renderer, secrets, signatures)

    return equip


def eyes(world: SshSettings, loaded: LoadedPlan) -> PreflightTools:
    """What looks at hosts before a run, each time over a connection of its own."""
    from drrun.builtin.probes import Probes
    from drrun.builtin.secrets import SecretSources
    from drrun.engine.captured import CapturedOutput
    from drrun.hands.live import LivePlaces
    from drrun.ssh.connections import Connections
    from drrun.ssh.options import SshOptions

    hosts, options = loaded.plan.inventory.hosts, SshOptions(config=world.ssh_config)
    secrets = SecretSources(loaded.plan.runbook.secrets, loaded.folder)
    return PreflightTools(
        place=lambda host: LivePlaces(Connections(hosts, options, secrets.resolve)).place(host),
        secrets=secrets,
        clock=SystemClock(),
        collect=CapturedOutput,
        prober=Probes(LivePlaces(Connections(hosts, options, secrets.resolve))),
    )

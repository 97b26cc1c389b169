"""One lab, from power on to nothing left.

Rules:
- One process (the keeper) is PID 1 of everything in the lab; ending it ends all of it, because
  the kernel does the cleaning.
- Whoever uses a lab holds the lock of its folder; a folder that nobody holds is left over.
- Nothing of the machine is named, mounted or linked: only the folder below `LABS` can be seen.
"""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab import ground, inventory, network
from tests.lab.faults import Faults
from tests.lab.host import LabHost
from tests.lab.namespaces import LabBroken, born, demand, end, enter, kill, must, program, until
from tests.lab.operator import Operator
from tests.lab.sweep import LABS, hold, remains, sweep
from tests.lab.topology import SITES, HostPlan, Topology

#: Seconds that the keeper may take to make the router, and to die.
_KEEPER_WITHIN = 20.0
_SCRIPTS = ("keeper.sh", "start.sh", "init.sh", "operator.sh")


class Lab:
    """Sites, hosts and an operator's place; the package's docstring shows its use."""

    def __init__(self, topology: Topology = SITES, *, kept: bool = False) -> None:
        """Plan it; nothing happens before `up`.

        Args:
            topology: what it consists of.
            kept: True: it goes on when this program ends; False: it dies with this program.
        """
        self.topology = topology
        self.kept = kept
        self.id = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = -1
        self._begun: list[subprocess.Popen[str]] = []

    @property
    def folder(self) -> Path:
        """Everything of it that the machine can see."""
        return LABS / self.id

    @property
    def keeper(self) -> int:
        """Its PID 1, as the machine counts.

        Raises:
            LabBroken: it is not up.
        """
        path = self.folder / "keeper"
        pid = int(path.read_text()) if self.id and path.exists() else 0
        if not pid or not born(pid):
            raise LabBroken(f"lab {self.id or '(never up)'} is not up")
        return pid

    @property
    def operator(self) -> Operator:
        """Where drrun runs."""
        return Operator(self.topology.operator, self.folder / "operator", self.id, self._begun)

    @property
    def faults(self) -> Faults:
        """What can be broken."""
        return Faults(self.topology, self.keeper, self.host)

    @property
    def identity(self) -> Path:
        """The private key that opens every account of every host."""
        return self.folder / "keys" / "key"

    @property
    def known_hosts(self) -> str:
        """Lines of known_hosts for all hosts."""
        return ground.known_hosts(self.folder / "keys", self.topology)

    def host(self, name: str) -> LabHost:
        """A host by name, or by the first part of its name if that is enough."""
        plan = self.topology.host(name)
        key = (self.folder / "keys" / f"host-{plan.name}.pub").read_text().split()
        folder = self.folder / "hosts" / plan.name
        return LabHost(plan, folder, " ".join(key[:2]), self._begun)

    @property
    def hosts(self) -> tuple[LabHost, ...]:
        """All of them, in the order of the topology."""
        return tuple(self.host(plan.name) for plan in self.topology.hosts)

    def inventory_hosts(self, **more: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The hosts as drrun's inventory writes them; `inventory.hosts_of` says how."""
        return inventory.hosts_of(self.topology, self.identity, self.hosts, more)

    def write_inventory(
        self,
        path: Path,
        groups: Mapping[str, Any] | None = None,
        routes: Mapping[str, list[dict[str, Any]]] | None = None,
        **more: Any,
    ) -> Path:
        """Write an inventory of this lab; `more` are further parts (`vars=`, `stores=`)."""
        hosts = self.inventory_hosts()
        for name, ways in (routes or {}).items():
            hosts[self.topology.host(name).name]["routes"] = ways
        return inventory.write(path, self.topology, hosts, {"groups": groups or {}, **more})

    def route(self, prefix: str, host: str) -> None:
        """Let the router send a prefix (`203.0.113.80/32`) to a host, as a provider would."""
        goal = self.topology.host(host).address
        change = ["ip", "route", "replace", prefix, "via", goal]
        must([*enter(self.keeper, "net", "mount"), *change])

    def up(self) -> Self:
        """Start it all, and wait until every host has booted; first sweeps what was left over.

        Raises:
            NotHere: this machine cannot; nothing was done.
            LabBroken: it did not come up; nothing is left of it.
        """
        demand()
        sweep()
        try:
            self._claim()
            self._prepare()
            self._start_keeper()
            self._lay_ground()
            self._boot()
            if self.kept:
                (self.folder / "stay").touch()
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        """End all of it; nothing is left. Harmless if it is not up."""
        if not self.id:
            return
        with suppress(LabBroken):
            keeper = self.keeper
            kill(remains(self.id, keeper))
            kill([keeper])
            if not until(lambda: not born(keeper), _KEEPER_WITHIN):
                raise LabBroken(f"lab {self.id}: process {keeper} does not die")
        if self._process is not None:
            if self._process.stdin:
                self._process.stdin.close()
            self._process.wait()
        for process in self._begun:
            end(process)
        self._begun.clear()
        kill(remains(self.id))
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
        self._lock, self._process, self.id = -1, None, ""

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    @classmethod
    def attach(cls, lab_id: str) -> "Lab":
        """A lab that somebody else has started and that is up.

        Raises:
            LabBroken: there is none.
        """
        path = LABS / lab_id / "lab.json"
        if not path.exists():
            raise LabBroken(f"there is no lab {lab_id}")
        lab = cls(Topology.from_json(json.loads(path.read_text())), kept=True)
        lab.id = lab_id
        lab.keeper  # noqa: B018 - raises if it is gone
        return lab

    def _claim(self) -> None:
        """Make the folder and hold its lock, against sweepers."""
        while not self.id:
            lab_id = secrets.token_hex(3)
            folder = LABS / lab_id
            folder.mkdir(parents=True, mode=0o711)
            lock = hold(folder)
            # A sweeper may have been quicker, and taken the folder for left over.
            if lock is not None and (folder / "lock").exists():
                self.id, self._lock = lab_id, lock
            elif lock is not None:
                os.close(lock)

    def _prepare(self) -> None:
        """Everything that the scripts read."""
        folder, topology = self.folder, self.topology
        for name in ("disk", "keys", "hosts", "operator"):
            (folder / name).mkdir()
        for name in _SCRIPTS:
            shutil.copy(ground.HERE / name, folder / name)
        ground.make_keys(folder / "keys", topology)
        (folder / "router").touch()
        (folder / "router.batch").write_text(network.router_batch(topology))
        (folder / "router.nft").write_text(network.ROUTER_RULES)
        (folder / "kept").write_text("".join(f"{each}\n" for each in ground.kept_folders()))
        (folder / "operator" / "resolv.conf").touch()
        for plan in (*topology.hosts, topology.operator):
            self._write_batches(plan)
        (folder / "lab.json").write_text(json.dumps(topology.as_json()))

    def _write_batches(self, plan: HostPlan) -> None:
        is_operator = plan == self.topology.operator
        folder = self.folder / "operator" if is_operator else self.folder / "hosts" / plan.name
        folder.mkdir(exist_ok=True)
        (folder / "router.batch").write_text(network.port_batch(self.topology, plan))
        (folder / "host.batch").write_text(network.host_batch(self.topology, plan))

    def _start_keeper(self) -> None:
        command = [
            program("unshare"),
            "--mount",
            "--net",
            "--uts",
            "--pid",
            "--fork",
            "--kill-child",
        ]
        script = str(self.folder / "keeper.sh")
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "sh", script, str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # The lock lives as long as the keeper or we do.
                pass_fds=[self._lock],
                start_new_session=True,
                cwd="/",
            )
        process = self._process
        until(
            lambda: (self.folder / "keeper").exists() or process.poll() is not None, _KEEPER_WITHIN
        )
        if not (self.folder / "keeper").exists():
            raise LabBroken(f"the lab has no router: {(self.folder / 'log').read_text()}")

    def _lay_ground(self) -> None:
        """Fill the layer that all hosts share, and each host's own disk."""
        disk = Path(f"/proc/{self.keeper}/root{self.folder}/disk")
        (disk / "ground").mkdir()
        ground.lay(disk / "ground", self.folder / "keys", self.topology)
        for plan in self.topology.hosts:
            upper = disk / "hosts" / plan.name / "upper"
            ground.own(upper, plan.name, self.folder / "keys" / f"host-{plan.name}")

    def _boot(self) -> None:
        """Start everybody at once, and wait."""
        inside = enter(self.keeper, "mount", "net", "uts", "pid")
        names = [plan.name for plan in self.topology.hosts]
        must([*inside, "sh", str(self.folder / "start.sh"), str(self.folder), *names])
        for host in self.hosts:
            host.wait_up()
        if not until((self.folder / "operator" / "pid").exists, _KEEPER_WITHIN):
            log = (self.folder / "operator" / "log").read_text()
            raise LabBroken(f"the operator's place did not come up: {log}")

"""What happens in the demonstration besides the run: servers, people, the colo, the abuse desk.

Rules:
- The runbook is the one in runbooks/, unchanged; the inventory is the one in inventory/ with other
  addresses. The run's mode is rehearsal, so that nobody ever takes its record for a migration.
- Whatever the demonstration does in somebody's place says so in the record.
"""

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from drrun.core.errors import InputError
from drrun.core.events import Event, GateOpened
from drrun.core.ids import StepId
from drrun.core.runbook import Mode
from drrun.demo.farm import USER, Farm
from drrun.demo.world import LOST, make_world
from drrun.engine.cases.load import Loaded, Wanted, load
from drrun.engine.ports import Clock, Entry, Inbox
from drrun.engine.session import Session
from drrun.files.written import plain_value
from drrun.files.yaml_reader import read_yaml

#: Seconds after which a person answers, PHL is reached by the side door, OVH closes the case.
ANSWER_AFTER = 0.7
OUT_OF_BAND_AFTER = 5.0
CASE_CLOSED_AFTER = 4.0
#: Seconds that a transfer takes.
PACE = 0.5


@dataclass(frozen=True, slots=True)
class Demo:
    """A running world and the plan for it."""

    loaded: Loaded
    folder: Path
    farm: Farm
    hosts: Mapping[str, Path]

    def attend(self, session: Session, inbox: Inbox, clock: Clock) -> None:
        """Let the others in the story act once the session is driven."""
        people = _People(session, inbox, clock)
        session.subscribe(people.told)
        _later(OUT_OF_BAND_AFTER, self._lend_subnet)
        _later(CASE_CLOSED_AFTER, self._close_case)

    def _lend_subnet(self) -> None:
        for name in sorted(LOST):
            with suppress(OSError):
                self.farm.up(name)

    def _close_case(self) -> None:
        (self.hosts["gw.ovh"] / "net" / "abuse-case").unlink(missing_ok=True)


@contextmanager
def demonstration() -> Iterator[Demo]:
    """A world with its servers, and the plan of the migration; gone afterwards.

    Raises:
        InputError: The examples are not there.
    """
    examples = _examples()
    folder = Path(tempfile.mkdtemp(prefix="drrun-demo-"))
    try:
        hosts = make_world(folder / "hosts")
        with Farm.start(hosts, folder / "keys", down=LOST) as farm:
            inventory = folder / "inventory.yml"
            inventory.write_text(_inventory(examples / "inventory" / "sites.yml", farm, hosts))
            runbook = examples / "runbooks" / "sourcehut-migration.yml"
            wanted = Wanted(runbook, [inventory], {"pace": PACE}, Mode.REHEARSAL)
            yield Demo(load(wanted), folder, farm, hosts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _examples() -> Path:
    """Where runbooks/ and inventory/ are: in the package, or beside it in a checkout."""
    package = Path(str(files("drrun.demo")))
    for place in (package, package.parents[1]):
        if (place / "runbooks" / "sourcehut-migration.yml").is_file():
            return place
    raise InputError("the examples are not part of this installation; get them with the source")


def _inventory(example: Path, farm: Farm, hosts: Mapping[str, Path]) -> str:
    """The example's inventory, for servers on this machine."""
    written, findings = read_yaml(example.read_bytes(), str(example))
    if written is None or findings:
        raise InputError(findings)
    document: dict[str, Any] = plain_value(written)
    for name, host in document["hosts"].items():
        here = {"address": "127.0.0.1", "port": farm.ports[name]}
        host["routes"] = [here]
        if name in LOST:
            # The way through the colo is null-routed; the one through OVH opens later.
            dead = {"name": "colo", "address": "127.0.0.1", "port": 9}
            host["routes"] = [dead, {"name": "oob", **here, "via": ["gw.ovh"]}]
        host["user"] = USER
        host["identity"] = str(farm.identity)
        host["host_key"] = farm.host_keys[name]
    document["vars"] = {
        "standby": str(hosts["db1.fre"] / "db"),
        "backups": str(hosts["bk1.fre"]),
        "phl_git": str(hosts["git1.phl"] / "bundles"),
        "phl_objects": str(hosts["s3.phl"] / "objects"),
        "ams_db": str(hosts["db1.ams"] / "db"),
        "ams_git": str(hosts["git1.ams"] / "git"),
        "transfer": str(hosts["ns2"]),
    }
    for contact in document.get("contacts", {}).values():
        contact.pop("verified", None)
    # JSON is YAML, and leaves no doubt about what is text.
    return json.dumps(document, indent=1)


class _People:
    """Answers gates in people's place, and says so."""

    def __init__(self, session: Session, inbox: Inbox, clock: Clock) -> None:
        self._session = session
        self._inbox = inbox
        self._clock = clock

    def told(self, entry: Entry, event: Event) -> None:
        """Take notice of an entry; called by the controller, so it must return at once."""
        del entry
        if isinstance(event, GateOpened) and event.gate == "manual":
            _later(ANSWER_AFTER, lambda: self._answer(event))

    def _answer(self, gate: GateOpened) -> None:
        owner = self._session.state.plan.runbook.steps[StepId(gate.step)].owner
        reason = f"answered by the demonstration itself; in a real run {owner or 'somebody'} does"
        body = {"step": gate.step, "target": gate.target, "reason": reason}
        self._inbox.post(self._session.run, self._clock.now(), "demo", "confirm", body)


def _later(seconds: float, act: Any) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()

"""What happens in the demonstration besides the run: servers, people, the colo, the abuse desk.

Rules:
- The runbook is the one in runbooks/, unchanged; the inventory is the one in inventory/ with other
  addresses. The run's mode is rehearsal, so that nobody ever takes its record for a migration.
- Whatever the demonstration does in somebody's place says so in the record. It answers what the
  runbook asks of people, and nothing that should not have happened.
"""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from importlib.resources import files
from pathlib import Path
from typing import Any

from drrun.cases.load_plan import LoadedPlan, PlanRequest, load
from drrun.core.dataclass import dataclass
from drrun.core.events import Event, GateOpened
from drrun.core.model.errors import InputError
from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Mode
from drrun.demo.demo_world import LOST, TO_COME, DemoWorld, make_world
from drrun.demo.farm import USER, Farm
from drrun.demo.others import others, react
from drrun.engine.session import Session
from drrun.files.yaml.written import plain_value
from drrun.files.yaml.yaml_reader import read_yaml
from drrun.ports.clock import Clock
from drrun.ports.journal import Entry, Inbox

#: Seconds after which a person answers.
ANSWER_AFTER = 0.7
#: Inputs of the runbook: nobody waits an hour for a TTL that nobody has asked for.
INPUTS = {"old_ttl": "1s"}
#: The runbook's secret, which nobody will find in what is recorded.
SECRET = {"DR_AMS_SUBNET": "10.31.77"}


@dataclass(frozen=True, slots=True)
class Demo:
    """A running world and the plan for it."""

    loaded: LoadedPlan
    world: DemoWorld
    farm: Farm
    _over: threading.Event = field(default_factory=threading.Event)

    def attend(self, session: Session, inbox: Inbox, clock: Clock) -> None:
        """Let the others in the story act once the session is driven."""
        session.subscribe(_People(session, inbox, clock).told)
        react(self.world, others(self.world, self.farm), self._over)

    def leave(self) -> None:
        """Let nobody act any more."""
        self._over.set()


@contextmanager
def demonstration() -> Iterator[Demo]:
    """A world with its servers, and the plan of the migration; gone afterwards.

    Raises:
        InputError: The examples are not there.
    """
    examples = _examples()
    os.environ.update(SECRET)
    folder = Path(tempfile.mkdtemp(prefix="drrun-demo-"))
    try:
        document = _read(examples / "inventory" / "sites.yml")
        world = make_world(folder / "world", document["vars"]["front_address"])
        with Farm.start(world, folder / "keys", down=LOST | TO_COME) as farm:
            inventory = folder / "inventory.yml"
            # JSON is YAML, and leaves no doubt about what is text.
            inventory.write_text(json.dumps(_moved(document, farm), indent=1))
            runbook = examples / "runbooks" / "sourcehut-migration.yml"
            demo = Demo(
                load(PlanRequest(runbook, [inventory], INPUTS, Mode.REHEARSAL)), world, farm
            )
            try:
                yield demo
            finally:
                demo.leave()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _examples() -> Path:
    """Where runbooks/ and inventory/ are: in the package, or beside it in a checkout."""
    package = Path(str(files("drrun.demo")))
    for place in (package, package.parents[1]):
        if (place / "runbooks" / "sourcehut-migration.yml").is_file():
            return place
    raise InputError("the examples are not part of this installation; get them with the source")


def _read(path: Path) -> dict[str, Any]:
    written, findings = read_yaml(path.read_bytes(), str(path))
    if written is None or findings:
        raise InputError(findings)
    document: dict[str, Any] = plain_value(written)
    return document


def _moved(document: dict[str, Any], farm: Farm) -> dict[str, Any]:
    """The example's inventory, for servers on this machine that play the parts of its hosts."""
    document["stand_ins"] = True
    for name, host in document["hosts"].items():
        here = {"address": "127.0.0.1", "port": farm.ports[name]}
        # The route through the colo is null-routed; the one out of band opens later.
        lost = [{"name": "colo", "address": "127.0.0.1", "port": 9}]
        oob = [{"name": "oob", **here, "via": ["bk1.fre"]}]
        host["routes"] = lost + oob if name in LOST else [here]
        host["user"] = USER
        host["identity"] = str(farm.identity)
        host["host_key"] = farm.host_keys[name]
    front: dict[str, Any] = {"host": "127.0.0.1", "scheme": "http"}
    front |= {protocol: farm.ports[protocol] for protocol in ("http", "ssh", "smtp", "irc")}
    # Hosts find each other by name, in folders of their own; nobody becomes somebody else.
    heads = document["vars"]["heads"].replace("/srv/", "srv/")
    document["vars"] |= {"srv": "srv", "etc": "etc", "front": front, "heads": heads}
    document["vars"] |= {"git_user": "", "oob": {"git": "git1.phl"}}
    return document


class _People:
    """Answers manual steps in people's place, and says so."""

    def __init__(self, session: Session, inbox: Inbox, clock: Clock) -> None:
        self._session = session
        self._inbox = inbox
        self._clock = clock

    def told(self, entry: Entry, event: Event) -> None:
        """Take notice of an entry; called by the controller, so it must return at once."""
        del entry
        if isinstance(event, GateOpened) and event.gate == "manual":
            timer = threading.Timer(ANSWER_AFTER, self._answer, [event])
            timer.daemon = True
            timer.start()

    def _answer(self, gate: GateOpened) -> None:
        owner = self._session.state.plan.runbook.steps[StepId(gate.step)].owner
        reason = f"answered by the demonstration itself; in a real run {owner or 'somebody'} does"
        body = {"step": gate.step, "target": gate.target, "reason": reason}
        self._inbox.post(self._session.run, self._clock.now(), "demo", "confirm", body)

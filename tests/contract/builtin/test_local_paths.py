"""Which files of the controller an action or a probe may touch, tried with generated paths.

Rules:
- Beside the runbook's folder lies one that is nobody's business. Whatever a path looks like,
  nothing in it is changed, nothing of it is sent, and no command names it.
"""

import shlex
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drrun.builtin.actions import actions
from drrun.builtin.probes import Probes
from drrun.core.model.actions import BUILT_IN
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.inventory import Host, Route
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.core.model.probes import Expect, ProbeKind, Verdict
from drrun.core.model.values import Duration
from drrun.engine.captured import CapturedOutput
from drrun.files.templates.templating import Templates
from drrun.ports.clock import Cancel
from drrun.ports.places import (
    ActionCall,
    AttemptOrder,
    AttemptProgress,
    Output,
    ProbeAnswer,
    Question,
    Remote,
    Script,
)
from tests.contract.builtin.conftest import Acting, Here

SECRET = b"PRIVATE KEY of the operator"
DB1 = Host("db1", routes=(Route("192.0.2.1"),))

#: By action: arguments that name a file of the controller, where the target is the controller.
FILES = {
    "copy": {"source", "to"},
    "template": {"source", "to"},
    "script": {"source"},
    "fetch": {"to"},
    "rsync": {"source", "to"},
    "http.request": {"ca"},
}
#: Actions that touch none.
WITHOUT = {"dns.update", "notify", "fact", "wait"}
#: What else they need.
OTHERWISE = {
    "copy": {"source": "plain", "to": "below/x"},
    "template": {"source": "plain", "to": "below/x"},
    "script": {},
    "fetch": {"from": "/there/log"},
    "rsync": {"source": "sub/", "to": "below/"},
    "http.request": {"url": "https://127.0.0.1:1/"},
}
#: By probe, the same.
ASKED = {ProbeKind.FILE: {"path"}, ProbeKind.HTTP: {"ca"}, ProbeKind.SQL: {"dsn"}}
#: Probes that look at none; what `ask` has looked at is a person.
ASKED_WITHOUT = {ProbeKind.RUN, ProbeKind.TCP, ProbeKind.DNS, ProbeKind.ASK}
CASES = [(name, argument) for name, arguments in FILES.items() for argument in sorted(arguments)]


def known(*fetch_into: Path) -> Mapping[str, Any]:
    return actions(Templates(), Probes(Here()), {}, fetch_into=fetch_into)


@dataclass
class Recorded:
    """A place that does nothing but say what it was asked, and send a file."""

    scripts: list[Script] = field(default_factory=list)

    def run(
        self,
        script: Script,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        self.scripts.append(script)
        output.write("stdout", b"what a host sends")
        return Ended(0)


@dataclass
class Recording:
    """Every place is this one."""

    recorded: Recorded

    def place(self, host: Host | None) -> Remote:
        return self.recorded


@dataclass
class Ground:
    """A runbook's folder, and what lies beside it."""

    root: Path
    place: Recorded = field(default_factory=Recorded)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def outside(self) -> Path:
        return self.root / "outside"

    def perform(
        self,
        name: str,
        arguments: Mapping[str, Any],
        heard: Mapping[str, str],
        host: Host | None = None,
        fetch_into: tuple[Path, ...] = (),
    ) -> Outcome:
        order = AttemptOrder(
            RunId("r"), StepId("s"), TargetName("t"), 1, 1, host, name, arguments,
            folder=self.home, heard=heard,
        )  # fmt: skip
        call = ActionCall(order, self.place, CapturedOutput(), lambda _: None, threading.Event())
        done: Outcome = known(*fetch_into)[name].perform(call)
        return done

    def ask(
        self, kind: ProbeKind, ask: Mapping[str, Any], heard: Mapping[str, str] | None = None
    ) -> ProbeAnswer:
        question = Question(
            kind, ask, Expect(), Duration(5), None, folder=self.home, heard=heard or {}
        )
        return Probes(Recording(self.place)).evaluate(question, threading.Event())

    def beside(self) -> dict[str, bytes]:
        """All files that are not in the runbook's folder."""
        files = (each for each in self.root.rglob("*") if each.is_file())
        kept = (each for each in files if not each.resolve().is_relative_to(self.home))
        return {str(each): each.read_bytes() for each in kept}


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    found = Ground(tmp_path.resolve())
    for folder in ("home/sub", "home/below", "outside/folder"):
        (found.root / folder).mkdir(parents=True)
    (found.home / "plain").write_text("plain")
    (found.home / "restore.sh").write_text("#!/bin/sh\n")
    (found.home / "sub/file").write_text("file")
    (found.outside / "secret").write_bytes(SECRET)
    (found.home / "link").symlink_to(found.outside)
    (found.home / "below/link").symlink_to(found.outside)
    (found.home / "below/file-link").symlink_to(found.outside / "secret")
    (found.home / "below/loop").symlink_to("loop")
    (found.home / "inside").symlink_to("sub")
    return found


PARTS = st.one_of(
    st.sampled_from(["..", "..", ".", "", "~", "~root", "~nobody-of-this-name", "a", "home"]),
    st.sampled_from(["link", "file-link", "loop", "inside", "secret", "outside", "restore.sh"]),
    st.sampled_from(["sub", "plain", "below", "\0", "a\nb", "é", "\ud800", "x" * 300, "*"]),
    st.sampled_from(["$HOME", "-rf", " ", "'", "{{ x }}"]),
)


def written(ground: Ground, parts: list[str], first: str) -> str:
    starts = {"outside": f"{ground.outside}/", "home": f"{ground.home}/", "root": "/", "": ""}
    return starts[first] + "/".join(parts)


def named_in(script: Script, argument: str) -> str:
    """The path that a script is given for an argument; "": none."""
    words = shlex.split(script.text)
    found = [word for word in words if word.startswith(f"{argument}=")]
    return found[0].partition("=")[2] if found else ""


PATHS = st.lists(PARTS, min_size=1, max_size=6)
FIRST = st.sampled_from(["", "outside", "home", "root"])
many = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_every_action_says_which_files_of_the_controller_it_touches() -> None:
    declared = {
        name: {key for key, one in BUILT_IN[name].parameters.items() if one.kind == "path"}
        for name in known()
    }
    assert set(known()) == FILES.keys() | WITHOUT
    assert {name for name, paths in declared.items() if paths - FILES.get(name, set())} == set()


@pytest.mark.parametrize(("name", "argument"), CASES)
@many
@given(parts=PATHS, first=FIRST, before=st.sampled_from(["", "below/", "/", "./", "../", "~/"]))
@pytest.mark.faults(123)
def test_what_a_host_said_never_leads_out_of_the_folder_that_the_runbook_writes(
    ground: Ground, name: str, argument: str, parts: list[str], first: str, before: str
) -> None:
    ground.place.scripts.clear()
    path = before + written(ground, parts, first)
    beside, scripts = ground.beside(), (ground.home / "restore.sh").read_bytes()
    outcome = ground.perform(name, {**OTHERWISE[name], argument: path}, heard={argument: before})
    assert (ground.beside(), (ground.home / "restore.sh").read_bytes()) == (beside, scripts)
    for script in ground.place.scripts:
        assert SECRET not in (script.stdin or b"")
        assert (
            Path(named_in(script, argument) or ground.home / "below")
            .resolve()
            .is_relative_to(ground.home / "below")
        )
    if before != "below/":
        assert isinstance(outcome, NeverStarted)


@many
@given(parts=PATHS, first=FIRST)
def test_a_fetched_file_lies_in_the_folder_of_the_runbook_or_nowhere(
    ground: Ground, parts: list[str], first: str
) -> None:
    beside = ground.beside()
    ground.perform(
        "fetch", {"from": "/there/log", "to": written(ground, parts, first)}, {}, host=DB1
    )
    assert ground.beside() == beside


@many
@given(source=PATHS, folder=st.sampled_from(["below/", "sub/", "below/link/", "inside/"]))
def test_the_name_of_a_file_on_a_host_never_chooses_another_folder(
    ground: Ground, source: list[str], folder: str
) -> None:
    beside = ground.beside()
    ground.perform("fetch", {"from": "/".join(source), "to": folder}, {"from": ""}, host=DB1)
    assert ground.beside() == beside


@many
@given(parts=PATHS)
@pytest.mark.faults(17)
def test_a_relative_name_is_read_in_the_folder_of_the_runbook_only(
    ground: Ground, parts: list[str]
) -> None:
    ground.place.scripts.clear()
    path = "./" + "/".join(parts)
    for name in ("copy", "template", "script"):
        ground.perform(name, {**OTHERWISE[name], "source": path}, {}, host=DB1)
    assert all(SECRET not in (script.stdin or b"") for script in ground.place.scripts)


def test_what_the_author_names_absolutely_is_read(ground: Ground) -> None:
    source = str(ground.outside / "secret")
    assert ground.perform("copy", {"source": source, "to": "/etc/x"}, {}, host=DB1) == Ended(0)
    assert ground.place.scripts[0].stdin == SECRET


def test_a_file_is_fetched_into_a_folder_that_the_operator_names(ground: Ground) -> None:
    to, into = f"{ground.outside}/folder/log", (ground.outside / "folder",)
    refused = ground.perform("fetch", {"from": "/there/log", "to": to}, {}, host=DB1)
    fetched = ground.perform("fetch", {"from": "/there/log", "to": to}, {}, DB1, into)
    assert isinstance(refused, NeverStarted)
    assert "fetch_into" in refused.why
    assert isinstance(fetched, Ended)
    assert Path(to).read_bytes() == b"what a host sends"


def test_a_name_that_a_host_chose_is_used_below_the_folder_that_was_written(
    ground: Ground,
) -> None:
    given = {"from": "/there/log", "to": "evidence/today/log"}
    assert isinstance(ground.perform("fetch", given, {"to": "evidence/"}, host=DB1), Ended)
    assert (ground.home / "evidence/today/log").read_bytes() == b"what a host sends"


def test_a_link_that_comes_while_a_file_arrives_is_not_followed(ground: Ground) -> None:
    """A copy of a folder from the same host may put one there at any moment."""

    class Swapping(Recorded):
        def run(
            self,
            script: Script,
            output: Output,
            tell: Callable[[AttemptProgress], None],
            cancel: Cancel,
        ) -> Outcome:
            (ground.home / "new").rename(ground.home / "old")
            (ground.home / "new").symlink_to(ground.outside)
            return super().run(script, output, tell, cancel)

    beside = ground.beside()
    ground.place = Swapping()
    ground.perform("fetch", {"from": "/there/log", "to": "new/log"}, {}, host=DB1)
    assert ground.beside() == beside
    assert [each.name for each in (ground.home / "old").iterdir()] == ["log"]


def test_rsync_from_another_host_is_not_taken_for_a_file_here(ground: Ground) -> None:
    given = {"source": "root@db1:/srv/", "to": "below/x/"}
    assert isinstance(ground.perform("rsync", given, {"source": ""}), Ended)
    assert shlex.quote("root@db1:/srv/") in ground.place.scripts[0].text


def test_nothing_stays_of_a_file_that_did_not_arrive(act: Acting, tmp_path: Path) -> None:
    given: dict[str, Any] = {"from": f"{tmp_path}/nowhere", "to": "evidence/log"}
    assert isinstance(act("fetch", **given), Ended)
    assert list((tmp_path / "evidence").iterdir()) == []


def test_every_probe_says_which_files_of_the_controller_it_looks_at() -> None:
    assert set(ProbeKind) == ASKED.keys() | ASKED_WITHOUT


@many
@given(parts=PATHS, first=FIRST, before=st.sampled_from(["", "below/", "/", "./", "../", "~/"]))
def test_what_a_host_said_never_has_a_probe_look_beside_the_runbook(
    ground: Ground, parts: list[str], first: str, before: str
) -> None:
    ground.place.scripts.clear()
    path = before + written(ground, parts, first)
    seen = ground.ask(ProbeKind.FILE, {"path": path}, heard={"path": before})
    for script in ground.place.scripts:
        looked_at = Path(named_in(script, "f")).resolve()
        assert looked_at.is_relative_to(ground.home / "below")
    if before != "below/":
        assert seen.verdict is Verdict.COULD_NOT_TELL
        assert ground.place.scripts == []


@many
@given(parts=PATHS)
def test_a_probe_looks_at_a_relative_name_in_the_folder_of_the_runbook_only(
    ground: Ground, parts: list[str]
) -> None:
    ground.place.scripts.clear()
    ground.ask(ProbeKind.FILE, {"path": "./" + "/".join(parts)})
    for script in ground.place.scripts:
        assert Path(named_in(script, "f")).resolve().is_relative_to(ground.home)


def test_a_probe_looks_at_what_the_author_names_absolutely(ground: Ground) -> None:
    ground.ask(ProbeKind.FILE, {"path": str(ground.outside / "secret")})
    assert named_in(ground.place.scripts[0], "f") == str(ground.outside / "secret")


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        (ProbeKind.HTTP, {"url": "https://127.0.0.1:1/", "ca": "/outside/secret"}),
        (ProbeKind.SQL, {"query": "select 1", "dsn": "host=127.0.0.1 sslkey=/outside/secret"}),
    ],
)
def test_what_a_host_said_names_no_file_that_a_library_would_read(
    ground: Ground, kind: ProbeKind, ask: dict[str, str]
) -> None:
    (argument,) = ASKED[kind]
    seen = ground.ask(kind, ask, heard={argument: ""})
    assert seen.verdict is Verdict.COULD_NOT_TELL
    assert "a host" in seen.why
    assert ground.place.scripts == []

"""Whatever is done to a state folder, every reading command tells it, or shows what it showed."""

import random
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from drrun.cli.main import run_command_line
from tests.acceptance.cli.conftest import PATIENCE, Tool
from tests.acceptance.cli.test_terminal import Screen

STEPS = """\
  dump: {run: "echo dumped; echo slowly >&2", verify: [{run: "true"}], raises: {git: read-only}}
  restore: {needs: [dump], run: "echo restored", retry: {attempts: 2}, verify: [{run: "true"}]}
  broken: {needs: [restore], run: "echo no; exit 3", on_failure: continue}
"""
LOOKS = {
    "status": ("status", "latest"),
    "status --json": ("status", "latest", "--json"),
    "show": ("show", "latest", "restore"),
    "logs": ("logs", "latest", "restore"),
    "history": ("history",),
    "events": ("events", "latest"),
    "report": ("report", "latest", "--format", "markdown", "-o", "-"),
    "verify": ("verify-journal", "latest"),
    "export": ("export", "latest", "-o", "/dev/null"),
}
DAMAGED = 6
#: The bits that flipped were those that say whose file it is, and of which version.
NOT_OURS = re.compile("is not a journal of drrun|was made by a newer drrun")
FLIPS = 300

Looked = tuple[int, str, str]


class Folder:
    """A state folder whose run has ended, and the commands that look at it, in this process."""

    def __init__(self, place: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.place = place
        self.file = place / "journal.sqlite"
        self.sound = self.file.read_bytes()
        self._capture = capture

    def look(self, name: str) -> Looked:
        """Exit code and both streams of a command."""
        self._capture.readouterr()
        code = run_command_line(["--state", str(self.place), *LOOKS[name]])
        told = self._capture.readouterr()
        return code, re.sub(r'"now": "[^"]*"', "", told.out), told.err

    def looks(self) -> dict[str, Looked]:
        """What every command shows."""
        return {name: self.look(name) for name in LOOKS}

    def put(self, content: bytes) -> None:
        """Put another database in place."""
        self.file.write_bytes(content)
        shutil.rmtree(self.place / "folds", ignore_errors=True)

    def tamper(self, *statements: str) -> None:
        """Change the database behind the program's back."""
        self.put(self.sound)
        with closing(sqlite3.connect(self.file, isolation_level=None)) as database:
            for trigger in ("entries_are_not_changed", "entries_are_not_deleted"):
                database.execute(f"DROP TRIGGER {trigger}")
            for statement in statements:
                database.execute(statement)


@pytest.fixture
def folder(
    tool: Tool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Folder:
    place = tmp_path / "s"
    name = tool.runbook(STEPS, "services: {git: {title: Git}}\n")
    assert tool("run", "--yes", "--state", str(place), name).returncode == 1
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.chdir(tool.folder)
    return Folder(place, capsys)


def slipped(sound: dict[str, Looked], seen: dict[str, Looked]) -> list[str]:
    """Commands that neither tell the damage nor show what they showed before."""
    return [
        f"{name}: {seen[name]}"
        for name in seen
        if seen[name] != sound[name]
        and seen[name][0] != DAMAGED
        and not (seen[name][0] == 2 and NOT_OURS.search(seen[name][2]))
    ]


def test_a_sound_run_is_shown_without_a_word(folder: Folder) -> None:
    assert {name: code for name, (code, _, _) in folder.looks().items()} == dict.fromkeys(LOOKS, 0)


@pytest.mark.faults(87)
def test_a_flipped_bit_is_told_or_harmless(folder: Folder) -> None:
    chance = random.Random(8)
    sound = folder.looks()
    written = [place for place, byte in enumerate(folder.sound) if byte]
    anywhere = range(len(folder.sound))
    for number in range(FLIPS):
        place = chance.choice(written if number % 2 else anywhere)
        bit = 1 << chance.randrange(8)
        content = bytearray(folder.sound)
        content[place] ^= bit
        folder.put(bytes(content))
        assert not slipped(sound, folder.looks()), (place, bit)


@pytest.mark.parametrize("size", [*range(0, 65, 4), 99, 512, 4096])
def test_a_database_that_was_cut_is_damage_for_every_command(folder: Folder, size: int) -> None:
    folder.put(folder.sound[:size])
    assert {code for code, _, _ in folder.looks().values()} == {DAMAGED}


@pytest.mark.faults(87)
def test_a_cut_anywhere_in_the_last_page_is_told(folder: Folder) -> None:
    sound = folder.looks()
    end = len(folder.sound)
    for size in range(end - 4096, end, 128):
        folder.put(folder.sound[:size])
        assert not slipped(sound, folder.looks()), size


@pytest.mark.parametrize("lose", ["missing", "empty", "blank"])
@pytest.mark.faults(116)
def test_without_its_database_no_command_says_that_there_is_no_run_yet(
    folder: Folder, tool: Tool, lose: str
) -> None:
    folder.file.unlink()
    if lose != "missing":
        folder.file.touch(0o600)
    if lose == "blank":
        with closing(sqlite3.connect(folder.file)) as database:
            database.execute("VACUUM")
    for name, (code, out, err) in folder.looks().items():
        assert (name, code, out) == (name, DAMAGED, "")
        assert "Do not start their steps again" in err
        assert "no run yet" not in err
    begun = tool("run", "--yes", "--state", str(folder.place), "test.yml")
    assert begun.returncode == DAMAGED
    assert "--state FOLDER" in begun.stderr


def test_an_older_copy_that_lacks_the_latest_run_begins_none_and_shows_none_for_it(
    folder: Folder, tool: Tool
) -> None:
    assert tool("run", "--yes", "--state", str(folder.place), "test.yml").returncode == 1
    folder.put(folder.sound)
    for name, (code, _, _) in folder.looks().items():
        assert (name, code) == (name, DAMAGED)
    assert "left traces here, but is not in it" in folder.look("history")[1]
    assert tool("run", "--yes", "--state", str(folder.place), "test.yml").returncode == DAMAGED


def test_an_older_copy_of_a_run_beside_a_newer_head_is_told_by_every_command(
    folder: Folder, tool: Tool
) -> None:
    assert tool("note", "--state", str(folder.place), "latest", "all well").returncode == 0
    folder.put(folder.sound)
    for name, (code, out, err) in folder.looks().items():
        assert (name, code) == (name, DAMAGED)
        assert "an old copy was restored" in out + err


def _last(folder: Folder) -> int:
    with closing(sqlite3.connect(folder.file)) as database:
        return int(database.execute("SELECT max(seq) FROM entries").fetchone()[0])


def _acts(last: int, chance: random.Random) -> list[tuple[str, ...]]:
    """One of each kind of change, each somewhere."""

    def somewhere() -> int:
        return chance.randrange(1, last)

    one, other, much = somewhere(), somewhere(), 10 * last
    swap = ((one, much), (one + 1, one), (much, one + 1))
    other_kind = "CASE kind WHEN 'Noted' THEN 'RunEnded' ELSE 'Noted' END"
    target = "'$.target', 'elsewhere'"
    step = "'$.step', 'nowhere'"
    columns = "run, {}, at, actor, epoch, kind, version, body, hash"
    return [
        (f"UPDATE entries SET body = json_set(body, {target}) WHERE seq = {one}",),
        (f"UPDATE entries SET body = json_set(body, {step}) WHERE seq = {one}",),
        (f"UPDATE entries SET kind = {other_kind} WHERE seq = {one}",),
        (f"UPDATE entries SET body = '{{' WHERE seq = {one}",),
        (f"UPDATE entries SET at = 9e999 WHERE seq = {one}",),
        (f"UPDATE entries SET actor = CAST(x'ff' AS TEXT) WHERE seq = {one}",),
        (f"DELETE FROM entries WHERE seq = {one}",),
        (f"DELETE FROM entries WHERE seq = {one} OR seq = {other}",),
        (f"DELETE FROM entries WHERE seq > {one}",),
        tuple(f"UPDATE entries SET seq = {new} WHERE seq = {old}" for old, new in swap),
        (
            f"UPDATE entries SET seq = seq + {much} WHERE seq > {one}",
            f"UPDATE entries SET seq = seq - {much} + 1 WHERE seq > {much}",
            f"INSERT INTO entries SELECT {columns.format(one + 1)} FROM entries WHERE seq = {one}",
        ),
        (f"INSERT INTO entries SELECT {columns.format(last + 1)} FROM entries WHERE seq = {one}",),
        (
            f"UPDATE entries SET actor = 'eve' WHERE seq = {one}",
            f"DELETE FROM entries WHERE seq = {other}",
        ),
        ("UPDATE runs SET status = 'succeeded'",),
        ("UPDATE runs SET status = 'odd'",),
        ("UPDATE runs SET title = 'Another'",),
        ("UPDATE documents SET content = 'drrun: 2'",),
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.faults(103, 117)
def test_whatever_is_done_to_entries_every_command_tells_it(folder: Folder, seed: int) -> None:
    for done in _acts(_last(folder), random.Random(seed)):
        folder.tamper(*done)
        for name, (code, out, err) in folder.looks().items():
            assert (name, code, done) == (name, DAMAGED, done), out + err


@pytest.mark.faults(108)
def test_all_that_is_wrong_is_told_above_what_is_shown(folder: Folder) -> None:
    folder.tamper(
        "UPDATE entries SET body = json_set(body, '$.target', 'x') WHERE seq = 7",
        "DELETE FROM entries WHERE seq IN (12, 13)",
    )
    for name in ("status", "show", "history"):
        _, out, _ = folder.look(name)
        head = out.splitlines()
        assert head[0].startswith("DAMAGED: the journal of")
        assert head[1].strip() == "entry 7 was altered"
        assert head[2].strip().startswith("entries 12 to 13 are missing")
        assert len(head) > 5
    for name in ("logs", "events", "report"):
        _, out, err = folder.look(name)
        assert "entry 7 was altered" in err
        assert "entries 12 to 13 are missing" in err
        assert out
    for name in ("verify", "export"):
        _, out, err = folder.look(name)
        assert "entry 7 was altered; entries 12 to 13 are missing" in err
        assert not out


def test_of_a_damaged_run_nothing_is_watched(folder: Folder, tool: Tool) -> None:
    folder.tamper("UPDATE entries SET actor = 'eve' WHERE seq = 7")
    screen = Screen(tool, "watch", "latest", "--state", str(folder.place))
    try:
        screen.until("is not what was written: entry 7 was altered")
        assert screen.process.wait(PATIENCE) == DAMAGED
    finally:
        screen.close()

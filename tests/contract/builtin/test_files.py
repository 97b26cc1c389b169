"""Actions that move files: copy, template, script, fetch, rsync."""

import hashlib
from pathlib import Path
from typing import Any

from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from tests.contract.builtin.conftest import Acting


def test_a_copy_arrives_whole_and_is_not_written_twice(act: Acting, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(range(256)) * 1000)
    first = act("copy", source="source", to=str(tmp_path / "to"), mode="0600")
    again = act("copy", source="source", to=str(tmp_path / "to"), mode="0600")
    assert (tmp_path / "to").read_bytes() == (tmp_path / "source").read_bytes()
    assert (first, again) == (Ended(0), Ended(0, note="the same already"))


def test_a_file_that_is_missing_starts_nothing(act: Acting, tmp_path: Path) -> None:
    outcome = act("copy", source="nowhere", to=str(tmp_path / "to"))
    assert isinstance(outcome, NeverStarted)
    assert (outcome.final, "nowhere" in outcome.why) == (True, True)


def test_a_path_that_leaves_the_folder_is_refused(act: Acting, tmp_path: Path) -> None:
    outcome = act("copy", source="../../etc/hostname", to=str(tmp_path / "to"))
    assert isinstance(outcome, NeverStarted)


def test_a_template_is_filled_in(act: Acting, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("{{ word }} {{ more }}\n")
    act("template", source="t", to=str(tmp_path / "to"), vars={"more": 1})
    assert (tmp_path / "to").read_text() == "hello 1\n"


def test_a_script_runs_with_its_own_interpreter_and_its_exit_is_kept(
    act: Acting, tmp_path: Path
) -> None:
    (tmp_path / "s.py").write_text("#!/usr/bin/env python3\nimport sys\nsys.exit(len(sys.argv))\n")
    assert act("script", source="s.py", args=["a b", "c'd"]) == Ended(3)


def fetch(act: Acting, source: Path, to: str) -> Outcome:
    given: dict[str, Any] = {"from": str(source), "to": to}
    return act("fetch", **given)


def test_a_fetched_file_is_the_same_and_its_content_is_not_in_the_output(
    act: Acting, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 1000
    (tmp_path / "there").write_bytes(content)
    outcome = fetch(act, tmp_path / "there", "here/")
    assert isinstance(outcome, Ended)
    assert outcome.facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert (tmp_path / "here/local/there").read_bytes() == content
    assert len(act.output.text("stdout")) < 500


def test_a_file_that_cannot_be_fetched_leaves_nothing_behind(act: Acting, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    outcome = fetch(act, tmp_path / "nowhere", "old")
    assert outcome == Ended(1, note=f"{tmp_path}/nowhere: no such file")
    assert [each.name for each in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "old"


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_rsync_makes_a_folder_the_same_and_says_how_much_it_moved(
    act: Acting, tmp_path: Path
) -> None:
    tree(tmp_path / "a", {"x": "1", "sub/y": "22"})
    outcome = act("rsync", source=f"{tmp_path}/a/", to=f"{tmp_path}/b/")
    assert isinstance(outcome, Ended)
    assert (outcome.exit, outcome.facts["transferred"], outcome.facts["bytes"]) == (0, 2, 3)
    assert (tmp_path / "b/sub/y").read_text() == "22"


def test_rsync_finds_what_only_a_checksum_can_see(act: Acting, tmp_path: Path) -> None:
    """Same size, same time, other content: a plain rsync would call it equal."""
    import os

    tree(tmp_path / "a", {"x": "good"})
    tree(tmp_path / "b", {"x": "evil"})
    for side in "ab":
        os.utime(tmp_path / side / "x", (1, 1))
    outcome = act("rsync", source=f"{tmp_path}/a/", to=f"{tmp_path}/b/")
    assert isinstance(outcome, Ended)
    assert (outcome.exit, outcome.note) == (1, "1 differences are left")


def test_an_empty_source_never_empties_the_copy(act: Acting, tmp_path: Path) -> None:
    (tmp_path / "not-mounted").mkdir()
    tree(tmp_path / "copy", {"precious": "1"})
    outcome = act("rsync", source=f"{tmp_path}/not-mounted/", to=f"{tmp_path}/copy/", delete=True)
    assert isinstance(outcome, Ended)
    assert ("is empty" in outcome.note, (tmp_path / "copy/precious").exists()) == (True, True)


def test_a_source_that_is_not_there_is_named(act: Acting, tmp_path: Path) -> None:
    outcome = act("rsync", source=f"{tmp_path}/nowhere/", to=f"{tmp_path}/b/")
    assert isinstance(outcome, Ended)
    assert (outcome.exit, outcome.note) == (1, f"the source {tmp_path}/nowhere/ cannot be read")


def test_rsync_removes_only_when_told_to(act: Acting, tmp_path: Path) -> None:
    tree(tmp_path / "a", {"x": "1", "keep.log": "no"})
    tree(tmp_path / "b", {"old": "1"})
    act("rsync", source=f"{tmp_path}/a/", to=f"{tmp_path}/b/", exclude=["*.log"])
    assert sorted(each.name for each in (tmp_path / "b").iterdir()) == ["old", "x"]
    act("rsync", source=f"{tmp_path}/a/", to=f"{tmp_path}/b/", exclude=["*.log"], delete=True)
    assert [each.name for each in (tmp_path / "b").iterdir()] == ["x"]

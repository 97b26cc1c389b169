"""Whole runs that leave, come, go, and are compared: export, import, prune, diff."""

import io
import json
import os
import shutil
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.programs import Program

RUNBOOK = """
drrun: 1
name: kept
steps:
  look: {run: "echo printed", verify: {run: "true"}}
  show: {manual: Done?, evidence: required, needs: [look]}
"""


def executed(place: Program, *words: str, proof: str = "it is done\n") -> str:
    """Execute the runbook to its end; the run's id."""
    running = place.start("run", "kept.yml", "--yes", "--linger", "60s", *words)
    assert running.stdout
    run = running.stdout.readline().strip()
    place.write("proof.txt", proof)
    while place("confirm", run, "show", "--evidence", "proof.txt").exit:
        assert running.poll() is None
    running.communicate(timeout=60)
    return run


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    place = Program(tmp_path_factory.mktemp("archives"))
    place.write("kept.yml", RUNBOOK)
    executed(place)
    assert place("export", "latest", "-o", "run.tar.gz").exit == 0
    return place


@pytest.fixture
def elsewhere(tmp_path: Path, program: Program) -> Program:
    place = Program(tmp_path)
    shutil.copy(program.folder / "run.tar.gz", tmp_path)
    return place


def test_a_run_is_the_same_elsewhere(program: Program, elsewhere: Program) -> None:
    assert elsewhere("import", "run.tar.gz").exit == 0
    for words in (["show", "latest", "look"], ["events", "latest"], ["logs", "latest", "look"]):
        assert elsewhere(*words).out == program(*words).out
    assert (
        elsewhere("verify-journal", "latest").out == program.here("verify-journal", "latest").out
    )
    digest = elsewhere("evidence", "latest").out.split()[-1]
    kept = Path(elsewhere("evidence", "latest", digest).out.strip())
    assert (kept.read_text(), kept.is_relative_to(elsewhere.folder)) == ("it is done\n", True)


def test_a_run_that_is_here_is_not_taken_in_again(program: Program) -> None:
    done = program.here("import", "run.tar.gz")
    assert (done.exit, "already" in done.err) == (2, True), done.err


def test_the_same_run_gives_the_same_archive(program: Program) -> None:
    program.here("export", "latest", "-o", "again.tar.gz")
    assert (program.folder / "again.tar.gz").read_bytes() == (
        program.folder / "run.tar.gz"
    ).read_bytes()


def test_an_archive_is_checked_where_there_is_no_state(elsewhere: Program) -> None:
    done = elsewhere("verify-journal", "run.tar.gz")
    assert (done.exit, "the chain holds" in done.out) == (0, True)


def changed(archive: Path, name: str, change: bytes | None, *, sums: bool = False) -> None:
    """Write an archive again, with one file changed, or without it."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            found[member.name] = file.read() if file else b""
    if change is None:
        del found[name]
    else:
        found[name] = change
    if sums:
        found["SHA256SUMS"] = "".join(
            f"{sha256(data).hexdigest()}  {each}\n"
            for each, data in found.items()
            if each != "SHA256SUMS"
        ).encode()
    with tarfile.open(archive, "w:gz") as tar:
        for each, data in found.items():
            info = tarfile.TarInfo(each)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize("name", ["run.json", "entries.ndjson", "documents.json"])
def test_what_was_altered_or_left_out_is_found(elsewhere: Program, name: str) -> None:
    archive = elsewhere.folder / "run.tar.gz"
    changed(archive, name, b"{}\n")
    assert elsewhere("verify-journal", "run.tar.gz").exit == 6
    assert elsewhere("import", "run.tar.gz").exit == 6
    changed(archive, name, None)
    assert elsewhere("import", "run.tar.gz").exit == 6
    assert elsewhere.json("history")["runs"] == []


def test_whoever_makes_new_sums_does_not_get_past_the_chain(
    program: Program, elsewhere: Program
) -> None:
    with tarfile.open(program.folder / "run.tar.gz") as tar:
        file = tar.extractfile("entries.ndjson")
        assert file
        text = file.read().replace(b"RunStarted", b"RunForged!")
    changed(elsewhere.folder / "run.tar.gz", "entries.ndjson", text, sums=True)
    done = elsewhere("import", "run.tar.gz")
    assert (done.exit, "was altered" in done.err) == (6, True), done.err


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "outputs/../../x", "other"])
def test_an_archive_writes_nowhere_else(elsewhere: Program, name: str) -> None:
    changed(elsewhere.folder / "run.tar.gz", name, b"x", sums=True)
    done = elsewhere("import", "run.tar.gz")
    assert (done.exit, "not an archive of a run" in done.err) == (2, True), done.err


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(5000)])
def test_what_is_no_archive_is_refused(elsewhere: Program, content: bytes) -> None:
    elsewhere.write("x.tar.gz", content)
    assert elsewhere("import", "x.tar.gz").exit == 2


def test_a_dry_run_is_never_evidence_of_a_test(tmp_path: Path) -> None:
    place = Program(tmp_path)
    place.write("kept.yml", RUNBOOK)
    place("run", "kept.yml", "--yes", "--no-input", "--mode", "dry-run")
    done = place("export", "latest", "--as-test")
    assert (done.exit, "not evidence of a test" in done.err) == (2, True), done.err


def test_old_runs_go_but_never_the_last_of_a_runbook(tmp_path: Path) -> None:
    place = Program(tmp_path)
    place.write("kept.yml", RUNBOOK.split("  show", maxsplit=1)[0])
    runs = []
    for mode in ("live", "dry-run", "live", "dry-run"):
        done = place("run", "kept.yml", "--yes", "--no-input", "--mode", mode)
        runs.append(done.out.splitlines()[0])
    listed = place("prune", "--older-than", "1ms")
    assert "2 of 4 runs would be removed" in listed.err
    assert len(place.json("history")["runs"]) == 4
    assert place("prune", "--older-than", "1ms", "--yes").exit == 0
    left = [each["run"] for each in place.json("history")["runs"]]
    assert left == [runs[3], runs[2]]
    assert place("verify-journal", runs[2]).exit == 0
    assert place("show", runs[0]).exit == 2
    outputs = tmp_path / "state/drrun/state.db.d/outputs"
    assert {each.name for each in outputs.iterdir()} <= set(left)


def test_evidence_goes_with_the_last_run_that_names_it(tmp_path: Path) -> None:
    place = Program(tmp_path)
    place.write("kept.yml", RUNBOOK)
    executed(place)
    executed(place)
    (kept,) = (tmp_path / "state/drrun/state.db.d/evidence").iterdir()
    os.utime(kept, (0, 0))  # given long ago
    place.here("prune", "--older-than", "1ms", "--yes")
    assert kept.exists()  # the last run of the runbook names it
    executed(place, proof="something else\n")
    place.here("prune", "--older-than", "1ms", "--yes")
    assert not kept.exists()


SLOWER = RUNBOOK.split("  show", maxsplit=1)[0]


def test_two_runs_are_compared_by_what_mattered(tmp_path: Path) -> None:
    place = Program(tmp_path)
    for text in (
        SLOWER + "  then: {needs: [look], run: 'true', verify: {run: 'true'}}\n",
        SLOWER.replace("echo printed", "sleep 1.5")
        + "  other: {needs: [look], run: 'false', verify: {run: 'true'}}\n"
        + "  more: {run: 'true', verify: {run: 'true'}}\n",
    ):
        place.write("kept.yml", text)
        place("run", "kept.yml", "--yes", "--no-input")
    runs = [each["run"] for each in place.json("history")["runs"]]
    told = place.json("diff", runs[1], runs[0])
    found = {(each["step"], each["what"]): each for each in told["differences"]}
    assert set(found) == {
        ("look", "slower"), ("then", "removed"), ("other", "added"), ("more", "added"),
    }  # fmt: skip
    assert found["look", "slower"]["longer"] == pytest.approx(1.5, abs=1)


def test_a_run_is_compared_with_its_plan(tmp_path: Path) -> None:
    place = Program(tmp_path)
    place.write("kept.yml", SLOWER.replace('{run: "echo', '{estimate: 20m, run: "echo'))
    place("run", "kept.yml", "--yes", "--no-input")
    told = place.json("diff", "latest")
    assert [(each["step"], each["what"]) for each in told["differences"]] == [("look", "faster")]
    assert "faster" in place("diff", "latest").out


def test_json_of_an_exported_run_says_which_mode_it_was(program: Program) -> None:
    with tarfile.open(program.folder / "run.tar.gz") as tar:
        file = tar.extractfile("run.json")
        assert file
        assert json.loads(file.read())["mode"] == "live"


def test_a_record_is_read_where_the_files_that_were_sent_are_not(tmp_path: Path) -> None:
    place = Program(tmp_path)
    place.write("notice.txt", "back soon\n")
    copied = f"uses: copy, with: {{source: notice.txt, to: {tmp_path}/sent.txt}}"
    place.write("kept.yml", f"drrun: 1\nname: kept\nsteps: {{send: {{{copied}}}}}\n")
    place("run", "kept.yml", "--yes", "--no-input")
    (tmp_path / "notice.txt").unlink()
    shown = place("show", "latest", "send")
    assert (shown.exit, "passed" in shown.out) == (0, True), shown.err
    begun = place("run", "kept.yml", "--yes", "--no-input")
    assert (begun.exit, "no such file" in begun.err) == (2, True), begun.err


def test_a_run_that_was_removed_is_told_with_how_its_journal_ended(tmp_path: Path) -> None:
    place = Program(tmp_path)
    place.write("kept.yml", SLOWER)
    for _ in range(2):
        place("run", "kept.yml", "--yes", "--no-input")
    first = place.json("history")["runs"][1]["run"]
    place.here("finding", first, "not yet repaired")
    kept = place.here("prune", "--older-than", "0s", "--yes")
    assert "1 run kept: people noted work there" in kept.err
    place.here("close", first, "--reason", "is in the tracker")
    head = place.json("verify-journal", first)["head"]
    assert place.here("prune", "--older-than", "0s", "--yes").exit == 0
    gone = place.here("show", first)
    assert (gone.exit, "was removed by" in gone.err, head in gone.err) == (2, True, True), gone.err


@pytest.mark.parametrize(("now", "told"), [("lies\n", "was altered"), (None, "is missing")])
def test_what_a_step_printed_is_under_the_seal_too(
    tmp_path: Path, now: str | None, told: str
) -> None:
    place = Program(tmp_path)
    place.write("kept.yml", SLOWER)
    place("run", "kept.yml", "--yes", "--no-input")
    (kept,) = (tmp_path / "state/drrun/state.db.d/outputs").glob("*/look@local/1.stdout")
    kept.unlink()
    if now is not None:
        kept.write_text(now)
    for words in (["verify-journal", "latest"], ["export", "latest", "-o", "run.tar.gz"]):
        done = place.here(*words)
        assert (done.exit, f"stdout of look, attempt 1, {told}" in done.err) == (6, True), done.err

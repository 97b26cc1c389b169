"""Named actions in a runbook: a cutover as people write it, with real servers."""

import re
from pathlib import Path

import pytest

from tests.knot import KEY, Knot, KnotFactory
from tests.programs import Program

CUTOVER = """
drrun: 1
name: cutover
inputs:
  server: {type: string}
secrets:
  tsig: {env: DR_TSIG}
steps:
  old-ttl:
    uses: fact
    with:
      name: ttl
      probe: {dns: {name: www.example.org, server: "{{ inputs.server }}", want: ttl}}
  lower-ttl:
    needs: [old-ttl]
    uses: dns.update
    with:
      {zone: example.org, server: "{{ inputs.server }}", name: www, data: 192.0.2.1, ttl: 1,
       key: "{{ secrets.tsig }}"}
    verify:
      dns: {name: www.example.org, server: "{{ inputs.server }}", want: ttl}
      expect: {equals: "1"}
  old-ttl-is-over:
    needs: [lower-ttl]
    uses: wait
    with: {for: "{{ steps.old-ttl.ttl }}s"}
  cut-over:
    needs: [old-ttl-is-over]
    uses: dns.update
    with:
      zone: example.org
      server: "{{ inputs.server }}"
      records: [{name: www, ttl: 1, data: 203.0.113.80, was: 192.0.2.1}]
      key: "{{ secrets.tsig }}"
    verify:
      dns: {name: www.example.org, server: "{{ inputs.server }}"}
      expect: {equals: 203.0.113.80}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def server(knot_factory: KnotFactory) -> Knot:
    return knot_factory.start("www 2 A 192.0.2.1")


def test_a_cutover_waits_as_long_as_the_old_ttl_and_tells_no_key(
    program: Program, server: Knot
) -> None:
    program.write("cutover.yml", CUTOVER)
    given = ["-e", f"server={server.address}"]
    done = program("run", "cutover.yml", "--yes", *given, DR_TSIG=KEY)
    assert done.exit == 0, done.err
    steps = {step["id"]: step for step in program.json("status", "latest")["steps"]}
    assert {step["status"] for step in steps.values()} == {"passed"}
    assert server.says("www.example.org") == "203.0.113.80"
    assert "wait     2s" in program.here("show", "latest", "old-ttl-is-over").out
    told = done.out + done.err + program.here("events", "latest", "--json").out
    assert KEY.rpartition(":")[2] not in told


def test_a_dry_run_reads_facts_and_shows_updates_without_sending_them(
    program: Program, server: Knot
) -> None:
    program.write("cutover.yml", CUTOVER)
    given = ["-e", f"server={server.address}", "--mode", "dry-run"]
    done = program("run", "cutover.yml", "--yes", *given, DR_TSIG=KEY)
    assert done.exit == 0, done.err
    assert "dns.update" in done.out
    assert re.search(r"\| -www\.example\.org\. \d+ A 192\.0\.2\.1\n", done.out), done.out
    assert "| +www.example.org. 1 A 192.0.2.1\n" in done.out
    assert server.says("www.example.org") == "192.0.2.1"


FILES = """
drrun: 1
name: files
steps:
  copy-there:
    uses: rsync
    with: {source: FOLDER/from/, to: FOLDER/to/, delete: true}
    verify: {run: test "$(cat FOLDER/to/a)" = one}
  bring-back:
    needs: [copy-there]
    uses: fetch
    with: {from: FOLDER/to/a, to: FOLDER/back/}
"""


def test_a_dry_run_shows_what_rsync_would_change_and_changes_nothing(
    program: Program, tmp_path: Path
) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from/a").write_text("one")
    program.write("files.yml", FILES.replace("FOLDER", str(tmp_path)))
    done = program("run", "files.yml", "--yes", "--mode", "dry-run")
    assert (done.exit, (tmp_path / "to").exists()) == (0, False), done.err
    assert "a" in program.here("logs", "latest", "copy-there").out.split()[-1]


def test_files_are_synchronised_and_fetched(program: Program, tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from/a").write_text("one")
    program.write("files.yml", FILES.replace("FOLDER", str(tmp_path)))
    done = program("run", "files.yml", "--yes")
    assert done.exit == 0, done.err
    assert (tmp_path / "back/local/a").read_text() == "one"


TOLD = """
drrun: 1
name: told
steps:
  find:
    run: echo "NAME"
    verify: {run: "true"}
    capture: {name: {from: stdout}}
  bring-back:
    needs: [find]
    uses: fetch
    with: {from: FOLDER/log, to: "TO"}
"""


@pytest.mark.parametrize("to", ["{{ steps.find.name }}", "evidence/{{ steps.find.name|d('x') }}"])
@pytest.mark.faults(123)
def test_a_host_does_not_choose_where_a_file_is_written(
    program: Program, tmp_path: Path, to: str
) -> None:
    (tmp_path / "log").write_text("ssh-ed25519 AAAA of somebody else")
    (tmp_path / "restore.sh").write_text("#!/bin/sh")
    told = TOLD.replace("FOLDER", str(tmp_path)).replace("TO", to)
    for name in ("../restore.sh", f"{tmp_path}/restore.sh", "../../authorized_keys"):
        program.write("told.yml", told.replace("NAME", name))
        program("run", "told.yml", "--yes")
        assert (tmp_path / "restore.sh").read_text() == "#!/bin/sh"
        assert not (tmp_path.parent / "authorized_keys").exists()
    program.write("told.yml", told.replace("NAME", "today.log"))
    done = program("run", "told.yml", "--yes")
    assert (done.exit == 0) == to.startswith("evidence/"), done.err

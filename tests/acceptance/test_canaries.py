"""Every promised form of a secret, printed by real runs, is in none of the promised places."""

import json
import os
import signal
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import canaries
import pytest

from drrun.core.integrity.spellings import spelled
from tests.programs import Done, Program, effects
from tests.sshd import Sshd, until

#: What is hard to spell: both quotes, a backslash, space, slash, plus, ampersand, no ASCII.
TOKEN = "Can@ry 'p/a\"s\\w0rd'+ü&<x>"
OLD = "Former-Can@ry 'o\"ld\\one'/ß+<y>&more"
KEY = "-----BEGIN KEY-----\nb3BlbnNzaC1rZXkt+/djEAAAA\nc2Vjb25kIGxpbmUgb2YgaXQ=\n-----END KEY-----"
SECRETS = {"token": TOKEN, "key": KEY}
#: Others than those above: while one test looks at all processes, another may be one of them.
ROTATED = {"token": TOKEN[::-1], "key": KEY.swapcase()[::-1], "old": OLD}

#: One step a form: it prints it on both streams, captures it, and fails a probe that shows it;
#: every tenth fails itself.
FORM_STEP = """
  f{number}:
    on: db1
    run: "cat {file}; cat {file} >&2; exit {code}"
    capture: {{got: {{regex: '(?s).+'}}}}
    verify: {{run: cat {file}, expect: {{equals: never}}}}
    on_failure: continue
"""
HEAD = """
drrun: 1
name: canaries
secrets: {token: {env: DR_TOKEN}, key: {env: DR_KEY}}
steps:
  slow:
    on: db1
    run: |
      cd {{ host.vars.home }}
      echo begun >>effects
      printf '%s\\n' {{ secrets.token }} {{ secrets.key }}
      cat forms/*
      while [ ! -e go ]; do sleep 0.05; done
      cat forms/* >&2
      printf '%s\\n' {{ secrets.token }}
    env: {GIVEN: "{{ secrets.key }}"}
    verify:
      - {run: "cat {{ host.vars.home }}/forms/1"}
      - {run: "printf %s {{ secrets.token }}", expect: {contains: "@ry"}}
  request:
    uses: http.request
    with: {url: "http://127.0.0.1:9/{{ secrets.token | urlencode }}", method: GET,
           body: {pw: "{{ secrets.token }}", list: ["{{ secrets.key }}", 1]}}
    verify: {run: "true"}
    on_failure: continue
  unknown:
    on: local
    needs: [slow]
    run: "true {{ steps.slow[secrets.token] }}"
    verify: {run: "true"}
    on_failure: continue
  told:
    uses: notify
    with: {message: "the token is {{ secrets.token }}", to: drew}
    verify: {run: "true"}
    on_failure: continue
  asked:
    manual: "type {{ secrets.token }} and {{ secrets.key }}"
    needs: [slow]
    on_failure: continue
"""


def forms_of(secret: str) -> Mapping[str, list[bytes]]:
    return {name: make(secret) for name, make in canaries.FORMS.items()}


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    program = Program(tmp_path / "here", {"DR_TOKEN": TOKEN, "DR_KEY": KEY})
    program.folder.mkdir()
    program.inventory({"db1": sshd})
    # The second one tells nobody: what it should have told goes to the log.
    notify = [{"command": "cat >>told; env >>told"}, {"command": "cat >&2; false"}]
    program.write("drrun.yaml", json.dumps({"notify": notify}))
    return program


def prepare(program: Program, sshd: Sshd, secrets: Mapping[str, str]) -> None:
    """A file with each form on the host, and a runbook that prints them all."""
    folder = sshd.home / "forms"
    folder.mkdir()
    named = [(name, form) for each in secrets.values() for name, form in _named(each)]
    steps = []
    for number, (_, lines) in enumerate(named, 1):
        file = folder / str(number)
        file.write_bytes(b"".join(b"(" + form + b")\n\n" for form in lines))
        steps.append(FORM_STEP.format(number=number, file=file, code=3 * (number % 10 == 0)))
    program.write("runbooks/canaries.yml", HEAD + "".join(steps))


def _named(secret: str) -> Iterator[tuple[str, list[bytes]]]:
    yield from forms_of(secret).items()


def hits(sink: bytes, secrets: Mapping[str, str]) -> Iterator[str]:
    """Forms that are in a place, by name. Pieces of a wrapped one count where they tell enough."""
    for secret, value in secrets.items():
        for name, lines in forms_of(value).items():
            for form in lines:
                if form in sink or json.dumps(form.decode("utf-8", "replace"))[1:-1].encode() in (
                    sink
                ):
                    yield f"{secret} as {name}: {form!r}"


def places(program: Program, run: str, said: str) -> Iterator[tuple[str, bytes]]:
    """Every place of the table, by name, as bytes."""
    yield "screens", said.encode()
    steps = [each["id"] for each in program.json("status", run)["steps"]]
    screens, documents = [], []
    commands = [["status", run], ["show", run], ["events", run], ["history"]]
    # Each form is in the events, too; of the steps that print one each a few are looked at.
    for step in (*steps[:5], *steps[5::20]):
        commands += [["show", run, step], ["logs", run, step]]
    for words in commands:
        screens.append(program.here(*words).out)
        documents.append(program.here(*words, "--json").out)
    yield "screens", "".join(screens).encode()
    yield "JSON", "".join(documents).encode()
    for ending in ("html", "markdown", "json"):
        done = program.here("report", run, "--format", ending, "-o", f"report.{ending}")
        assert done.exit == 0, done.err
        yield "reports", (program.folder / f"report.{ending}").read_bytes()
    assert program.here("export", run, "-o", "run.tar.gz").exit == 0
    with tarfile.open(program.folder / "run.tar.gz") as archive:
        for member in archive:
            if file := archive.extractfile(member):
                yield "exports", file.read()
    yield "notices", (program.folder / "told").read_bytes()
    for path in (program.folder / "state").rglob("*"):
        if path.is_file():
            name = "log file" if path.suffix == ".log" else "state"
            yield name, path.read_bytes()


def processes(but: int) -> bytes:
    """Arguments and environment of all processes, without the drrun that was given the secrets.

    What a step names in `env` is in the environment of its own commands, and promised to be.
    """
    own = {os.getpid(), but}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) not in own:
            for part in ("cmdline", "environ"):
                try:
                    words = (folder / part).read_bytes().split(b"\0")
                except OSError:
                    continue
                found += [word for word in words if not word.startswith(b"GIVEN=")]
    return b"\0".join(found)


def begin(program: Program, sshd: Sshd, **environment: str) -> "tuple[str, subprocess.Popen[str]]":
    process = program.start("run", "runbooks/canaries.yml", "--yes", "--no-input", **environment)
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    begun = until(lambda: effects(sshd.home / "effects") == ["begun"])
    if not begun:
        process.kill()
    assert begun, Done.of(process).err
    return name, process


def leftovers(sshd: Sshd) -> bytes:
    """Every file of the host that drrun can have written."""
    forms = sshd.home / "forms"
    return b"\0".join(
        path.read_bytes()
        for path in sshd.folder.rglob("*")
        if path.is_file() and forms not in path.parents
    )


@pytest.mark.faults(74, 120)
@pytest.mark.timeout(900)
def test_no_promised_form_of_a_secret_is_in_any_promised_place(
    program: Program, sshd: Sshd
) -> None:
    prepare(program, sshd, SECRETS)
    name, process = begin(program, sshd)
    note = f"the password is {TOKEN}, and its key\n{KEY}"
    program.here("note", name, note)
    refused = program.here("amend", name, str(program.folder / "runbooks/canaries.yml"))
    seen = processes(process.pid)
    (sshd.home / "go").touch()
    done = Done.of(process)
    assert done.exit in (1, 3), done.err
    looked = [
        *places(program, name, done.out + done.err),
        ("errors", (refused.out + refused.err).encode()),
        ("processes", seen),
        ("hosts", leftovers(sshd)),
    ]
    assert [(place, hit) for place, content in looked for hit in hits(content, SECRETS)] == []
    assert {place for place, content in looked if content} >= canaries.PLACES.keys()
    masked = program.here("logs", name, "slow").out
    assert masked.count("***") >= len(canaries.FORMS)
    assert "the password is ***" in program.here("events", name).out


@pytest.mark.faults(74, 121)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("given", [True, False], ids=["given", "sealed"])
def test_nor_is_a_form_of_a_former_value_after_a_kill_and_a_rotation(
    program: Program, sshd: Sshd, given: bool
) -> None:
    program.environment = {"DR_TOKEN": ROTATED["token"], "DR_KEY": ROTATED["key"]}
    prepare(program, sshd, {"old": OLD})
    # Only what was begun with the former value is promised; the rest prints it after the change.
    text = (program.folder / "runbooks/canaries.yml").read_text()
    program.write("runbooks/canaries.yml", text.partition("\n  f1:")[0] + "\n")
    name, process = begin(program, sshd, DR_TOKEN=OLD)
    program.here("note", name, f"the password is {OLD}")
    os.kill(process.pid, signal.SIGKILL)
    said = Done.of(process)
    (sshd.home / "go").touch()
    if given:
        resume = ("resume", name, "--no-input", "--old-secret", "token=env:BEFORE")
        done = program(*resume, BEFORE=OLD)
    else:
        done = program("resume", name, "--no-input")
    assert done.exit in (1, 3, 4), done.err
    told = said.out + said.err + done.out + done.err
    found = [
        (place, hit)
        for place, content in (*places(program, name, told), ("hosts", leftovers(sshd)))
        for hit in hits(content, ROTATED)
    ]
    assert found == []


def test_the_table_has_at_least_28_forms_and_each_is_one() -> None:
    assert len(canaries.FORMS) >= 28
    assert all(canaries.FORMS[name](TOKEN) for name in canaries.FORMS)
    assert len(set(spelled(TOKEN))) >= 28

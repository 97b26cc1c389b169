"""Invariants that begin with a step and end with one, and probes that are written once."""

import signal
from pathlib import Path

from tests.programs import Done, Program
from tests.sshd import until

RUNBOOK = """
drrun: 1
name: invariants
probes:
  one-writer:
    run: n=$(cat "$HOME"/writers 2>/dev/null | wc -l) && exit "$n"
    tells: {holds: 1, not: [0, 2]}
    every: 200ms
invariants: [{use: one-writer, since: fence, until: go-back}]
steps:
  two-writers: {run: "printf '1\\n2\\n' > $HOME/writers", verify: {run: "true"}}
  rest: {needs: [two-writers], uses: wait, with: {for: 1s}}
  fence: {needs: [rest], run: "echo 1 > $HOME/writers", verify: one-writer}
  hold: {needs: [fence], manual: Wait.}
  go-back: {needs: [hold], run: "printf '1\\n2\\n' > $HOME/writers", verify: {run: "true"}}
  end: {needs: [go-back], uses: wait, with: {for: 1s}}
"""


def program(folder: Path) -> Program:
    made = Program(folder)
    made.write("runbooks/it.yml", RUNBOOK)
    made.write("inventory/hosts.yml", "hosts: {}\n")
    return made


def test_two_writers_before_the_fence_and_after_the_way_back_break_nothing(tmp_path: Path) -> None:
    drrun = program(tmp_path)
    assert drrun("run", "runbooks/it.yml", "--yes", "--no-input").exit == 3
    drrun("confirm", "latest", "hold")
    assert drrun("resume", "latest").exit == 0, drrun.here("status", "latest").out


def test_a_second_writer_after_the_fence_pauses_the_run(tmp_path: Path) -> None:
    drrun = program(tmp_path)
    running = drrun.start("run", "runbooks/it.yml", "--yes", "--linger", "1h")

    def asked() -> bool:
        return '"step": "hold"' in drrun.here("status", "latest", "--json").out

    def broken() -> bool:
        return "InvariantBroken" in drrun.here("events", "latest", "--json").out

    assert until(asked)
    drrun.write("writers", "1\n2\n")
    assert until(broken)
    assert drrun.json("status", "latest")["status"] == "paused"
    running.send_signal(signal.SIGINT)
    assert Done.of(running).exit == 130

"""A step that prints gigabytes: seconds, peak memory of drrun, and whether time grows linearly.

Usage: python benchmarks/big_output.py [GIGABYTES…]     default: 1 10
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.programs import Program
from tests.sshd import Sshd, SshdFactory

RUNBOOK = """
drrun: 1
name: big
steps:
  big: {{run: head -c {size} /dev/zero | tr '\\0' 'x', on: db1, verify: {{run: "true"}}}}
"""


def measure(folder: Path, server: Sshd, gigabytes: float) -> tuple[float, float]:
    """Seconds, and peak memory in MB."""
    program = Program(folder / f"{gigabytes}")
    program.inventory({"db1": server})
    program.write("runbooks/big.yml", RUNBOOK.format(size=int(gigabytes * 1e9)))
    began = time.perf_counter()
    process = program.start("run", "runbooks/big.yml", "--yes", "--no-input")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> None:
    sizes = [float(each) for each in sys.argv[1:]] or [1.0, 10.0]
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        servers = SshdFactory(Path(folder))
        try:
            server = servers.start()
            taken = []
            for size in sizes:
                seconds, memory = measure(Path(folder), server, size)
                taken.append(seconds / size)
                print(f"{size:g} GB: {seconds:.1f} s, {memory:.0f} MB at most", flush=True)
            ratios = ", ".join(f"{each / taken[0]:.2f}" for each in taken)
            print(f"seconds a gigabyte, against the first: {ratios}")
        finally:
            servers.close()
            subprocess.run(["sync"], check=False)


if __name__ == "__main__":
    main()

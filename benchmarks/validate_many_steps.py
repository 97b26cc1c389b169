"""How long validation takes for a runbook of many steps, and how much memory.

Usage: python benchmarks/validate_many_steps.py [STEPS]
"""

import resource
import sys
import time

from drrun.files.validation import validate

INVENTORY = """\
sites: {ams: {title: Amsterdam}}
hosts:
  db1: {site: ams, address: 10.0.0.1, groups: [database]}
"""
STEP = """\
  step-{number}:
    title: Restore part {number} of the archive
    owner: operator
    on: database
    needs: [{needs}]
    when: inputs.really
    estimate: {{p50: 20m, p90: 1h}}
    timeout: 2h
    env: {{PART: "{number}"}}
    run: |
      restore --part {number} --to {{{{ inputs.to }}}} \\
        --lag {{{{ steps.step-0.lag }}}}
    capture: {{lag: {{from: stdout, regex: 'lag=(\\d+)'}}}}
    verify:
      - {{run: "test -e /srv/{number}", within: 30s}}
      - {{tcp: 5432, on: local}}
"""


def runbook(steps: int) -> str:
    """A chain a thousand deep and as wide as it takes."""
    head = (
        "drrun: 1\nname: many\nroles: {operator: [kim]}\n"
        "inputs: {to: {default: ams}, really: {type: bool, default: true}}\nsteps:\n"
        "  step-0: {run: 'true', verify: [{run: 'true'}], capture: {lag: stdout}}\n"
    )
    lines = [
        STEP.format(number=number, needs=f"step-{max(0, number - steps // 1000 - 1)}")
        for number in range(1, steps)
    ]
    return head + "".join(lines)


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    text = runbook(steps).encode()
    began = time.perf_counter()
    validated = validate(text, "many.yaml", [("inventory.yaml", INVENTORY.encode())])
    took = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{steps} steps, {len(text) / 2**20:.1f} MiB: {took:.2f} s, {memory:.0f} MiB")
    print(*validated.findings[:10], sep="\n")


if __name__ == "__main__":
    main()

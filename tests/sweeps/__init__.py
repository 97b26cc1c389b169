"""Long sweeps outside CI: thousands of kills, hundreds of cuts, with printed seeds.

Usage::

    python -m tests.sweeps kills --seed 1 --count 2000
    python -m tests.sweeps cuts --seed 1 --count 200 --at-once 20

Rules:
- Judged from the hosts alone: an append-only file with one line for each execution.
- Every scene prints its seed when it goes wrong, and `--seed N --count 1` plays it again.
"""

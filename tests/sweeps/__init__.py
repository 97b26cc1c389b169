"""Long sweeps outside CI: thousands of kills, hundreds of cuts, with printed seeds.

Usage::

    python -m tests.sweeps kills --seed 1 --count 2000 --at-once 3
    python -m tests.sweeps cuts --seed 1 --count 500 --at-once 20 --minutes 60

Rules:
- Judged from the hosts: an append-only file with one line for each execution; the record is then
  compared with it.
- Every scene has a seed of its own, counted up from the given one, that is printed when it goes
  wrong; `--seed N --count 1` plays it again.
- When the time is over no scene begins any more. The last line has the seeds that were played.
"""

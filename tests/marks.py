"""Marks of tests, for all of them in one place, so that each verb knows what it runs.

Rules:
- `lab`: needs the lab (`tests/lab`), so root and Linux.
- `root`: needs root for mounts, namespaces or other users. Without root it is skipped; in CI it
  fails then.
- `slow`: takes seconds, or starts what does.
- Folders and fixtures say it. A single test that needs root says so itself: `@pytest.mark.root`.
"""

import os

import pytest

#: Below `tests/`.
SLOW = (
    "lab",
    "worlds",
    "crash",
    "sweeps",
    "faults",
    "benchmarks",
    "unit/core/test_engine_properties.py",
    "unit/core/test_guarantees.py",
    "acceptance",
    "contract/ssh",
    "contract/launcher",
    "contract/journal/test_power_cut.py",
    "contract/journal/test_processes_at_once.py",
)
#: Fixtures that mount, or make namespaces.
NEED_ROOT = frozenset({"root", "tiny_disk", "wire"})


def pytest_itemcollected(item: pytest.Item) -> None:
    path = item.path.relative_to(item.config.rootpath / "tests")
    if any(path.is_relative_to(each) for each in SLOW):
        item.add_marker("slow")
    if path.is_relative_to("lab"):
        item.add_marker("lab")
        item.add_marker("root")
    if NEED_ROOT & set(getattr(item, "fixturenames", ())):
        item.add_marker("root")
    if item.get_closest_marker("root") and os.geteuid() != 0 and not os.environ.get("CI"):
        item.add_marker(pytest.mark.skip(reason="needs root"))

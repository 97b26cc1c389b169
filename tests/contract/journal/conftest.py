from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.journal.benches import (
    Bench,
    MemoryBench,
    SqliteBench,
    document,
    record,
    sqlite_bench,
)


@pytest.fixture(params=["memory", "sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Every place a journal is kept in, with one run in it."""
    if request.param == "memory":
        memory = MemoryBench()
        memory.mine.journal.create(record(), [document()])
        yield memory
        return
    with sqlite_bench(tmp_path / "state") as disk:
        disk.mine.journal.create(record(), [document()])
        yield disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SqliteBench]:
    """A journal on disk with one run in it."""
    with sqlite_bench(tmp_path / "state") as disk:
        disk.mine.journal.create(record(), [document()])
        yield disk

"""A run that cannot begin."""

from collections.abc import Sequence

import pytest

from drrun.core.model.errors import DiskFull, StateUnusable
from drrun.ports.journal import Document, RunRecord
from drrun.testing.memory import MemoryJournal
from tests.unit.core.worlds import plan_of, step
from tests.unit.engine.rigs import Rig


class NoRoom(MemoryJournal):
    """A journal on a disk that is full."""

    def create(self, record: RunRecord, documents: Sequence[Document]) -> None:
        raise DiskFull


@pytest.mark.faults(84)
def test_a_run_that_could_not_begin_is_not_said_to_be_resumable() -> None:
    rig = Rig(plan_of(step("a")), journal=NoRoom())
    with pytest.raises(StateUnusable, match="no run was begun") as refusal:
        rig.start()
    assert not isinstance(refusal.value, DiskFull)

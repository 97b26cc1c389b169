"""Fixtures of the wrong worlds."""

import os

import pytest

from tests.faults.wires import wire

__all__ = ["root", "wire"]


@pytest.fixture
def root() -> None:
    """Mounts and namespaces are possible here; skipped without root, but never in CI."""
    if os.geteuid() == 0:
        return
    if os.environ.get("CI"):
        pytest.fail("mounts need root")
    pytest.skip("mounts need root")

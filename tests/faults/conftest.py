"""Fixtures of the fault tests."""

from tests.faults.wires import wire

__all__ = ["wire"]

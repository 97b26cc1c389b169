"""Fixtures of the short sweeps."""

from tests.faults.wires import wire

__all__ = ["wire"]

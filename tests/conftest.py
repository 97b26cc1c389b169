"""Fixtures for all tests."""

from tests.sshd import sshd, sshd_factory

__all__ = ["sshd", "sshd_factory"]

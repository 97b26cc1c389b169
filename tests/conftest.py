"""Fixtures for all tests."""

from tests.postgres import postgres
from tests.sshd import sshd, sshd_factory

__all__ = ["postgres", "sshd", "sshd_factory"]

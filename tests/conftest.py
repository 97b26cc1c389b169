"""Fixtures for all tests."""

from tests.postgres import postgres
from tests.reporting import pytest_terminal_summary
from tests.sshd import sshd, sshd_factory

__all__ = ["postgres", "pytest_terminal_summary", "sshd", "sshd_factory"]

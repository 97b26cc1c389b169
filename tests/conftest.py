"""Fixtures for all tests."""

from tests.knot import knot_factory
from tests.postgres import postgres
from tests.reporting import pytest_terminal_summary
from tests.sshd import sshd, sshd_factory

__all__ = ["knot_factory", "postgres", "pytest_terminal_summary", "sshd", "sshd_factory"]

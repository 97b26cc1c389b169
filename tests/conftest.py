"""Fixtures for all tests, and what holds for all of them."""

from hypothesis import HealthCheck, settings

from tests.knot import knot_factory
from tests.marks import pytest_itemcollected
from tests.postgres import postgres
from tests.reporting import pytest_terminal_summary
from tests.sshd import sshd, sshd_factory

__all__ = [
    "knot_factory",
    "postgres",
    "pytest_itemcollected",
    "pytest_terminal_summary",
    "sshd",
    "sshd_factory",
]

# No test judges how fast the machine is that it runs on.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

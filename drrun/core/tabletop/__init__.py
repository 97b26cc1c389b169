"""Runs that only happen in time."""

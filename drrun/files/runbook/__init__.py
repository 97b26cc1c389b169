"""Runbook files to the model."""

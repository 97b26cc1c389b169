"""Inventory files to the model."""

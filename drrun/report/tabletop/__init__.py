"""Simulations as people look at them."""

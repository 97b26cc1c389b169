"""Hands: what acts when a run acts. A mode is a choice of hands."""

"""A run at the terminal: what is seen while it goes, and what can be answered there."""

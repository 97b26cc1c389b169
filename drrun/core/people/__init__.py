"""What people ask of a run, their roles, and what a run makes of it."""

"""The scheduler: what follows from a state. Pure, total, idempotent."""

"""What the engine needs from the world, as small protocols that adapters implement.

Rules:
- Three or four methods each. Results of acting are values (`drrun.core.model.outcomes`); a port
  raises only for faults of this program's own machine (disk, database).
- Every call has a deadline or returns at once; a port that can block takes a `Cancel`.
"""

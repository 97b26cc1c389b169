"""The report on a run: for the post-mortem, for management, for the auditor."""

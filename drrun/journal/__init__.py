"""The truth on disk: entries, leases, requests and outputs, in one folder of this machine.

Rules:
- Nobody else reads or writes that folder; `drrun.journal.store` puts its parts together.
"""

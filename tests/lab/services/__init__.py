"""Real services for the hosts of a lab: PostgreSQL, Knot, nginx, unbound, git, hg and others.

Rules:
- Configured as an administrator would, with the programs of the distribution; no stand-ins.
- Each function puts one service on one host and returns once it serves.
"""

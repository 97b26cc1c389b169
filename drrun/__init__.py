"""drrun: disaster-recovery runbooks, executed over SSH, verified and resumable."""

__version__ = "0.1.0"

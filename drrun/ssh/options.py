"""Limits and sources of the SSH part, as one value that the wiring fills in.

Rules:
- Every time is in seconds; every wait of this package ends by one of them.
"""

from pathlib import Path

from drrun.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class SshOptions:
    """How hosts are reached. The defaults suit sshd as it is delivered."""

    #: Given to `ssh -F`; None: the user's own configuration.
    config: Path | None = None
    #: The OpenSSH client that reads the configuration; it is never used to connect.
    client: str = "ssh"
    #: Whether keys of a running agent may be used.
    agent: bool = True
    #: The explicit flag: unknown host keys are recorded in this file on first use, and it is read
    #: like known_hosts. None: unknown keys are refused.
    record_new_keys: Path | None = None
    #: How many callers one server has of us at once: its MaxStartups starts to refuse at 10.
    at_once: int = 4
    #: How many are logged in to at once, of all servers.
    logins_at_once: int = 64
    #: How long a route is waited for before the next one is tried beside it.
    head_start: float = 2.0
    #: Until a name is looked up; then until TCP, or the host on the way, has answered.
    connect_within: float = 10.0
    #: For greeting, key exchange and login of one hop together.
    hop_within: float = 30.0
    #: How often a greeting that was cut off (MaxStartups) is tried again.
    greetings: int = 8
    #: Until a channel is open or refused.
    channel_within: float = 10.0
    #: How long a refused channel (MaxSessions) is asked for while nothing else of ours runs there.
    session_within: float = 30.0
    #: Until the host says that a command begins: login shell, sudo.
    start_within: float = 60.0
    #: How often a connection is asked for a sign of life, and how long it may owe the answer.
    #: Together they say how late a silent death is noticed; shorter cuts heal by themselves.
    pulse_every: float = 10.0
    pulse_within: float = 20.0

"""paramiko: a channel for each command on one connection."""

import socket
from collections.abc import Callable
from typing import Any

import paramiko
from lanes import Call, main


def connect(work: dict[str, Any], lane: dict[str, Any]) -> Call:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(
        lane["address"],
        lane["port"],
        work["user"],
        pkey=paramiko.Ed25519Key.from_private_key_file(work["identity"]),
        allow_agent=False,
        look_for_keys=False,
        timeout=120,
        banner_timeout=120,
        auth_timeout=120,
    )
    transport = client.get_transport()
    assert transport is not None
    # Without it each command waits 40 ms for the acknowledgement of its predecessor.
    transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(command: str, take: Callable[[bytes], Any]) -> int:
        channel = transport.open_session()
        channel.exec_command(command)
        while part := channel.recv(1 << 18):
            take(part)
        code = channel.recv_exit_status()
        channel.close()
        return code

    return call


if __name__ == "__main__":
    main(connect)

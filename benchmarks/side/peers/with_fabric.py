"""Fabric: `Connection.run` on one open connection."""

import socket
from collections.abc import Callable
from typing import Any

import fabric
from lanes import Call, main


def connect(work: dict[str, Any], lane: dict[str, Any]) -> Call:
    connection = fabric.Connection(
        lane["address"],
        user=work["user"],
        port=lane["port"],
        connect_kwargs={"key_filename": work["identity"], "look_for_keys": False},
    )
    connection.open()
    # As in `with_paramiko`, on which it stands.
    connection.transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(command: str, _: Callable[[bytes], Any]) -> int:
        return int(connection.run(command, hide=True, in_stream=False, warn=True).exited)

    return call


if __name__ == "__main__":
    main(connect)

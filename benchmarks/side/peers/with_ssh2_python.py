"""ssh2-python (libssh2): a channel for each command on one connection."""

import socket
from collections.abc import Callable
from typing import Any

from lanes import Call, main
from ssh2.session import Session


def connect(work: dict[str, Any], lane: dict[str, Any]) -> Call:
    sock = socket.create_connection((lane["address"], lane["port"]), 120)
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    session = Session()
    session.handshake(sock)
    session.userauth_publickey_fromfile(work["user"], work["identity"], "")

    def call(command: str, take: Callable[[bytes], Any]) -> int:
        channel = session.open_session()
        channel.execute(command)
        while (size := (read := channel.read(1 << 18))[0]) > 0:
            take(read[1])
        if size < 0:
            raise OSError(f"libssh2 says {size}")
        # The status comes before the server's close, and after its end of file.
        channel.close()
        channel.wait_closed()
        return int(channel.get_exit_status())

    return call


if __name__ == "__main__":
    main(connect)

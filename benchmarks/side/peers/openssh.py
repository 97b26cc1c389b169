"""OpenSSH's own client, a process for each command."""

import subprocess
from collections.abc import Callable
from typing import Any

from lanes import Call, main


def connect(work: dict[str, Any], lane: dict[str, Any]) -> Call:
    words = [
        *["ssh", "-F", "/dev/null", "-T", "-q", "-i", work["identity"]],
        *["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
        *["-p", str(lane["port"]), f"{work['user']}@{lane['address']}"],
    ]

    def call(command: str, take: Callable[[bytes], Any]) -> int:
        process = subprocess.Popen(
            [*words, command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        while part := process.stdout.read(1 << 18):
            take(part)
        return process.wait()

    return call


if __name__ == "__main__":
    main(connect)

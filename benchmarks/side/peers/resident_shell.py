"""The floor: commands to one shell that stays, over one channel of OpenSSH's own client."""

import subprocess
from collections.abc import Callable
from typing import Any

from lanes import Call, main


def connect(work: dict[str, Any], lane: dict[str, Any]) -> Call:
    process = subprocess.Popen(
        [
            *["ssh", "-F", "/dev/null", "-T", "-q", "-i", work["identity"]],
            *["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
            *["-p", str(lane["port"]), f"{work['user']}@{lane['address']}", "sh"],
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    requests, answers = process.stdin, process.stdout

    def call(command: str, _: Callable[[bytes], Any]) -> int:
        requests.write(f"( {command} ) >/dev/null; echo $?\n".encode())
        requests.flush()
        return int(answers.readline())

    return call


if __name__ == "__main__":
    main(connect)

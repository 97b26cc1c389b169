"""One command of one SSH session: started in its host's folder, its streams carried both ways.

Rules:
- Each command leads a session of its own, as below sshd, so that it can be ended as a whole.
- Standard input ends when the client says so; output is passed on as it comes, with nothing
  collected, so a slow reader slows the command and not this process.
- The end is told as sshd tells it: output to its end, exit status or signal, close. A command that
  left something behind which keeps the output open has its status told at once all the same.
"""

import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko  # noqa: TID253 - imported by the demonstration's server process only
from paramiko.common import cMSG_CHANNEL_REQUEST  # noqa: TID253 - same

from drrun.core.dataclass import dataclass

#: Bytes at once.
_CHUNK = 65536
#: Seconds between looks at whether a command ended that keeps its output open.
_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Home:
    """Where commands of one host run."""

    folder: Path
    environment: Mapping[str, str]


def execute(channel: paramiko.Channel, line: str, home: Home) -> None:
    """Run `line` to its end, in a thread of its own."""
    threading.Thread(target=_execute, args=(channel, line, home), daemon=True).start()


def _execute(channel: paramiko.Channel, line: str, home: Home) -> None:
    # The client is gone when sending fails; its command goes on, as below sshd.
    with suppress(OSError, EOFError, paramiko.SSHException):
        process = subprocess.Popen(
            ["/bin/sh", "-c", line],
            cwd=home.folder,
            env=dict(home.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        threading.Thread(target=_feed, args=(channel, process), daemon=True).start()
        told = _pass_on(channel, process)
        channel.shutdown_write()
        if not told:
            _tell(channel, process.wait())
        channel.close()


def _feed(channel: paramiko.Channel, process: "subprocess.Popen[bytes]") -> None:
    """What the client sends, to its end. A command that does not read loses nothing but that."""
    stream = process.stdin
    if stream is None:
        return
    with suppress(OSError, EOFError):
        while data := channel.recv(_CHUNK):
            view = memoryview(data)
            while view:
                view = view[stream.write(view) :]
    with suppress(OSError):
        stream.close()


def _pass_on(channel: paramiko.Channel, process: "subprocess.Popen[bytes]") -> bool:
    """Pass on both streams until their end; whether the exit was told meanwhile."""
    told = False
    with selectors.DefaultSelector() as selector:
        for stream, send in (
            (process.stdout, channel.sendall),
            (process.stderr, channel.sendall_stderr),
        ):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, send)
        while selector.get_map():
            ready = selector.select(_LOOK)
            for key, _ in ready:
                data = os.read(key.fd, _CHUNK)
                if data:
                    key.data(data)
                else:
                    selector.unregister(key.fileobj)
            if not ready and not told and process.poll() is not None:
                _tell(channel, process.returncode)
                told = True
            if channel.closed:
                return True
    return told


def _tell(channel: paramiko.Channel, code: int) -> None:
    """The exit status, or the signal. RFC 4254 section 6.10."""
    if code >= 0:
        channel.send_exit_status(code)
        return
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("exit-signal")
    message.add_boolean(False)  # noqa: FBT003 - a field of the message: no reply is wanted
    message.add_string(signal.Signals(-code).name.removeprefix("SIG"))
    message.add_boolean(False)  # noqa: FBT003 - a field of the message: no core was dumped
    message.add_string("")
    message.add_string("")
    # paramiko has no call for this request.
    transport: Any = channel.get_transport()
    transport._send_user_message(message)  # noqa: SLF001

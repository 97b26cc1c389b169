"""Asks who reads a channel to a host: some shells look at nothing before they see its end.

Rules:
- On a channel of its own, because whoever reads has to see the end of its input; nothing that
  acts is sent on it.
"""

import threading
import time

from drrun.ssh.link import Link
from drrun.ssh.proof import Proof
from drrun.ssh.wires import FarWire

#: Seconds for which a shell may take to say its name, and what is read of all that it says.
_WITHIN = 60.0
_CHATTER = 65536


def reader_of(link: Link) -> str:
    """The shell that reads a channel in the place of what it was to execute, or "".

    Blocks, for as long as a log-in takes.
    """
    proof, news = Proof(), threading.Event()
    try:
        wire = FarWire(link, "exec /bin/sh -c :", news.set)
    except OSError:
        return ""
    said = b""
    try:
        wire.send(proof.question)
        wire.end()
        deadline = time.monotonic() + _WITHIN
        while wire.ended() is None and time.monotonic() < deadline and len(said) < _CHATTER:
            news.wait(1)
            news.clear()
            said += b"".join(data for stream, data in wire.receive() if stream == "out")
    except (OSError, EOFError):
        return ""
    finally:
        wire.close()
    words = said.decode("utf-8", "replace").rpartition(f"{proof.nonce} ")[2]
    return proof.replaced_by(words)

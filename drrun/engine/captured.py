"""Keeps the output of a short command in memory."""

from collections.abc import Mapping
from typing import Any

#: Bytes kept of each stream: enough for any answer, too little for an accident.
LIMIT = 1 << 20


class CapturedOutput:
    """An `Output` that lives in memory, up to `LIMIT` bytes a stream."""

    def __init__(self) -> None:
        self.streams: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    def write(self, stream: str, data: bytes) -> None:
        """Keep bytes."""
        kept = self.streams[stream]
        kept += data[: max(0, LIMIT - len(kept))]

    def text(self, stream: str) -> str:
        """The kept bytes, decoded."""
        return self.streams[stream].decode("utf-8", "replace")

    def close(self) -> Mapping[str, Any]:
        """Nothing to flush."""
        return {}

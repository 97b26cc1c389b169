"""The log file: one JSON object a line, for faults of this program and of its libraries.

Rules:
- Only what went wrong is written; what a run does is in its journal.
- Values of variables are never written: they may be secrets. What a message holds is masked.
- Nothing that runs in a thread, and no library, prints to the user's terminal.
"""

import logging
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from drrun.cli.out import hiding


def open_log(path: Path) -> Any:
    """A logger that writes to `path`; the folder is made, for this user alone."""
    import structlog

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return structlog.wrap_logger(
        structlog.WriteLogger(path.open("a", encoding="utf-8", errors="backslashreplace")),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            _hidden,
            structlog.processors.JSONRenderer(),
        ],
    )


def _hidden(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Before it is spelled as JSON: that changes what a secret looks like."""
    masked: MutableMapping[str, Any] = hiding().structure(entry)
    return masked


def catch_libraries(path: Path) -> None:
    """Send warnings of libraries, and what kills a thread, to the log file."""
    root = logging.getLogger()
    root.handlers = [_Forward(path)]
    root.setLevel(logging.WARNING)

    def killed(died: threading.ExceptHookArgs) -> None:
        name = died.thread.name if died.thread else ""
        if died.exc_value is not None:
            open_log(path).error("a thread died", thread=name, exc_info=died.exc_value)

    threading.excepthook = killed


class _Forward(logging.Handler):
    """From the standard library's logging to the log file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._log: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a full disk must not stop a run."""
        try:
            if self._log is None:
                self._log = open_log(self._path)
            exception = record.exc_info if record.exc_info and record.exc_info[0] else None
            self._log.warning(record.getMessage(), logger=record.name, exc_info=exception)
        except Exception:  # noqa: BLE001, S110 - see above; there is no other place to tell it
            pass

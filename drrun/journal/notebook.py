"""Readiness records: what preflights measured, when."""

import json

from drrun.journal.database import Database
from drrun.ports.journal import PreflightRecord


class SqliteNotebook:
    """The `Notebook` of one state folder."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, looked: PreflightRecord) -> None:
        """Keep one.

        Raises:
            StateUnusable: It cannot be written.
        """
        with self._database.transaction() as transaction:
            transaction.change(
                "keep_preflight",
                runbook=looked.runbook,
                fingerprint=looked.fingerprint,
                at=looked.at,
                actor=looked.by,
                ready=int(looked.ready),
                body=json.dumps(list(looked.checks)),
            )

    def latest(self, runbook: str, until: float) -> PreflightRecord | None:
        """The last one of a runbook that was made before a moment."""
        row = self._database.row("last_preflight", runbook=runbook, until=until)
        if row is None:
            return None
        return PreflightRecord(
            row["runbook"],
            row["fingerprint"],
            row["at"],
            row["actor"],
            bool(row["ready"]),
            json.loads(row["body"]),
        )

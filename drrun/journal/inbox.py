"""The inbox in SQLite: what people ask of a run, from any process.

Rules:
- The first answer to a request stands. A controller appends the events that a request led to
  before it settles it: a request that is asked twice is better than one that is lost.
- Looking costs one query over an index of what waits: it may be done ten times a second.
"""

from collections.abc import Mapping
from typing import Any

from drrun.core.integrity.chain import canonical
from drrun.core.model.ids import RunId
from drrun.engine.sealing import plain
from drrun.journal.database import Database
from drrun.journal.inspection import unknown_run
from drrun.journal.rows import request_of
from drrun.ports.journal import Request, RequestAnswer


class SqliteInbox:
    """The `Inbox` of one state folder."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def post(
        self, run: RunId, at: float, actor: str, kind: str, body: Mapping[str, Any]
    ) -> Request:
        """Leave a request durably.

        Raises:
            Refused: There is no such run.
        """
        actor = plain(actor)
        with self._database.transaction() as transaction:
            if transaction.row("run", run=run) is None:
                raise unknown_run(run)
            number = transaction.insert(
                "post_request", run=run, at=at, actor=actor, kind=kind, body=canonical(body)
            )
        return Request(number, run, float(at), actor, kind, body)

    def pending(self, run: RunId) -> list[Request]:
        """Requests without an answer, oldest first."""
        return [request_of(row) for row in self._database.rows("pending_requests", run=run)]

    def settle(self, request: Request, answer: RequestAnswer) -> None:
        """Record what became of a request; the first answer stands."""
        with self._database.transaction() as transaction:
            transaction.change(
                "settle_request",
                id=request.id,
                accepted=int(answer.accepted),
                message=plain(answer.message),
                body=canonical(request.body),
            )

    def answer(self, request: Request) -> RequestAnswer | None:
        """What became of a request, or None while it waits."""
        row = self._database.row("answer", id=request.id)
        return RequestAnswer(bool(row["accepted"]), row["message"]) if row else None

    def version(self) -> int:
        """Changes when a request was posted, by whomever."""
        row = self._database.row("last_request")
        return int(row["id"]) if row else 0

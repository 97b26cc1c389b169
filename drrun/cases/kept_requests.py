"""Requests that wait for somebody who drives the run, and how they are withdrawn."""

from collections.abc import Callable, Collection, Iterator, Sequence

from drrun.cases.at_once import record_at_once
from drrun.cases.read_run import ReadRun, known
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError, Refused
from drrun.core.model.ids import RunId, StepId
from drrun.core.people.commands import command_of
from drrun.core.people.unanswered import KeptRequest, lapsed
from drrun.engine.ledger import Ledger
from drrun.engine.records import Records
from drrun.ports.journal import Request, RequestAnswer

#: The member of a request's body that tells how its step stood.
STOOD = "stood"
#: Shows what is kept; True: what changes the course of the run is done, False: it is withdrawn.
AskKept = Callable[[Sequence[KeptRequest]], bool]


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A kept request that is not done, and the fact that tells so."""

    request: Request
    event: ev.RequestRefused | ev.RequestWithdrawn
    #: What is told to whoever asked.
    told: str


def kept_requests(records: Records, run: RunId) -> tuple[KeptRequest, ...]:
    """The requests that nobody has answered; none while somebody drives the run."""
    if records.leases.holder(run) is not None:
        return ()
    return tuple(kept for _, kept in _waiting(records, run))


def withdraw(records: Records, run: RunId, number: int, by: str, why: str) -> str:
    """Take a request back before anybody has done it; what was said, for people.

    Raises:
        Refused: Somebody drives the run, and so has answered it.
        InputError: There is no such request.
    """
    seen = known(records, run)
    if seen.holder is not None:
        raise Refused(f"somebody drives {run} now: requests are answered at once")
    waiting = {kept.id: (request, kept) for request, kept in _waiting(records, run)}
    if number not in waiting:
        others = ", ".join(map(str, waiting)) or "none is"
        raise InputError(f"no request {number} is kept for {run}; kept: {others}")
    request, kept = waiting[number]
    refused = _withdrawn(request, kept, by, why)
    record_at_once(records, seen, [refused.event], by)
    _settle(records, refused)
    return f"withdrawn: {kept}"


def not_to_be_done(
    records: Records, seen: ReadRun, by: str, ask: AskKept, changed: Collection[StepId] = ()
) -> tuple[RefusedRequest, ...]:
    """Kept requests that have lapsed, or that whoever goes on does not want.

    Args:
        records: Where the run is kept.
        seen: The run, before anything in it is opened again.
        by: Who goes on.
        ask: Called with all that have not lapsed, if there are any.
        changed: Steps that are rewritten by going on.
    """
    refused: list[RefusedRequest] = []
    good: list[tuple[Request, KeptRequest]] = []
    for request, kept in _waiting(records, seen.run):
        if why := lapsed(seen.state, kept, changed):
            told = ev.RequestRefused(kind=request.kind, by=kept.by, why=why, step=kept.step)
            refused.append(RefusedRequest(request, told, why))
        else:
            good.append((request, kept))
    if good and not ask([kept for _, kept in good]):
        why = "not wanted any more"
        refused += [_withdrawn(*each, by, why) for each in good if each[1].wants_word]
    return tuple(refused)


def refuse(records: Records, ledger: Ledger, refused: Sequence[RefusedRequest], by: str) -> None:
    """Record that requests are not done, and tell whoever asked."""
    for each in refused:
        ledger.record(each.event, by)
    ledger.commit()
    for each in refused:
        _settle(records, each)


def _settle(records: Records, refused: RefusedRequest) -> None:
    records.inbox.settle(refused.request, RequestAnswer(accepted=False, message=refused.told))


def _withdrawn(request: Request, kept: KeptRequest, by: str, why: str) -> RefusedRequest:
    event = ev.RequestWithdrawn(
        kind=request.kind, asked=str(kept), asker=kept.by, by=by, why=why, step=kept.step
    )
    return RefusedRequest(request, event, f"withdrawn by {by}")


def _waiting(records: Records, run: RunId) -> Iterator[tuple[Request, KeptRequest]]:
    for request in records.inbox.pending(run):
        command = command_of(request.kind, request.body)
        if command is not None:  # else whoever drives the run refuses it
            stood = str(request.body.get(STOOD) or "")
            kept = KeptRequest(request.id, request.at, request.actor, command, stood)
            yield request, kept

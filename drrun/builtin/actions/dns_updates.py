"""`dns.update`: records of a zone say exactly this, by dynamic update (RFC 2136) with TSIG.

Rules:
- Sent by the controller to the primary server, over TCP; all records in one update, so that
  nobody sees half of it.
- It says what shall be there, not what to add: done twice it changes nothing, so an attempt whose
  controller died is simply done again.
- `was` is a prerequisite of RFC 2136: the server itself compares and changes in one go.
- What the server says afterwards is read back and compared. Other servers, and caches, are the
  business of `verify`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drrun.builtin.probes.dns import Server, Unresolved, ask_server, servers_of
from drrun.core.dataclass import dataclass
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown
from drrun.core.model.values import Duration
from drrun.ports.places import ActionCall

if TYPE_CHECKING:
    import dns.message
    import dns.update

#: Seconds for the whole exchange, unless the step has a time limit.
_WITHIN = 30.0
_RECORD = frozenset({"name", "type", "ttl", "data", "was"})
#: Error codes that people meet, in words (RFC 2136 section 2.2, RFC 8945 section 5).
_MEANING = {
    "NOTAUTH": "it does not know this key, or is not a server of the zone",
    "REFUSED": "its access rules do not allow this key to do this",
    "NOTZONE": "a record lies outside the zone",
    "NXRRSET": "the records are no longer what `was` says",
    "SERVFAIL": "it is out of order",
    "NOTIMP": "it takes no updates",
}


@dataclass(frozen=True, slots=True)
class RecordSet:
    """All records of one name and type, as they shall be."""

    name: str
    kind: str
    ttl: int
    #: Their data, sorted as written by dnspython; empty: there shall be none.
    data: tuple[str, ...]
    #: What must be there now; None: anything may.
    was: tuple[str, ...] | None = None

    def __str__(self) -> str:
        what = f"{self.ttl} {' '.join(self.data)}" if self.data else "nothing"
        return f"{self.name} {self.kind}: {what}"


class UpdateDns:
    """Makes records of a zone what they shall be; or shows what that would change."""

    def __init__(self, *, dry: bool = False) -> None:
        self._dry = dry

    def perform(self, call: ActionCall) -> Outcome:
        """Update once."""
        order, given = call.order, call.order.arguments
        try:
            zone, records = str(given["zone"]), _records(given)
            message = _message(given, zone, records)
            server = _server(str(given["server"]))
        except (Unresolved, ValueError) as error:
            return NeverStarted(str(error), final=isinstance(error, ValueError))
        deadline = time.monotonic() + (order.timeout or _WITHIN)
        try:
            before = [_seen(server, record, deadline) for record in records]
        except OSError as error:
            return NeverStarted(f"{server}: {error}")
        if self._dry:
            return _show_changes(call, records, before)
        for record, (ttl, data) in zip(records, before, strict=True):
            call.output.write("stdout", f"{record}; was {ttl} {' '.join(data)}\n".encode())
        facts = {"was": " ".join(before[0][1])}
        if all(_as_wanted(record, seen) for record, seen in zip(records, before, strict=True)):
            return Ended(0, note="the records are so already", facts=facts)
        outcome = _send(message, server, deadline)
        if outcome is not None:
            return outcome
        return _read_back(server, records, deadline, facts)


def _show_changes(
    call: ActionCall, records: Sequence[RecordSet], before: Sequence[tuple[int, tuple[str, ...]]]
) -> Outcome:
    """Print which records would go and which would come."""
    note = "the records are so already"
    for record, (ttl, data) in zip(records, before, strict=True):
        if record.was is not None and data != record.was:
            says, wanted = " ".join(data) or "nothing", " ".join(record.was) or "nothing"
            return Ended(1, note=f"{record.name} {record.kind} is {says}, and `was` says {wanted}")
        if not _as_wanted(record, (ttl, data)):
            note = "they would be changed"
            gone = [f"-{record.name} {ttl} {record.kind} {each}" for each in data]
            come = [f"+{record.name} {record.ttl} {record.kind} {each}" for each in record.data]
            call.output.write("stdout", "".join(f"{each}\n" for each in (*gone, *come)).encode())
    return Ended(0, note=note)


def _read_back(
    server: Server, records: Sequence[RecordSet], deadline: float, facts: Mapping[str, Any]
) -> Outcome:
    for record in records:
        try:
            seen = _seen(server, record, deadline)
        except OSError as error:
            return OutcomeUnknown(
                f"{server} took the update, but does not answer any more: {error}"
            )
        if not _as_wanted(record, seen):
            ttl, data = seen
            says = f"{ttl} {' '.join(data)}" if data else "nothing"
            return Ended(1, note=f"{server} took the update, but says of {record}: {says}")
    return Ended(0, note=f"{server} says so", facts=facts)


def _send(message: "dns.update.UpdateMessage", server: Server, deadline: float) -> Outcome | None:
    """Send the update; what went wrong, None if the server took it."""
    import dns.exception
    import dns.query
    import dns.rcode
    import dns.tsig

    left = max(0.1, deadline - time.monotonic())
    try:
        answer = dns.query.tcp(message, server.address, left, server.port)
    except ConnectionError as error:
        return NeverStarted(f"{server}: {(error.strerror or str(error)).lower()}")
    except dns.tsig.PeerError as error:
        # BADKEY and the like: the server has said that it did nothing.
        return Ended(1, note=f"{server} refuses: {type(error).__name__.removeprefix('Peer')}")
    except (dns.exception.DNSException, OSError, EOFError) as error:
        why = str(error) or type(error).__name__
        return OutcomeUnknown(f"whether {server} took the update is not known: {why}")
    code = dns.rcode.to_text(answer.rcode())
    if code == "NOERROR":
        return None
    meaning = f" ({_MEANING[code]})" if code in _MEANING else ""
    return Ended(1, note=f"{server} refuses: {code}{meaning}")


def _message(
    given: Mapping[str, Any], zone: str, records: Sequence[RecordSet]
) -> "dns.update.UpdateMessage":
    """The update.

    Raises:
        ValueError: Something that is written cannot be.
    """
    import dns.exception
    import dns.name
    import dns.update

    try:
        origin = dns.name.from_text(zone)
        update = dns.update.UpdateMessage(origin)
        for record in records:
            name = dns.name.from_text(record.name, origin)
            if record.was:
                update.present(name, record.kind, *record.was)
            elif record.was is not None:
                update.absent(name, record.kind)
            if record.data:
                update.replace(name, record.ttl, record.kind, *record.data)
            else:
                update.delete(name, record.kind)
        _sign(update, given)
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"dns.update: {error}") from None
    return update


def _sign(update: "dns.update.UpdateMessage", given: Mapping[str, Any]) -> None:
    """Sign with `key`: `[algorithm:]name:secret`, or the secret with `key_name` beside it."""
    import binascii

    import dns.tsigkeyring

    key = str(given.get("key") or "").strip()
    if not key:
        return
    algorithm, name = str(given.get("algorithm") or "hmac-sha256"), given.get("key_name")
    parts = key.split(":")
    if len(parts) == 3:
        algorithm, name, key = parts
    elif len(parts) == 2:
        name, key = parts
    if not name:
        raise ValueError("the key has no name: give key_name, or the key as name:secret")
    try:
        ring = dns.tsigkeyring.from_text({str(name): (algorithm, key)})
    except (binascii.Error, ValueError):
        # Never with its text: it is a secret.
        raise ValueError("the secret of the key is not base64") from None
    update.use_tsig(ring, algorithm=algorithm)


def _records(given: Mapping[str, Any]) -> list[RecordSet]:
    written = given.get("records")
    if written is None:
        written = [{key: given[key] for key in _RECORD if key in given}]
    if not isinstance(written, list | tuple) or not written:
        raise ValueError("dns.update: records is a list of {name, type, ttl, data}")
    return [_record(each, given, str(given["zone"])) for each in written]


def _record(written: Any, given: Mapping[str, Any], zone: str) -> RecordSet:
    if not isinstance(written, Mapping) or not set(written) <= _RECORD:
        raise ValueError(
            f"dns.update: a record is {{name, type, ttl, data, was}}, not {written!r}"
        )
    if "name" not in written or "data" not in written:
        raise ValueError("dns.update: a record needs 'name' and 'data' ([] removes it)")
    kind = str(written.get("type") or given.get("type") or "A").upper()
    origin = zone.rstrip(".") + "."
    name = str(written["name"])
    if name == "@":
        name = origin
    elif not name.endswith("."):
        name = f"{name}." if f"{name}.".endswith(f".{origin}") else f"{name}.{origin}"
    if name != origin and not name.lower().endswith(f".{origin.lower()}"):
        raise ValueError(f"dns.update: {name} lies outside the zone {origin}")
    was = written.get("was")
    return RecordSet(
        name,
        kind,
        _ttl(written.get("ttl", given.get("ttl", 300))),
        tuple(_normal(kind, written["data"])),
        None if was is None else tuple(_normal(kind, was)),
    )


def _ttl(written: Any) -> int:
    """Seconds, from a number or a duration."""
    try:
        return int(str(written))
    except ValueError:
        return int(Duration.parse(str(written)))


def _normal(kind: str, written: Any) -> Iterator[str]:
    """Data of records in the one form in which they can be compared."""
    import dns.exception
    import dns.rdata

    values = written if isinstance(written, list | tuple) else [written]
    try:
        found = [
            dns.rdata.from_text("IN", kind, str(value)) for value in values if value is not None
        ]
    except dns.exception.DNSException as error:
        raise ValueError(f"dns.update: {kind} {written}: {error}") from None
    yield from sorted(str(each) for each in found)


def _server(written: str) -> Server:
    return servers_of({"server": written}, 0.0)[0]


def _seen(server: Server, record: RecordSet, deadline: float) -> tuple[int, tuple[str, ...]]:
    """TTL and data that a server gives now."""
    import dns.rdatatype

    answer = ask_server(server, record.name, record.kind, deadline)
    kind = dns.rdatatype.from_text(record.kind)
    sets = [each for each in answer.answer if each.rdtype == kind]
    ttl = min((each.ttl for each in sets), default=0)
    return ttl, tuple(sorted(str(rdata) for each in sets for rdata in each))


def _as_wanted(record: RecordSet, seen: tuple[int, tuple[str, ...]]) -> bool:
    ttl, data = seen
    return data == record.data and (not data or ttl == record.ttl)

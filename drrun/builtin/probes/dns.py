"""`dns`: every authoritative server answers as expected.

Rules:
- Without `server` every authoritative server of the zone is asked directly, on every address it
  has: one that is stale is what a cutover fails on (fault F81). Caches are not asked.
- All of them must satisfy the expectation. One that does not: does not hold. One that is silent
  while the others satisfy: could not tell.
- The value is the records' data, sorted, separated by blanks; with `want: ttl` or `want: serial`
  that number.
"""

import ipaddress
import socket
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from drrun.builtin.probes.asking import doubt
from drrun.core.dataclass import dataclass
from drrun.core.model.probes import Verdict
from drrun.core.rules.judging import Observed, judge, shown
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question

if TYPE_CHECKING:
    import dns.message

#: Seconds for one question to one server; asked again once, because UDP loses packets.
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask."""

    name: str
    address: str
    port: int = 53

    def __str__(self) -> str:
        return self.name


class Unresolved(Exception):
    """Who is to be asked cannot be found out."""


def evaluate(question: Question, places: Places, cancel: Cancel) -> ProbeAnswer:
    """Ask every server once."""
    del places
    deadline = time.monotonic() + question.timeout
    try:
        servers = servers_of(question.ask, deadline)
    except Unresolved as error:
        return doubt(question, str(error))
    found: list[tuple[Server, Verdict, str, str]] = []
    for server in servers:
        if cancel.is_set():
            return doubt(question, "stopped")
        found.append((server, *_one(question, server, deadline)))
    return _together(found)


def _one(question: Question, server: Server, deadline: float) -> tuple[Verdict, str, str]:
    ask = question.ask
    try:
        answer = ask_server(server, str(ask["name"]), str(ask.get("type") or "A"), deadline)
    except OSError as error:
        why = str(error) or "no answer"
        return Verdict.COULD_NOT_TELL, "", why
    seen = read(answer, str(ask.get("want") or "data"))
    expect = question.expect
    if not seen.present and expect.absent is None:
        return Verdict.DOES_NOT_HOLD, "nothing", "there is no such record"
    verdict, why = judge(expect, seen, question.mask)
    return verdict, seen.text if seen.present else "nothing", why


def _together(found: list[tuple[Server, Verdict, str, str]]) -> ProbeAnswer:
    value = shown("; ".join(f"{server}={value or '?'}" for server, _, value, _ in found))
    where = ", ".join(str(server) for server, *_ in found)
    for verdict in (Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL):
        bad = [f"{server}: {why}" for server, its, _, why in found if its is verdict]
        if bad:
            return ProbeAnswer(verdict, value, "; ".join(bad), where, _answer(found))
    return ProbeAnswer(Verdict.HOLDS, value, "", where, _answer(found))


def _answer(found: list[tuple[Server, Verdict, str, str]]) -> str:
    """What they all say; of numbers the largest: the longest TTL is the one to wait for."""
    values = sorted({value for _, _, value, _ in found if value and value != "nothing"})
    if values and all(value.isdigit() for value in values):
        return max(values, key=int)
    return "; ".join(values)


def read(answer: "dns.message.Message", want: str) -> Observed:
    """What an answer says: its data, its TTL or the zone's serial."""
    import dns.rdatatype

    asked = answer.question[0].rdtype
    records = [each for each in answer.answer if each.rdtype == asked]
    if not records:
        return Observed(present=False)
    if want == "ttl":
        return Observed(str(min(each.ttl for each in records)))
    if want == "serial" and asked == dns.rdatatype.SOA:
        return Observed(str(records[0][0].serial))
    return Observed(" ".join(sorted(str(rdata) for each in records for rdata in each)))


def ask_server(server: Server, name: str, kind: str, deadline: float) -> "dns.message.Message":
    """Ask one server one question, over TCP where the answer is too long.

    Raises:
        OSError: No answer, or one that is an error of the server.
    """
    import dns.exception
    import dns.flags
    import dns.message
    import dns.query
    import dns.rcode

    query = dns.message.make_query(name, kind)
    query.flags &= ~dns.flags.RD
    for last in (False, True):
        left = min(_PATIENCE, deadline - time.monotonic())
        if left <= 0:
            raise OSError("no answer in time")
        try:
            answer, _ = dns.query.udp_with_fallback(query, server.address, left, server.port)
        except dns.exception.Timeout:
            if last:
                raise OSError("no answer") from None
            continue
        except dns.exception.DNSException as error:
            raise OSError(f"a wrong answer: {error}") from None
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise OSError(f"it answers {dns.rcode.to_text(answer.rcode())}")
        return answer
    raise AssertionError


def servers_of(ask: Mapping[str, Any], deadline: float) -> list[Server]:
    """Who is to be asked: those given, else every address of every authoritative server.

    Raises:
        Unresolved: They cannot be found out.
    """
    given = ask.get("servers") or ask.get("server")
    if given:
        return [server for name in _flat(given) for server in _given(name)]
    return list(_authoritative(str(ask.get("zone") or ask["name"]), deadline))


def _flat(given: Any) -> Iterable[str]:
    """Names one by one, also where a template gave a list inside a list."""
    if not isinstance(given, list | tuple):
        return [str(given)]
    return [name for each in given for name in _flat(each)]


def _given(written: str) -> Iterable[Server]:
    """`192.0.2.1`, `ns1.example:5353`, `[2001:db8::1]:53`."""
    host, port = written, 53
    if written.startswith("["):
        host, _, rest = written[1:].partition("]")
        port = int(rest.removeprefix(":") or 53)
    elif written.count(":") == 1:
        host, _, number = written.partition(":")
        port = int(number)
    return _addresses(host, written, port)


def _addresses(host: str, label: str, port: int) -> list[Server]:
    try:
        return [Server(label, str(ipaddress.ip_address(host)), port)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise Unresolved(f"{host} cannot be looked up: {error.strerror}") from None
    addresses = dict.fromkeys(str(each[4][0]) for each in found)
    return [
        Server(label if len(addresses) == 1 else f"{label}/{address}", address, port)
        for address in addresses
    ]


def _authoritative(name: str, deadline: float) -> Iterable[Server]:
    import dns.exception
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver()
        resolver.lifetime = max(0.1, deadline - time.monotonic())
        zone = dns.resolver.zone_for_name(name, resolver=resolver)
        servers = [str(each.target) for each in resolver.resolve(zone, "NS")]
    except dns.exception.DNSException as error:
        why = f"the authoritative servers of {name} cannot be found ({error})"
        raise Unresolved(f"{why}; name them by `servers`") from None
    for server in sorted(servers):
        yield from _addresses(server.rstrip("."), server.rstrip("."), 53)

"""`http`: a page is served as expected.

Rules:
- Asked from the controller. `address` connects to that address while Host and SNI stay those of
  the URL, so that a service can be looked at before DNS points to it.
- Status 200 to 399 unless the author says otherwise; redirects are not followed, because they are
  an answer of their own. Certificates are verified unless `insecure`.
- Refused, reset or no answer in time: does not hold. A name that cannot be looked up: could not
  tell.
"""

import http.client
import socket
import ssl
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from drrun.builtin.probes.asking import doubt, judged, no
from drrun.core.judging import Observed
from drrun.core.probes import Expect
from drrun.engine.ports import Cancel, Places, Question, Seen

#: Bytes read of a body.
_BODY = 1 << 20


def evaluate(question: Question, places: Places, cancel: Cancel) -> Seen:
    """Send one request."""
    del places, cancel
    try:
        status, body = _fetch(question)
    except socket.gaierror as error:
        return doubt(question, f"its name cannot be looked up: {error.strerror}")
    except ssl.SSLCertVerificationError as error:
        return no(question, "bad certificate", f"certificate: {error.verify_message}")
    except TimeoutError:
        return no(question, "no answer", f"no answer within {question.timeout}")
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return no(question, "no answer", str(why).lower())
    except ValueError as error:
        return doubt(question, str(error))
    expect, seen = _expected(question), Observed(body, status=status)
    answer = judged(question, expect, seen)
    return replace(answer, value=f"{status} {answer.value}".strip())


def _expected(question: Question) -> Expect:
    expect, written = question.expect, question.ask.get("status")
    if expect.status is None and written is not None:
        wanted = written if isinstance(written, list | tuple) else [written]
        return replace(expect, status=tuple(int(each) for each in wanted))
    if expect.status is None:
        return replace(expect, status=tuple(range(200, 400)))
    return expect


def _fetch(question: Question) -> tuple[int, str]:
    ask = question.ask
    url = urlsplit(str(ask["url"]))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{ask['url']!r} is no http or https URL")
    deadline = time.monotonic() + question.timeout
    connection = _connection(question, url)
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {"User-Agent": "drrun", "Host": url.netloc.rpartition("@")[2]}
        headers |= {str(name): str(value) for name, value in (ask.get("headers") or {}).items()}
        body = ask.get("body")
        connection.request(
            str(ask.get("method") or "GET").upper(),
            path,
            body=None if body is None else str(body).encode(),
            headers=headers,
        )
        response = connection.getresponse()
        return response.status, _body(connection, response, deadline)
    finally:
        connection.close()


def _body(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse, deadline: float
) -> str:
    """At most `_BODY` bytes; a body that drips is cut off at the deadline."""
    parts: list[bytes] = []
    size = 0
    while size < _BODY:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        part = response.read1(min(65536, _BODY - size))
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts).decode("utf-8", "replace")


def _connection(question: Question, url: Any) -> http.client.HTTPConnection:
    """A connection whose socket goes to `address`, or to the URL's own host."""
    port = url.port or (443 if url.scheme == "https" else 80)
    host, _, given = str(question.ask.get("address") or "").partition(":")
    line = socket.create_connection(
        (host or url.hostname, int(given) if given else port), timeout=question.timeout
    )
    if url.scheme == "https":
        try:
            line = _context(question).wrap_socket(line, server_hostname=url.hostname)
        except BaseException:
            line.close()
            raise
    connection = http.client.HTTPConnection(url.hostname, port, timeout=question.timeout)
    connection.sock = line
    return connection


def _context(question: Question) -> ssl.SSLContext:
    authority = question.ask.get("ca")
    context = ssl.create_default_context(cafile=str(authority) if authority else None)
    if question.ask.get("insecure"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

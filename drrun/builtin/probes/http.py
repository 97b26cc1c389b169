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
import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from drrun.builtin.local_paths import local_path
from drrun.builtin.probes.asking import doubt, judged, no
from drrun.core.model.errors import InputError
from drrun.core.model.probes import Expect
from drrun.core.model.values import Duration
from drrun.core.rules.judging import Observed
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question

#: Bytes read of a body.
_BODY = 1 << 20


def evaluate(question: Question, places: Places, cancel: Cancel) -> ProbeAnswer:
    """Send one request."""
    del places, cancel
    try:
        ask = question.ask
        if ask.get("ca"):
            ask = {**ask, "ca": str(local_path(question, "ca"))}
        status, body = fetch(ask, question.timeout)
    except socket.gaierror as error:
        return doubt(question, f"its name cannot be looked up: {error.strerror}")
    except ssl.SSLCertVerificationError as error:
        return no(question, "bad certificate", f"certificate: {error.verify_message}")
    except TimeoutError:
        return no(question, "no answer", f"no answer within {question.timeout}")
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return no(question, "no answer", str(why).lower())
    except (ValueError, InputError) as error:
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


def fetch(ask: Mapping[str, Any], timeout: Duration) -> tuple[int, str]:
    """Send one request; status and body of the answer.

    Args:
        ask: `url`, and as wanted `method`, `headers`, `body`, `address`, `ca`, `insecure`.
        timeout: For all of it.

    Raises:
        ValueError: It is no http or https URL.
        OSError: No connection, or none that lasts.
        HTTPException: What comes is no HTTP.
    """
    url = urlsplit(str(ask["url"]))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{ask['url']!r} is not an http or https URL")
    deadline = time.monotonic() + timeout
    connection = _connection(ask, timeout, url)
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {"User-Agent": "drrun", "Host": url.netloc.rpartition("@")[2]}
        headers |= {str(name): str(value) for name, value in (ask.get("headers") or {}).items()}
        method = str(ask.get("method") or "GET").upper()
        connection.request(method, path, body=_bytes(ask.get("body")), headers=headers)
        response = connection.getresponse()
        return response.status, _body(connection, response, deadline)
    finally:
        connection.close()


def _bytes(body: object) -> bytes | None:
    """A body as it is sent: text as it is, anything else as JSON."""
    if body is None or isinstance(body, str):
        return None if body is None else body.encode()
    return json.dumps(body).encode()


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


def _connection(ask: Mapping[str, Any], timeout: Duration, url: Any) -> http.client.HTTPConnection:
    """A connection whose socket goes to `address`, or to the URL's own host."""
    port = url.port or (443 if url.scheme == "https" else 80)
    host, _, given = str(ask.get("address") or "").partition(":")
    line = socket.create_connection(
        (host or url.hostname, int(given) if given else port), timeout=timeout
    )
    if url.scheme == "https":
        try:
            line = _context(ask).wrap_socket(line, server_hostname=url.hostname)
        except BaseException:
            line.close()
            raise
    connection = http.client.HTTPConnection(url.hostname, port, timeout=timeout)
    connection.sock = line
    return connection


def _context(ask: Mapping[str, Any]) -> ssl.SSLContext:
    authority = ask.get("ca")
    context = ssl.create_default_context(cafile=str(authority) if authority else None)
    if ask.get("insecure"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

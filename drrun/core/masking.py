"""Secrets out of text: every listed form of a secret becomes `***`, also across chunks.

Rules:
- Masked forms: the value; its base64 (standard and URL-safe, all three alignments, also wrapped
  at 64 and 76 columns); URL-quoted; JSON-escaped; shell-quoted; hex. The same for each line of a
  secret with several lines. (rule T2)
- Not masked, and nobody can: a secret that a program split, reversed, compressed or hashed.
  Not masked on purpose: secrets and lines shorter than `SHORTEST` characters; they would blot out
  half of every output and still be guessed from the gaps.
- A stream holds back only bytes that may be the beginning of a form, so output is hardly delayed;
  what comes out in the end is the same as for the text in one piece.
"""

import base64
import json
import re
import shlex
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

#: Shorter secrets are not masked, in characters.
SHORTEST = 4

_MASK = b"***"
_PERCENT_ESCAPE = re.compile("%[0-9A-F]{2}")
_WANTS_BACKSLASH = re.compile(r"([^\w@%+=:,./-])", re.ASCII)


def forms(secret: str) -> frozenset[bytes]:
    """Every form of `secret` that is masked; empty if it is too short."""
    parts = {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}
    spelled = (form for part in parts if len(part) >= SHORTEST for form in _spellings(part))
    return frozenset(form for form in spelled if len(form) >= SHORTEST)


def _spellings(text: str) -> Iterator[bytes]:
    yield text.encode("utf-8", "surrogatepass")
    raw = text.encode("utf-8", "surrogateescape")
    yield raw
    yield from _base64(raw)
    for spelled in (*_url_quoted(raw), *_escaped(text), raw.hex(), raw.hex().upper()):
        yield spelled.encode("utf-8", "surrogateescape")


def _url_quoted(raw: bytes) -> Iterator[str]:
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield _PERCENT_ESCAPE.sub(lambda escape: escape[0].lower(), quoted)


def _escaped(text: str) -> Iterator[str]:
    in_json = json.dumps(text)[1:-1]
    yield from (in_json, json.dumps(text, ensure_ascii=False)[1:-1], in_json.replace("/", "\\/"))
    # As shlex, as `set -x` of a shell, and as `printf %q` write it.
    yield from (shlex.quote(text), text.replace("'", "'\\''"), text.replace("'", "'\"'\"'"))
    yield in_json.replace('\\"', '"').replace("'", "\\'")
    yield _WANTS_BACKSLASH.sub(r"\\\1", text)


def _base64(raw: bytes) -> Iterator[bytes]:
    """What is always seen of `raw` in base64, however many bytes stand before and behind it."""
    whole = base64.b64encode(raw)
    seen = [whole]
    for before, mixed in ((0, 0), (1, 2), (2, 3)):
        # Characters that also carry bits of a neighbour are not the secret's own: left out.
        encoded = base64.b64encode(bytes(before) + raw)
        seen.append(encoded[mixed : (before + len(raw)) * 8 // 6])
    for width in (64, 76):
        if len(whole) > width:
            seen.extend(whole[start : start + width] for start in range(0, len(whole), width))
    for form in seen:
        yield form
        yield form.replace(b"+", b"-").replace(b"/", b"_")


class Mask:
    """Replaces secrets in text, bytes and structures. Never shows them in its `repr`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found: frozenset[bytes] = frozenset().union(*map(forms, secrets))
        self._forms = sorted(found)
        self.longest = max(map(len, found), default=0)
        # Longest first: where one form begins like another, the whole of it is replaced.
        escaped = map(re.escape, sorted(found, key=lambda form: (-len(form), form)))
        self._pattern = re.compile(b"|".join(escaped) or b"(?!)")
        begin = sorted({re.escape(form[:SHORTEST]) for form in found})
        self._begin = re.compile(b"(?=%s)" % (b"|".join(begin) or b"(?!)"))

    def __repr__(self) -> str:
        return "Mask(***)"

    def text(self, text: str) -> str:
        """Mask a text."""
        raw = text.encode("utf-8", "surrogatepass")
        return self.raw(raw).decode("utf-8", "surrogatepass") if self._touches(raw) else text

    def raw(self, raw: bytes) -> bytes:
        """Mask bytes that are complete; a stream wants a `StreamMask`."""
        return self._pattern.sub(_MASK, raw) if self._touches(raw) else raw

    def structure(self, value: Any) -> Any:
        """Mask every text, also the keys, inside a JSON value."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.structure(key): self.structure(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.structure(each) for each in value]
        return value

    def settled(self, raw: bytes) -> tuple[bytes, bytes]:
        """Split the beginning of a stream: what is decided, masked, and what has to wait.

        What waits may be the beginning of a form; it is shorter than the longest one.
        """
        edge, done, kept = self._open_end(raw, 0), 0, []
        if self._touches(raw):
            for match in self._pattern.finditer(raw):
                if match.start() >= edge:
                    break
                kept += [raw[done : match.start()], _MASK]
                done = match.end()
                # The match may have eaten what looked like a beginning.
                edge = max(edge, done) if done <= edge else self._open_end(raw, done)
        kept.append(raw[done:edge])
        return b"".join(kept), raw[edge:]

    def _touches(self, raw: bytes) -> bool:
        # Searching for each form is several times faster than one alternation (measured with 8
        # to 400 forms), and nearly always finds nothing.
        return any(form in raw for form in self._forms)

    def _open_end(self, raw: bytes, start: int) -> int:
        """The first position from `start` on where the end of `raw` may begin a form."""
        start = max(start, len(raw) - self.longest + 1)
        short = range(max(start, len(raw) - SHORTEST + 1), len(raw))
        begun = (match.start() for match in self._begin.finditer(raw, start))
        return next((at for at in (*begun, *short) if self._begins_form(raw[at:])), len(raw))

    def _begins_form(self, end: bytes) -> bool:
        at = bisect_left(self._forms, end)
        # A form that is complete is for the pattern, unless a longer one begins like it.
        while at < len(self._forms) and self._forms[at] == end:
            at += 1
        return at < len(self._forms) and self._forms[at].startswith(end)


class StreamMask:
    """Masks a stream that arrives in chunks, wherever they are cut."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._waiting = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return what is safe to keep by now."""
        if not self._mask.longest:
            return chunk
        masked, self._waiting = self._mask.settled(self._waiting + chunk)
        return masked

    def waiting(self) -> bytes:
        """What is held back, as it would be kept if the stream ended here."""
        return self._mask.raw(self._waiting)

    def flush(self) -> bytes:
        """End the stream: return what was held back."""
        rest, self._waiting = self.waiting(), b""
        return rest

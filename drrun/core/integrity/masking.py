"""Secrets out of text: every listed form of a secret becomes `***`, also across chunks.

Rules:
- Masked forms: those of `drrun.core.integrity.spellings`; the same for each line of a secret with
  several lines. Each in small and capital letters, and wrapped into lines of 7 or more: what a
  line begins with may be a form without its first characters, fewer than `SHORTEST` of which stay
  at the end of the line before. (rule T2)
- Not masked, and nobody can: a secret that a program split, reversed, compressed or hashed.
  Not masked on purpose: secrets and lines shorter than `SHORTEST` characters, line breaks not
  counted; they would blot out half of every output and still be guessed from the gaps.
- A stream holds back only bytes that may be the beginning of a form, so output is hardly delayed;
  what comes out in the end is the same as for the text in one piece.
- A mask is made once for a set of secrets. Making it costs far more than using it.
"""

import re
import string
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from drrun.core.integrity.spellings import spelled

#: Shorter secrets are not masked, in characters.
SHORTEST = 4

_MASK = b"***"
#: Bytes of a form's end that are masked where its first characters are missing.
_SHORTEST_REST = 8
_BREAKS = re.compile(rb"[\r\n]+")
#: An empty line is no wrapping; and so what waits in a stream stays bounded.
_SINGLE = frozenset({b"\n", b"\r\n"})
_SMALL = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())


def forms(secret: str) -> frozenset[bytes]:
    """Every form of `secret` that is masked; empty if it is too short."""
    return frozenset(form for part in _parts(secret) for form in _forms_of(part))


def _parts(secret: str) -> set[str]:
    """The secret and each of its lines, without what is too short."""
    parts = {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}
    return {part for part in parts if len(part.strip()) >= SHORTEST}


def _forms_of(part: str) -> Iterator[bytes]:
    # A line break is no character here: it is not searched either.
    return (form for form in spelled(part) if len(_Flat(form).text) >= SHORTEST)


def _begins_with_a_short_line(form: bytes) -> bool:
    return not _Flat(form).begins_whole(0)


def _searched(part: str) -> set[bytes]:
    """The forms as they are searched, and what of each a line may begin with."""
    found = {_Flat(form).text for form in _forms_of(part)}
    return found | {
        form[SHORTEST - 1 :] for form in found if len(form) >= SHORTEST - 1 + _SHORTEST_REST
    }


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts_in(key)
            yield from _texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts_in(each)


def _without_breaks(raw: bytes) -> bytes:
    """In small letters and without any line break: what `_Flat` holds is in here too, quickly."""
    return raw.translate(_SMALL, b"\r\n")


class _Flat:
    """Bytes as they are searched: small letters, no line breaks; and the way back."""

    __slots__ = ("_at", "_behind", "_size", "text")

    def __init__(self, raw: bytes) -> None:
        self._size = len(raw)
        #: Where in `text` breaks were taken out, and how many bytes up to each.
        self._at: list[int] = []
        self._behind: list[int] = []
        done, gone, lines = 0, 0, list[bytes]()
        for found in _BREAKS.finditer(raw):
            if found[0] in _SINGLE:
                lines.append(raw[done : found.start()])
                self._at.append(found.start() - gone)
                done, gone = found.end(), gone + len(found[0])
                self._behind.append(gone)
        self.text = b"".join([*lines, raw[done:]]).lower()

    def place(self, at: int) -> int:
        """Where the byte stands that is searched at `at`; behind the last one, the end."""
        if at >= len(self.text):
            return self._size
        before = bisect_right(self._at, at)
        return at + (self._behind[before - 1] if before else 0)

    def end(self, at: int) -> int:
        """Right behind the byte that is searched before `at`."""
        return self.place(at - 1) + 1 if at else 0

    def begins_whole(self, at: int) -> bool:
        """Whether the first `SHORTEST` bytes from `at` on, if there are any, stand in one line."""
        following = bisect_right(self._at, at)
        return following == len(self._at) or self._at[following] - at >= SHORTEST


class Mask:
    """Replaces secrets in text, bytes and structures. Never shows them in its `repr`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        parts = {part for each in secrets for part in _parts(each)}
        groups = [_searched(part) for part in parts]
        found: set[bytes] = set().union(*groups)
        self._forms = sorted(found)
        self._reach = max(map(len, found), default=0)
        #: Whether a form has its own break so early that any form may begin with a short line.
        self._early = any(
            _begins_with_a_short_line(form) for part in parts for form in _forms_of(part)
        )
        # Forms of one text often hold each other. Where none of these is, no form is.
        self._sought = sorted(
            {
                _without_breaks(form)
                for group in groups
                for form in group
                if not any(other in form and other != form for other in group)
            }
        )

    def __repr__(self) -> str:
        return "Mask(***)"

    @property
    def longest(self) -> int:
        """More bytes than a stream ever holds back: a form with a break behind each byte."""
        return 3 * self._reach

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        # Longest first: where one form begins like another, the whole of it is replaced.
        escaped = map(re.escape, sorted(self._forms, key=lambda form: (-len(form), form)))
        return re.compile(b"|".join(escaped))

    @cached_property
    def _begin(self) -> re.Pattern[bytes]:
        begin = sorted({re.escape(form[:SHORTEST]) for form in self._forms})
        return re.compile(b"(?=%s)" % (b"|".join(begin) or b"(?!)"))

    def text(self, text: str) -> str:
        """Mask a text."""
        raw = text.encode("utf-8", "surrogatepass")
        masked = self.raw(raw)
        if masked is raw:
            return text
        try:
            return masked.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # what looks like UTF-16 began inside of a character
            return masked.decode("utf-8", "replace")

    def raw(self, raw: bytes) -> bytes:
        """Mask bytes that are complete; a stream wants a `StreamMask`."""
        if not self._touches(raw):
            return raw
        flat, done, kept = _Flat(raw), 0, list[bytes]()
        for start, end in self._found(flat):
            kept += [raw[done : flat.place(start)], _MASK]
            done = flat.end(end)
        return b"".join([*kept, raw[done:]])

    def structure(self, value: Any) -> Any:
        """Mask every text, also the keys, inside a JSON value; the very same if there is none."""
        if not self._sought:
            return value
        texts = (text.encode("utf-8", "surrogatepass") for text in _texts_in(value))
        # One look at all of them together: that is quick, and nearly always enough.
        return self._structure(value) if self._touches(b"\0".join(texts)) else value

    def _structure(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self._structure(key): self._structure(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._structure(each) for each in value]
        return value

    def settled(self, raw: bytes) -> tuple[bytes, bytes]:
        """Split the beginning of a stream: what is decided, masked, and what has to wait.

        What waits may be the beginning of a form; it is shorter than `longest`.
        """
        if not self._touches(raw):
            # What is before cannot belong to a form that goes on behind the end.
            sure = max(0, len(raw) - self.longest)
            flat = _Flat(raw[sure:])
            end = sure + flat.place(self._open_end(flat, 0))
            return raw[:end], raw[end:]
        flat, done, kept = _Flat(raw), 0, list[bytes]()
        edge = self._open_end(flat, 0)
        for start, end in self._found(flat):
            if start >= edge:
                break
            kept += [raw[done : flat.place(start)], _MASK]
            done = flat.end(end)
            # The match may have eaten what looked like a beginning.
            edge = edge if end <= edge else self._open_end(flat, end)
        kept.append(raw[done : flat.place(edge)])
        return b"".join(kept), raw[flat.place(edge) :]

    def _found(self, flat: _Flat) -> Iterator[tuple[int, int]]:
        """Where forms stand in the flat text, from left to right, the longest at each place."""
        at = 0
        while match := self._pattern.search(flat.text, at):
            at = match.start() + 1
            if self._may_begin(flat, match.start()):
                yield match.span()
                at = match.end()

    def _may_begin(self, flat: _Flat, at: int) -> bool:
        return self._early or flat.begins_whole(at)

    def _touches(self, raw: bytes) -> bool:
        """Whether there may be a form."""
        # Searching for each form is several times faster than one alternation (measured with 8
        # to 400 forms), and nearly always finds nothing.
        text = _without_breaks(raw) if self._sought else b""
        return any(form in text for form in self._sought)

    def _open_end(self, flat: _Flat, start: int) -> int:
        """The first position from `start` on where the end of the text may begin a form."""
        end = self._open_end_of(flat, flat.text, start)
        if not flat.text.endswith(b"\r"):
            return end
        # The last byte may be half of a line break, and no part of a form then.
        return min(end, self._open_end_of(flat, flat.text[:-1], start))

    def _open_end_of(self, flat: _Flat, text: bytes, start: int) -> int:
        start = max(start, len(text) - self._reach)
        short = range(max(start, len(text) - SHORTEST + 1), len(text))
        begun = (match.start() for match in self._begin.finditer(text, start))
        whole = (at for at in (*begun, *short) if self._may_begin(flat, at))
        return next((at for at in whole if self._begins_form(text[at:])), len(flat.text))

    def _begins_form(self, end: bytes) -> bool:
        at = bisect_left(self._forms, end)
        # A form that is complete is for the pattern, unless a longer one begins like it.
        while at < len(self._forms) and self._forms[at] == end:
            at += 1
        return at < len(self._forms) and self._forms[at].startswith(end)


#: Hides nothing.
OPEN = Mask()


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

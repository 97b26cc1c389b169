"""How programs write a text: every form of a secret that is masked, by name.

Rules:
- A form is what one common program or format makes of a text. The names are the lines of
  `docs/reference/secrets.md`, and the test of all sinks prints each of them.
- Small and capital letters, and line breaks inside a form, are `drrun.core.integrity.masking`'s.
"""

import base64
import html
import json
import quopri
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

Spelling = Callable[[str], Iterable[str | bytes]]

_WANTS_BACKSLASH = re.compile(r"([^\w@%+=:,./-])", re.ASCII)
_WANTS_BACKSLASH_IN_QUOTES = re.compile(r'(["\\$`])')
_C_NAMES: Final = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 27: "E"}
_YAML_NAMES: Final = {0x00: "0", 0x1B: "e", 0x85: "N", 0xA0: "_", 0x2028: "L", 0x2029: "P"}
_XML_BREAKS: Final = str.maketrans({"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _each_byte(form: str, between: str = "") -> Spelling:
    return lambda text: [between.join(form.format(byte) for byte in _bytes(text))]


def _base64(raw: bytes) -> list[bytes]:
    """What is always seen of `raw` in base64, however many bytes stand before and behind it."""
    whole = base64.b64encode(raw)
    seen = [whole]
    for before, mixed in ((0, 0), (1, 2), (2, 3)):
        # Characters that also carry bits of a neighbour are not the secret's own: left out.
        encoded = base64.b64encode(bytes(before) + raw)
        seen.append(encoded[mixed : (before + len(raw)) * 8 // 6])
    return seen


def _base32(raw: bytes) -> list[bytes]:
    """The same in base32."""
    seen = [base64.b32encode(raw)]
    for before in range(5):
        encoded = base64.b32encode(bytes(before) + raw)
        seen.append(encoded[-(-before * 8 // 5) : (before + len(raw)) * 8 // 5])
    return seen


def _json_in_json(text: str) -> str:
    return json.dumps(json.dumps(text)[1:-1])[1:-1]


def _yaml_quoted(text: str) -> str:
    def escaped(character: str) -> str:
        code = ord(character)
        if character in '"\\':
            return f"\\{character}"
        if code in _YAML_NAMES or 7 <= code <= 13:
            return f"\\{_YAML_NAMES.get(code) or _C_NAMES[code]}"
        if 0x20 <= code < 0x7F:
            return character
        return f"\\x{code:02X}" if code < 0x100 else (
            f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
        )  # fmt: skip

    return "".join(map(escaped, text))


def _c_quoted(text: str) -> str:
    """As `printf %q` of bash writes what cannot be printed: inside `$'…'`."""

    def escaped(byte: int) -> str:
        if byte in b"'\\":
            return f"\\{chr(byte)}"
        if byte in _C_NAMES:
            return f"\\{_C_NAMES[byte]}"
        return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"

    return "".join(map(escaped, _bytes(text)))


def _python(text: str) -> list[str]:
    shown = repr(text)[1:-1], ascii(text)[1:-1], repr(_bytes(text))[2:-1]
    # Inside of a longer text that has both quotes, the single one is escaped.
    return [form for each in shown for form in (each, re.sub(r"(?<!\\)'", r"\'", each))]


#: Every form, by name.
SPELLINGS: Final[Mapping[str, Spelling]] = {
    "as it is": lambda text: [text.encode("utf-8", "surrogatepass"), _bytes(text)],
    "capital or small letters": lambda text: [text.upper(), text.lower()],
    "UTF-16": lambda text: [
        text.encode(code, "surrogatepass") for code in ("utf-16-le", "utf-16-be")
    ],
    "ISO 8859-1": lambda text: [text.encode("latin-1", "replace")],
    "base64, inside anything": lambda text: _base64(_bytes(text)),
    "base64, URL-safe": lambda text: [
        each.replace(b"+", b"-").replace(b"/", b"_") for each in _base64(_bytes(text))
    ],
    "base64 of UTF-16 (PowerShell)": lambda text: _base64(
        text.encode("utf-16-le", "surrogatepass")
    ),
    "base32, inside anything": lambda text: _base32(_bytes(text)),
    "hex": _each_byte("{:02x}"),
    "hex with colons": _each_byte("{:02x}", ":"),
    "hex with spaces": _each_byte("{:02x}", " "),
    "hex with hyphens": _each_byte("{:02x}", "-"),
    "hex as a C array": _each_byte("0x{:02x}", ", "),
    r"\x escapes": _each_byte(r"\x{:02x}"),
    r"octal \ escapes": _each_byte(r"\{:03o}"),
    r"\u escapes": lambda text: ["".join(f"\\u{ord(each):04x}" for each in text)],
    "URL-quoted": lambda text: [quote(_bytes(text), safe=""), quote(_bytes(text))],
    "URL-quoted as a form": lambda text: [quote_plus(_bytes(text))],
    "URL-quoted, every byte": _each_byte("%{:02x}"),
    "URL-quoted twice": lambda text: [quote(quote(_bytes(text), safe=""), safe="")],
    "JSON": lambda text: [json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]],
    "JSON with escaped slashes": lambda text: [json.dumps(text)[1:-1].replace("/", "\\/")],
    "JSON in JSON": lambda text: [_json_in_json(text)],
    "YAML or SQL in single quotes": lambda text: [text.replace("'", "''")],
    "YAML in double quotes": lambda text: [_yaml_quoted(text)],
    "CSV": lambda text: [text.replace('"', '""')],
    "shell in single quotes": lambda text: [
        shlex.quote(text),
        text.replace("'", "'\\''"),
        text.replace("'", "'\"'\"'"),
        text.replace("'", "\\'"),
    ],
    "shell in double quotes": lambda text: [_WANTS_BACKSLASH_IN_QUOTES.sub(r"\\\1", text)],
    "shell with backslashes": lambda text: [_WANTS_BACKSLASH.sub(r"\\\1", text)],
    "shell in $'…'": lambda text: [_c_quoted(text)],
    "Python `repr`": _python,
    "regular expression": lambda text: [re.escape(text)],
    "HTML": lambda text: [
        html.escape(text),
        html.escape(text, quote=False),
        html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        html.escape(text).encode("ascii", "xmlcharrefreplace"),
    ],
    "HTML, every character": lambda text: [
        "".join(f"&#{ord(each)};" for each in text),
        "".join(f"&#x{ord(each):x};" for each in text),
    ],
    "XML": lambda text: [html.escape(text).replace("&#x27;", "&apos;").translate(_XML_BREAKS)],
    "quoted-printable": lambda text: [quopri.encodestring(_bytes(text)).replace(b"=\n", b"")],
}


def spelled(text: str) -> Iterable[bytes]:
    """Every form of `text`."""
    for spelling in SPELLINGS.values():
        for form in spelling(text):
            if isinstance(form, str):
                yield form.encode("utf-8", "surrogatepass")
                continue
            yield form
            # As it is seen by whoever takes it for UTF-8.
            yield form.decode("utf-8", "replace").encode()

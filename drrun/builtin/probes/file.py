"""`file`: a file on the target is there, or not, and as expected.

Rules:
- It must exist unless the author says `absent: true` or `exists: false`.
- `equals`, `contains`, `matches` and `json` judge its first 64 KiB; `lt` and the like its size, if
  `size` is asked for. `sha256`, `mode` and `owner` are compared where they are given.
- A file of the controller is looked at only where `local_path` lets it.
- Portable sh: nothing is needed on the target but cat, head, wc and, for the hash, sha256sum,
  shasum or openssl. Not allowed to read: could not tell.
"""

import shlex
from dataclasses import replace

from drrun.builtin.local_paths import expanded, local_path
from drrun.builtin.probes.asking import (
    CommandResult,
    command,
    doubt,
    ended_with,
    judged,
    no,
    unanswered,
)
from drrun.core.model.errors import InputError
from drrun.core.model.probes import Expect
from drrun.core.model.values import quantity
from drrun.core.rules.judging import Observed
from drrun.ports.clock import Cancel
from drrun.ports.places import Places, ProbeAnswer, Question

_LOOK = """
f={path}
[ -e "$f" ] || [ -h "$f" ] || {{
    d=$(dirname -- "$f")
    [ ! -d "$d" ] || [ -x "$d" ] || {{ echo "$d may not be looked into" >&2; exit 4; }}
    exit 3
}}
[ ! -f "$f" ] || [ -r "$f" ] || {{ echo "$f may not be read" >&2; exit 4; }}
set -- $(ls -ldn -- "$f"); mode=$1
owner=$(ls -ld -- "$f" | {{ read -r _ _ who _; echo "$who"; }})
size=0; [ ! -f "$f" ] || size=$(wc -c <"$f")
hash=-
if [ {hash} = yes ] && [ -f "$f" ]; then
    exec 2>/dev/null
    hash=$(sha256sum <"$f" || shasum -a 256 <"$f" || openssl dgst -sha256 -r <"$f")
fi
echo "$mode $owner" $size ${{hash%% *}}
[ ! -f "$f" ] || head -c 65536 "$f"
"""


def evaluate(question: Question, places: Places, cancel: Cancel) -> ProbeAnswer:
    """Look once."""
    ask = question.ask
    try:
        path = _path(question)
    except InputError as error:
        return doubt(question, str(error))
    text = _LOOK.format(path=shlex.quote(path), hash="yes" if ask.get("sha256") else "no")
    reply = command(question, places, cancel, text)
    status = ended_with(reply)
    if status is None:
        return unanswered(question, reply)
    if status == 4 or (status not in (0, 3)):
        return doubt(question, reply.last_words or f"looking ended with {status}")
    expect = question.expect
    if ask.get("exists") is False:
        expect = replace(expect, absent=True)
    if status == 3:
        if expect.absent is True:
            return judged(question, expect, Observed(present=False))
        return no(question, "nothing", f"{ask['path']} is not there")
    return _judge(question, expect, reply)


def _path(question: Question) -> str:
    """Where to look; a link that the author names is looked at itself.

    Raises:
        InputError: It is a file of the controller that may not be used.
    """
    written = str(question.ask["path"])
    if question.host is not None:
        return written
    path = local_path(question, "path")
    named_here = "path" not in question.heard
    return str(question.folder / expanded(written) if named_here else path)


def _judge(question: Question, expect: Expect, reply: CommandResult) -> ProbeAnswer:
    facts, _, content = reply.stdout.partition("\n")
    mode, owner, size, digest = (*facts.split(), "-", "-", "-", "-")[:4]
    wanted = {
        "mode": (_octal(mode), str(question.ask.get("mode") or "").lstrip("0")),
        "owner": (owner, str(question.ask.get("owner") or "")),
        "size": (size, _bytes(str(question.ask.get("size") or ""))),
        "sha256": (digest, str(question.ask.get("sha256") or "").lower()),
    }
    for name, (seen, want) in wanted.items():
        if want and name == "sha256" and seen == "-":
            return doubt(question, "neither sha256sum, shasum nor openssl is there")
        if want and seen != want:
            return no(question, seen, f"expected {name} {want}, saw {seen}")
    judges_size = any(getattr(expect, each) is not None for each in ("lt", "le", "gt", "ge"))
    return judged(question, expect, Observed(size if judges_size else content))


def _bytes(written: str) -> str:
    """A size as the number of bytes that it is."""
    value = quantity(written) if written else None
    return written if value is None else str(int(value))


def _octal(mode: str) -> str:
    """`-rw-r--r--` as `644`."""
    bits = 0
    for index, letter in enumerate(mode[1:10]):
        bits |= (letter not in "-ST") << (8 - index)
    return format(bits, "o")

"""`rsync`: a folder is made like another, with guards before and a comparison afterwards.

Rules:
- Executed on the target, as one job: a transfer of hours outlives the link and the controller.
- Guards: the source is there and, with `delete`, not empty (a source that was not mounted would
  empty the copy); the folder above the destination exists.
- Afterwards a second rsync compares, by checksum unless `checksum: false`: nothing may be left to
  do. Doing it again continues: partial files are kept.
- A dry-run executes the same rsync with `-n` and shows what would change.
- Another host of the inventory is reached as the inventory says (address, port, user, host key),
  unless `options` say how. The key is the target's own: no private key is carried there.
"""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from drrun.builtin.actions.local_files import target_path
from drrun.core.model.errors import InputError
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.core.model.values import Size
from drrun.core.rules.last_words import last_words
from drrun.ports.places import ActionCall, AttemptOrder, Output, Script

_SYNC = """
set -u
export LC_ALL=C
source={source} to={to} delete={delete} dry={dry}
{way}list() {{ rsync --list-only {reach} -- "$source" 2>&1; }}
command -v rsync >/dev/null || {{ echo "rsync is not there" >&2; exit 127; }}
if ! found=$(list); then
    printf '%s\\n' "$found" | tail -n 3 >&2
    echo "the source $source cannot be read" >&2; exit 1
fi
case $source in
*/) full=$(printf '%s\\n' "$found" | grep -cv '[ ]\\.$') || : ;;
*) full=$(printf '%s\\n' "$found" | grep -c .) || : ;;
esac
if [ "$full" = 0 ] && [ -n "$delete" ]; then
    echo "the source $source is empty, and delete would empty $to" >&2; exit 1
fi
case $to in
*:*) ;;
*) above=$(dirname "$to"); [ -d "$above" ] || {{ echo "$above is not there" >&2; exit 1; }} ;;
esac
if [ -n "$dry" ]; then
    rsync -n -i {options} -- "$source" "$to"
    exit
fi
rsync --partial --stats {options} -- "$source" "$to" || exit
left=$(rsync -n -i {compare} {options} -- "$source" "$to") || exit
left=$(printf '%s\\n' "$left" | grep -v '^\\.' | grep -c .) || :
[ "$left" = 0 ] || {{ echo "$left differences are left" >&2; exit 1; }}
echo "compared: no difference"
"""


#: How another host of the inventory is reached from the target.
_WAY = """
known=$(mktemp) || exit
trap 'rm -f "$known"' EXIT
printf '%s\\n' {key} >"$known"
RSYNC_RSH="ssh -o BatchMode=yes {options} -o UserKnownHostsFile=$known"
"""
_OWN_KEY = """
[ ! -r {identity} ] || RSYNC_RSH="$RSYNC_RSH -i "{identity}
"""


def host_named(side: str, hosts: Mapping[str, Host]) -> Host | None:
    """The host of the inventory that one side of an rsync names: `root@backup1:/srv`."""
    before, colon, _ = side.partition("/")[0].partition(":")
    return hosts.get(before.rpartition("@")[2]) if colon else None


def way_to(host: Host, *, user: bool) -> str:
    """Shell text after which rsync, executed on the target, reaches a host as the inventory says.

    Args:
        host: Of the inventory. Its first route is taken; from the target there is no other.
        user: Whether the user of the inventory is meant, because none is written.
    """
    route = host.routes[0]
    if route.secret:
        raise InputError(
            f"rsync would show the address of {host.name}, which is the secret {route.secret}, in "
            "the list of processes of the target. Name the host as the target knows it"
        )
    given = {
        "HostName": route.address,
        "Port": route.port or host.port,
        "User": host.user if user else None,
        "HostKeyAlias": host.name,
    }
    options = [f"-o {name}={value}" for name, value in given.items() if value]
    text = ""
    if host.host_key:
        options += ["-o StrictHostKeyChecking=yes", "-o GlobalKnownHostsFile=/dev/null"]
        key = shlex.quote(f"{host.name} {host.host_key}")
        text = _WAY.format(key=key, options=" ".join(options))
    else:
        text = f'\nRSYNC_RSH="ssh -o BatchMode=yes {" ".join(options)}"\n'
    if host.identity and " " not in host.identity:
        text += _OWN_KEY.format(identity=_of_the_target(host.identity))
    return f"{text}export RSYNC_RSH\n"


def _of_the_target(path: str) -> str:
    """A path of the inventory, read on the target; `~` is the home there."""
    below = path.removeprefix("~/")
    return shlex.quote(path) if below == path else f'"$HOME"/{shlex.quote(below)}'


class Rsync:
    """Synchronises a folder."""

    def __init__(self, hosts: Mapping[str, Host], *, dry: bool = False) -> None:
        self._hosts = hosts
        self._dry = dry

    def perform(self, call: ActionCall) -> Outcome:
        """Synchronise once, or show what that would change."""
        said = _Said(call.output)
        try:
            script = self._script(call.order)
        except InputError as error:
            return NeverStarted(str(error), final=True)
        outcome = call.run(script, said)
        if isinstance(outcome, Ended) and not outcome.good and said.last:
            return replace(outcome, note=said.last)
        if isinstance(outcome, Ended) and not self._dry:
            return replace(outcome, facts=said.facts())
        return outcome

    def _script(self, order: AttemptOrder) -> Script:
        given = order.arguments
        reach = [str(each) for each in given.get("options") or ()]
        options = ["-aH", *reach]
        options += [f"--exclude={each}" for each in given.get("exclude") or ()]
        options += ["--delete-delay"] * bool(given.get("delete"))
        source, to = _side(order, "source"), _side(order, "to")
        text = _SYNC.format(
            source=shlex.quote(source),
            to=shlex.quote(to),
            way="" if any(map(_says_how, reach)) else way_between(source, to, self._hosts),
            delete="yes" if given.get("delete") else "",
            dry="yes" if self._dry else "",
            # How the source is reached; nothing that would change what is listed.
            reach=shlex.join(filter(_says_how, reach)),
            options=shlex.join(options),
            compare="" if given.get("checksum") is False else "-c",
        )
        return Script(text, replace(order.execution, stdin=None), timeout=order.timeout)


def look_between(arguments: Mapping[str, Any], hosts: Mapping[str, Host]) -> str:
    """Shell text that tells, on a target, whether an rsync reaches its other host.

    Args:
        arguments: Of the action, rendered.
        hosts: Of the inventory.

    Returns:
        "" if both sides are on the target.
    """
    source, to = str(arguments["source"]), str(arguments["to"])
    elsewhere = next((each for each in (source, to) if ":" in each.partition("/")[0]), "")
    if not elsewhere:
        return ""
    options = [str(each) for each in arguments.get("options") or ()]
    own = [each for each in options if _says_how(each)]
    way = "" if own else way_between(source, to, hosts)
    seen = source if elsewhere == source else f"{to.partition(':')[0]}:."
    return f"{way}rsync --list-only {shlex.join([*own, '--', seen])} >/dev/null"


def way_between(source: str, to: str, hosts: Mapping[str, Host]) -> str:
    """How the other host of an rsync is reached; "" if neither side is one of the inventory."""
    for side in (source, to):
        host = host_named(side, hosts)
        if host is not None:
            return way_to(host, user="@" not in side.partition(":")[0])
    return ""


def _says_how(option: str) -> bool:
    return option.startswith(("-e", "--rsh"))


def _side(order: AttemptOrder, argument: str) -> str:
    """Source or destination, as rsync takes it: `host:path` is not on the target."""
    written = str(order.arguments[argument])
    elsewhere = ":" in written.partition("/")[0]
    return written if elsewhere else target_path(order, argument)


class _Said:
    """Passes output on, and keeps rsync's statistics and the last complaint."""

    _KEPT = 8192

    def __init__(self, output: Output) -> None:
        self._output = output
        self._tails = {"stdout": "", "stderr": ""}

    def write(self, stream: str, data: bytes) -> None:
        """Pass bytes on."""
        self._tails[stream] = (self._tails[stream] + data.decode("utf-8", "replace"))[
            -self._KEPT :
        ]
        self._output.write(stream, data)

    def text(self, stream: str) -> str:
        """As kept by the real output."""
        return self._output.text(stream)

    def close(self) -> dict[str, object]:
        """Nothing to flush."""
        return {}

    @property
    def last(self) -> str:
        """The last telling line on stderr."""
        return last_words(self._tails["stderr"])

    def facts(self) -> dict[str, object]:
        """`files`, `transferred` and `bytes` of the statistics."""
        found: dict[str, object] = {}
        for line in self._tails["stdout"].splitlines():
            what, _, count = line.partition(": ")
            number = "".join(c for c in count.split(" ")[0] if c.isdigit())
            if what in _STATS and number:
                found[_STATS[what]] = int(number)
        if "bytes" in found:
            found["size"] = str(Size(int(str(found["bytes"]))))
        return found


_STATS = {
    "Number of files": "files",
    "Number of regular files transferred": "transferred",
    "Total transferred file size": "bytes",
}

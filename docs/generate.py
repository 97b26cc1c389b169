"""Writes docs/reference/ from the code: `python docs/generate.py`. A test compares.

Rules:
- What can be read off the code is not written by hand: commands from the command line, keys from
  the shapes that read them, states from the table of moves, actions from their declarations.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import canaries
import click
import faults
import tables

from drrun.cli.catalogue import COMMANDS
from drrun.cli.exit import Exit
from drrun.cli.main import drrun
from drrun.core import events as ev
from drrun.core.model.actions import BUILT_IN
from drrun.core.state.moves import MOVES
from drrun.engine.environment import INHERITED
from drrun.files.schema import inventory_schema, runbook_schema
from drrun.lint import RULES

REFERENCE = Path(__file__).parent / "reference"
#: What no table of keys can say.
_REACHED = """\
## How a host is reached

What the inventory says holds. What it leaves open (user, port, key, known hosts, hosts to pass
through) the user's SSH configuration answers, as OpenSSH itself reads it by `ssh -G`:

1. what is said of the host's name (`Host db1`);
2. what is said of the address that the inventory gives it (`Host 10.0.0.5`, `Host 10.0.*`);
3. what is said of every host (`Host *`).

*Said of* a name or an address is a value that differs from what is said of every host. Identity
files of both are tried, those of the name first. `HostName` holds only where the inventory gives
no address, and `ProxyJump` only where the route has no `via`. A host that the inventory describes
in full (`user`, `port`, `identity`, `host_key`, and a route with `address` and `via`) is not asked
for; nor is any single host where no file of the configuration uses a keyword that matters here.

An address may be a secret of the runbook: `address: {secret: NAME}`. It is asked for when its
route is tried, masked wherever it could be seen, and given to no other program: what OpenSSH says
of the host's name holds, nothing is asked of the address, and rsync between hosts refuses such a
host. In templates `host.address` is the host's name then.

Routes are tried in order, the one that worked last first. One that has not let us in after two
seconds goes on while the next is tried beside it: the first that logs in is used, recorded, and
tried first the next time; the others are left. One that failed, or was slower than the next, is
tried after the others for a minute. A wrong host key or a refused login ends what comes
after it. A route chosen by `set-route` is waited for to its end. One server (an address and port)
has at most four of our callers at once, and 64 are logged in to at once in all.
"""
#: What `drrun.builtin.local_paths` decides, for authors.
_LOCAL_FILES = """\
## Files of the controller

Commands of the controller (`on: local`) begin in the folder of the runbook in which they are
written, wherever drrun is called from. A relative name of a file is meant from there, too, and
stays inside it, wherever its links lead.
What is read may also be named absolutely, if the runbook or an input names it. What is fetched
goes into the runbook's folder, or into a folder that `fetch_into` in `drrun.yaml` (or
`DRRUN_FETCH_INTO`) names. A value that came from another step chooses at most a name below a
folder that the runbook writes before it: `to: evidence/{{ steps.find.name }}` may become
`evidence/db/a.log`, never `restore.sh` or `evidence/../restore.sh`. The same holds for the
destination of `copy`, `template` and `rsync`, where the target is the controller itself.
"""
#: What `drrun.files.templates.shell_reader` and `shell_rules` do, for authors.
_VALUES = """\
## Values in shell text

`{{ x }}` in `run` is data, wherever it stands: the script begins with a variable that holds it,
and refers to that. Write it as a word of its own, in either kind of quotes, in here-documents of
every kind; it arrives byte for byte, with all its lines. A list that stands alone becomes several
words.

- Where the shell computes (`$((…))`, `let`, an index, `[[ a -eq b ]]`, `declare -i`, `exit`, `>&`)
  it must be a number, else it is refused before anything is sent. `{{ x | int }}` makes one.
- Where the shell wants a variable (`unset`, `read`, `printf -v`, `export {{ x }}=…`) it must be
  the name of one.
- In back-ticks, `${…}`, `~{{ x }}`, `{1..{{ n }}}` and `{{ x }}=…` it is refused, with what to
  write instead.
- In the program of another interpreter (`sh -c '…'`, `ssh host '…'`, `awk '…'`, `eval`, `… | sh`)
  it is a warning: pass it as an argument, `sh -c '… "$1" …' sh {{ x }}`.
- `{{ x | raw }}` is text of the script, and a warning.

What `validate`, `plan` and `run` know (inputs, variables of the inventory) they judge at once.
`show`, a dry-run and the report fill the values in where they stand; `--json` and `drrun events`
have the script as it is sent, secrets masked.
"""
_NOTE = "<!-- written by docs/generate.py; change the code instead -->\n"


def pages() -> Mapping[str, str]:
    """Every page of the reference: file name -> text."""
    return {
        "commands.md": "\n".join(_commands()),
        "runbook.md": "\n".join(_runbook()),
        "inventory.md": "\n".join(_inventory()),
        "actions.md": "\n".join(_actions()),
        "states.md": "\n".join(_states()),
        "events.md": "\n".join(_events()),
        "faults.md": "\n".join(_faults()),
        "lint.md": "\n".join(_lint()),
        "secrets.md": "\n".join(canaries.page()),
    }


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield _NOTE
    yield (
        "RUN is an id, a unique part of one, or `latest`. Left out, it means the latest run;\n"
        "a command that changes something says which that is, and refuses to guess where several\n"
        "runs are open. `drrun completion bash` (or `zsh`, `fish`) lets the Tab key complete\n"
        "commands, runs, steps and hosts.\n"
    )
    context = click.Context(drrun, info_name="drrun", terminal_width=80)
    for name in COMMANDS:
        command = drrun.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context, terminal_width=80)
        yield f"## {name}\n\n```\n{_unwrapped(command.get_help(inner))}\n```\n"
    yield "## Exit codes\n\n| code | meaning |\n|---|---|"
    for code in Exit:
        yield f"| {int(code)} | {_meaning(code)} |"
    yield ""


def _lint() -> Iterator[str]:
    yield "# Lint\n"
    yield _NOTE
    yield "What `drrun validate` says besides errors. Warnings forbid a run under `--strict`,"
    yield "notes never. Accept one with `waivers: [{rule: CODE, reason: WHY, expires: DATE}]`"
    yield "in the runbook, or with `waiver:` of the store in the inventory.\n"
    for code, rule in RULES.items():
        about = " ".join((rule.__doc__ or "").split())
        yield f"## {code}\n\n{about}\n"


def _faults() -> Iterator[str]:
    yield "# Faults\n"
    yield _NOTE
    yield (
        "What may fail, what is promised then, and the tests that show it. Comments in the code\n"
        "cite these numbers. What has no test yet says so. [The contract](contract.md) has the\n"
        "promises in one piece, [Attempts](../explanation/attempts.md) the reasons for rules.\n"
    )
    yield from faults.page()
    yield ""


def _unwrapped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


def _meaning(code: Exit) -> str:
    return code.about


def _runbook() -> Iterator[str]:
    yield "# Runbooks\n"
    yield _NOTE
    yield (
        "A runbook is a YAML file. Unknown and duplicate keys are errors; all are reported at\n"
        "once, with `file:line:column`. `drrun schema` prints the same as a JSON Schema for\n"
        "editors. Whole runbooks to read are in [runbooks/](../../runbooks/); what may stand in\n"
        "`{{ … }}` and in `when` is on [a page of its own](templates.md).\n"
    )
    schema = runbook_schema()
    definitions = schema["definitions"]
    yield from tables.tables("runbook", definitions, _in_order(definitions))
    yield "## What a command on the controller knows\n"
    yield (
        "A command on a host has the environment of its log-in. One on the controller (a step\n"
        "without `on`, or `on: local`) has of drrun's own environment only the variables below,\n"
        "and what its `env` names: no secret that drrun was given in a variable.\n"
    )
    yield ", ".join(f"`{name}`" for name in INHERITED) + ".\n"
    yield _VALUES


def _inventory() -> Iterator[str]:
    yield "# Inventories\n"
    yield _NOTE
    yield (
        "One or more YAML files, merged; Ansible's INI and YAML inventories are read too. The\n"
        "default is the folder `inventory/` beside the runbook's folder.\n"
    )
    elsewhere = runbook_schema()["definitions"]
    definitions = inventory_schema()["definitions"]
    names = [name for name in definitions if name not in elsewhere]
    yield from tables.tables("inventory", definitions, names)
    yield _REACHED


def _in_order(definitions: Mapping[str, Any]) -> list[str]:
    """What people look for most comes first: the runbook, a step, a probe and its questions."""
    questions = [name for name in definitions if name.endswith("-question")]
    first = ["runbook", "step", "probe", *questions, "expect"]
    return [*first, *(name for name in definitions if name not in first)]


def _actions() -> Iterator[str]:
    yield "# Named actions\n"
    yield _NOTE
    yield "`uses: NAME` with `with: {…}`. What is not built yet is refused before a run.\n"
    yield _LOCAL_FILES
    for name, action in BUILT_IN.items():
        yield f"## {name}\n\n{action.about}"
        if action.one_of:
            yield f"\nExactly one of: {', '.join(f'`{each}`' for each in action.one_of)}."
        yield "\n| argument | kind | required | |\n|---|---|---|---|"
        for argument, parameter in action.parameters.items():
            needed = "required" if parameter.required else ""
            yield f"| `{argument}` | {parameter.kind} | {needed} | {parameter.about} |"
        yield f"\n{tables.example('action', name)}"


def _states() -> Iterator[str]:
    yield "# States of a target\n"
    yield _NOTE
    yield "Which event may happen to a target in which state, and what it becomes.\n"
    yield "| event | from | to | |\n|---|---|---|---|"
    edges: dict[tuple[str, str], None] = {}
    for (kind, answer), row in MOVES.items():
        for before, (after, sentence) in row.items():
            yield f"| {kind} {answer} | {before} | {after} | {sentence} |"
            if before is not after:
                edges[before, after] = None
    yield "\n```mermaid\nstateDiagram-v2\n    [*] --> pending"
    for before, after in edges:
        yield f"    {before} --> {after}"
    yield "```\n"


def _events() -> Iterator[str]:
    yield "# Events\n"
    yield _NOTE
    yield "The journal holds these; everything that is known of a run is folded from them.\n"
    yield "| event | |\n|---|---|"
    for name, kind in ev.KINDS.items():
        yield f"| {name} | {(kind.__doc__ or '').splitlines()[0]} |"
    yield ""


def write() -> None:
    """Write every page."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()

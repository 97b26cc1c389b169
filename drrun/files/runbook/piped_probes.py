"""Probes whose exit says nothing: a pipe ends as its last command does, whatever failed before.

Rules:
- `curl … | tr -d x` holds although curl failed. Only probes without `expect` are meant: what they
  print is not looked at, so that their exit is all there is.
- Only the pipe that the text ends with is looked at, and only commands that succeed whatever they
  read. What stands in quotes or brackets is not judged.
"""

import re
import shlex
from collections.abc import Iterator
from typing import Final

from drrun.core.model.errors import Finding, Severity
from drrun.core.model.probes import Expect, Probe, ProbeKind
from drrun.core.model.runbook import Runbook
from drrun.files.runbook.references import probes_of
from drrun.files.yaml.written import shortened

#: Commands that succeed whatever they read, with the argument by which they do not.
_PASS_ON: Final = {
    "awk": "exit", "base64": "", "cat": "", "column": "", "cut": "", "head": "", "jq": "-e",
    "nl": "", "paste": "", "rev": "", "sed": "", "sort": "", "tac": "", "tail": "", "tee": "",
    "tr": "", "uniq": "", "wc": "",
}  # fmt: skip
_VALUES: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_ENDS: Final = frozenset({";", "&&", "||", "&", "\n", ";;"})


def find_piped(runbook: Runbook) -> Iterator[Finding]:
    """Probes that hold although their first command failed."""
    for step in runbook.steps.values():
        for key, probe in probes_of(step):
            yield from _judge(probe, f"steps.{step.id}.{key}")
    for probe in runbook.invariants:
        yield from _judge(probe, "invariants")


def _judge(probe: Probe, where: str) -> Iterator[Finding]:
    if probe.kind is not ProbeKind.RUN or probe.expect != Expect():
        return
    text = str(probe.ask.get("text", ""))
    last = passes_on(text)
    if last and "pipefail" not in f"{text} {probe.execution.shell}":
        message = (
            f"{where}: {shortened(text)} holds whatever fails before '| {last}', which decides "
            "alone. Say what must be printed with 'expect', or end with 'grep -q'"
        )
        yield Finding(probe.place, message, Severity.WARNING, "piped-probe")


def passes_on(text: str) -> str:
    """The command that ends the last pipe of a text and succeeds whatever it reads, or ""."""
    lexer = shlex.shlex(
        _VALUES.sub("value", text.strip()), posix=True, punctuation_chars=";&|()\n"
    )
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    command: list[str] = []
    piped, depth = False, 0
    try:
        for word in lexer:
            depth += word.count("(") - word.count(")") if set(word) <= {"(", ")"} else 0
            if depth or word in ("(", ")"):
                command.append(word)
            elif word == "|":
                piped, command = True, []
            elif word in _ENDS or not word.strip("\n"):
                piped, command = False, []
            else:
                command.append(word)
    except ValueError:  # a quote is not closed: told elsewhere, or by the shell
        return ""
    name = command[0] if command else ""
    unless = _PASS_ON.get(name)
    if not piped or unless is None or (unless and unless in " ".join(command[1:])):
        return ""
    return name

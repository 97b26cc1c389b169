"""Words of other tools, and what they are called here.

Rules:
- A hint never leads to what cannot be taken back: no foreign word is answered with a command that
  gives up, undoes, skips or deletes, and a mistyped one only where hardly another was meant.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

#: Words typed as commands by users of Ansible, Rundeck, Dagu, Terraform, gh -> what to type.
COMMAND_HINTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("list", "ls", "runs", "jobs"), "drrun history"),
    **dict.fromkeys(("ps", "state", "progress", "info", "describe", "view"), "drrun status"),
    **dict.fromkeys(("apply", "exec", "execute", "start", "play", "playbook", "up"),
                    "drrun run RUNBOOK"),
    **dict.fromkeys(("check", "lint", "verify", "syntax-check"), "drrun validate RUNBOOK"),
    **dict.fromkeys(("dry-run", "dryrun", "noop"), "drrun run RUNBOOK --mode dry-run"),
    **dict.fromkeys(("ping", "doctor", "facts"), "drrun preflight RUNBOOK"),
    **dict.fromkeys(("continue", "restart", "rerun", "go"), "drrun resume"),
    **dict.fromkeys(("stop", "halt", "hold", "suspend"), "drrun pause"),
    **dict.fromkeys(("unhold", "unsuspend"), "drrun unpause"),
    **dict.fromkeys(("log", "output", "tail", "stdout"), "drrun logs RUN STEP"),
    **dict.fromkeys(("ack", "ok", "yes", "done"), "drrun confirm STEP"),
    **dict.fromkeys(("no", "deny", "refuse"), "drrun reject STEP"),
    **dict.fromkeys(("graph", "dag"), "drrun plan RUNBOOK --format mermaid"),
    **dict.fromkeys(("new", "create", "scaffold"), "drrun init"),
    **dict.fromkeys(("compare",), "drrun diff RUN RUN"),
    **dict.fromkeys(("top", "ui", "tui", "monitor", "follow"), "drrun watch"),
    **dict.fromkeys(("config", "settings", "env"), "drrun help settings"),
    **dict.fromkeys(("edit-run", "patch", "fix"), "drrun amend --help"),
    **dict.fromkeys(("cancel", "kill", "destroy", "terminate", "delete", "rm", "remove", "undo",
                     "revert"),
                    "drrun pause (nothing new begins), then decide: drrun --help, 'Act on a run'"),
}  # fmt: skip
#: Options of other tools, where the command has none of that name -> what to type.
OPTION_HINTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("--check", "--dry-run", "--dryrun", "--noop", "-C", "-n"), "--mode dry-run"),
    **dict.fromkeys(("--diff", "-D"), "--mode dry-run shows what would change"),
    **dict.fromkeys(("--tags", "-t"), "--only STEP"),
    **dict.fromkeys(("--limit", "-l"), "'on' or 'batch' of the steps in the runbook"),
    **dict.fromkeys(("--skip-tags",), "--skip STEP"),
    **dict.fromkeys(("--start-at-task", "--start-at"), "--from STEP"),
    **dict.fromkeys(("--extra-vars", "--var", "--vars", "--param", "-p"), "-e NAME=VALUE"),
    **dict.fromkeys(("--var-file", "--vars-file"), "-e @FILE"),
    **dict.fromkeys(("--forks", "--parallelism", "--jobs", "-f", "-j"), "--max-parallel N"),
    **dict.fromkeys(("--auto-approve", "--force", "--assume-yes"), "--yes, where there is one"),
    **dict.fromkeys(("--verbose", "-v", "-vv", "-vvv", "--debug"),
                    "drrun logs RUN STEP, or drrun show RUN STEP"),
    **dict.fromkeys(("--quiet", "-q", "--silent"), "--plain, or 2>/dev/null"),
    **dict.fromkeys(("--syntax-check",), "drrun validate RUNBOOK"),
    **dict.fromkeys(("--list-tasks", "--list-hosts", "--list-tags"), "drrun plan RUNBOOK"),
    **dict.fromkeys(("--inventory-file", "--hosts"), "-i PATH"),
    **dict.fromkeys(("--become", "--sudo", "-b", "-K", "--ask-become-pass"),
                    "'become' of the step in the runbook"),
    **dict.fromkeys(("--user", "-u", "--remote-user", "--private-key", "--key-file"),
                    "'user' and 'identity' of the host in the inventory"),
    **dict.fromkeys(("--output-format", "--out"), "--json"),
    **dict.fromkeys(("--non-interactive", "--batch"), "--no-input"),
    **dict.fromkeys(("--version-only", "-V"), "drrun --version"),
    **dict.fromkeys(("--web", "--ui"), "drrun watch, or drrun report"),
    **dict.fromkeys(("--message", "-m", "--comment", "--why"), "--reason TEXT"),
    **dict.fromkeys(("--watch", "-w"), "drrun watch RUN"),
}  # fmt: skip
#: What gives up, undoes, leaves out, overrides or deletes.
GRAVE: Final = frozenset(
    {"abort", "cleanup", "close", "lost", "mark-done", "prune", "rollback", "skip"}
)  # fmt: skip
#: How alike a mistyped word must be to the name of a grave command.
_HARDLY_ANOTHER: Final = 0.85


def meant_command(word: str, commands: Iterable[str]) -> str:
    """What to type instead of a command that does not exist; "" if nobody can tell."""
    if word in COMMAND_HINTS:
        return COMMAND_HINTS[word]
    known = list(commands)
    harmless = get_close_matches(word, [each for each in known if each not in GRAVE], n=1)
    grave = get_close_matches(word, sorted(GRAVE), n=1, cutoff=_HARDLY_ANOTHER)
    near = grave or harmless
    return f"drrun {near[0]}" if near else ""

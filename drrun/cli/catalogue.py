"""All commands: what each is for, and where it is found once somebody types it.

Rules:
- Nothing is imported here, so `drrun --help` costs what this table costs.
- A command of the contract that does not exist yet is not shown; typing it says so.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Listed(NamedTuple):
    """One command of the help page."""

    #: Module in `drrun.cli` that defines it under its own name, `-` as `_`.
    module: str
    about: str


COMMANDS: Mapping[str, Listed] = {
    "demo": Listed("demo", "Migrate SourceHut over real SSH on this machine, without root."),
    "init": Listed("init", "Write a first runbook, its inventory and its tests."),
    "validate": Listed("plan", "Say everything that is wrong with a runbook and its inventory."),
    "plan": Listed("plan", "Show targets, order, critical path, people, points of no return."),
    "preflight": Listed("preflight", "Measure what a run will need; change nothing."),
    "simulate": Listed("simulate", "What a run would be like: a clock that jumps, no contact."),
    "readiness": Listed("readiness", "Which runbooks are known to work, and since when."),
    "test": Listed("test", "Do runbooks do what is promised of them? In a simulated world."),
    "run": Listed("run", "Plan, show, ask, execute."),
    "resume": Listed("run", "Go on with a run that was interrupted, paused, waiting, or failed."),
    "watch": Listed("watch", "A live screen on a run, with keys that act on it."),
    "status": Listed("status", "How a run stands now, who is waited for, what remains."),
    "history": Listed("history", "All runs."),
    "show": Listed("status", "A run, or everything about one step of it."),
    "report": Listed("report", "What happened, for whoever was not there: HTML and others."),
    "diff": Listed("diff", "What differs between two runs, or a run and its plan."),
    "export": Listed("archives", "A run as one archive: journal, outputs, files, hashes."),
    "import": Listed("archives", "Take in a run that was exported elsewhere."),
    "prune": Listed("archives", "Remove old runs; never the last of a runbook."),
    "logs": Listed("logs", "What a step printed."),
    "unseal": Listed("unseal", "Read outputs that were sealed because a secret changed."),
    "events": Listed("events", "The journal of a run, line by line."),
    "evidence": Listed("evidence", "Files that people gave as evidence."),
    "confirm": Listed("act", "Say that something was done, or may be done."),
    "reject": Listed("act", "Say that something was not done, or may not be."),
    "approve": Listed("act", "Approve what waits for an approval."),
    "decide": Listed("act", "Choose one of the options of a decision."),
    "retry": Listed("act", "Try a failed step again."),
    "skip": Listed("act", "Leave a step out; what needs it goes on."),
    "mark-done": Listed("act", "Declare a step done by your word."),
    "pause": Listed("act", "Begin nothing new."),
    "unpause": Listed("act", "Begin steps again."),
    "withdraw": Listed("act", "Take back a request that is kept until somebody resumes."),
    "abort": Listed("act", "Give a run up: what runs is ended, nothing new begins."),
    "claim": Listed("act", "Take a step on, so that nobody else does the same."),
    "assign": Listed("act", "Make a step somebody's."),
    "handover": Listed("act", "Give everything that is yours to another, with a note."),
    "amend": Listed("act", "Add steps to a run, or change steps that have not begun."),
    "lost": Listed("act", "Declare a site, host, provider or person lost."),
    "found": Listed("act", "Take back that something was lost."),
    "set-route": Listed("act", "Choose the route by which a host is reached."),
    "rollback": Listed("rollback", "Undo what has passed, in reverse order."),
    "note": Listed("act", "Write something into the record."),
    "cleanup": Listed("cleanup", "Remove what a run left on its hosts."),
    "learn": Listed("learn", "Propose estimates from what steps really took, as a diff."),
    "finding": Listed("findings", "Write down what has to be put right, also after the run."),
    "follow-up": Listed("findings", "Write down what is still to be done."),
    "follow-ups": Listed("findings", "Everything that a run left to do; CSV, task list."),
    "clocks": Listed("findings", "State when it was disrupted, detected, declared, protected."),
    "close": Listed("findings", "Close a run, once backups, workarounds, waivers are settled."),
    "verify-journal": Listed("verify_journal", "Check the hash chain of a run's record."),
    "schema": Listed("schema", "JSON Schemas for editors."),
    "help": Listed("topics", "More help: drrun help exit-codes."),
}

#: Promised by the contract, not there yet.
LATER = frozenset({"serve", "bundle"})

#: Other spellings that people try.
ALIASES: Mapping[str, str] = {"clean-up": "cleanup"}

"""All commands: what each is for, and where it is found once somebody types it.

Rules:
- Nothing is imported here, so `drrun --help` costs what this table costs.
- A command of the contract that does not exist yet is not shown; typing it says so.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class HelpGroup(StrEnum):
    """When a command is wanted; the headings of the help page."""

    PLAN = "Plan"
    RUN = "Run and look"
    ACT = "Act on a run"
    AFTER = "After a run"
    HELP = "Help"


class Listed(NamedTuple):
    """One command of the help page."""

    #: Module in `drrun.cli` that defines it under its own name, `-` as `_`.
    module: str
    about: str
    group: HelpGroup
    #: A command line as people type it.
    example: str


COMMANDS: Mapping[str, Listed] = {
    "demo": Listed(
        "demo",
        "Migrate SourceHut over real SSH on this machine, without root.",
        HelpGroup.PLAN,
        "drrun demo",
    ),
    "init": Listed(
        "init",
        "Write a first runbook, its inventory and its tests.",
        HelpGroup.PLAN,
        "drrun init --name failover",
    ),
    "validate": Listed(
        "plan",
        "Report every error in a runbook and its inventory.",
        HelpGroup.PLAN,
        "drrun validate runbooks/failover.yml --strict",
    ),
    "plan": Listed(
        "plan",
        "Show targets, order, critical path, people, points of no return.",
        HelpGroup.PLAN,
        "drrun plan runbooks/failover.yml -e max_age=2h",
    ),
    "preflight": Listed(
        "preflight",
        "Check everything a run will need; change nothing.",
        HelpGroup.PLAN,
        "drrun preflight runbooks/failover.yml",
    ),
    "simulate": Listed(
        "simulate",
        "Simulate a run: simulated time, no contact with hosts.",
        HelpGroup.PLAN,
        "drrun simulate runbooks/failover.yml --trials 500",
    ),
    "test": Listed(
        "test",
        "Run the tests of a runbook in a simulation.",
        HelpGroup.PLAN,
        "drrun test runbooks/tests/failover.yml",
    ),
    "readiness": Listed(
        "readiness",
        "Show which runbooks are verified, and since when.",
        HelpGroup.PLAN,
        "drrun readiness",
    ),
    "schema": Listed(
        "schema",
        "JSON Schemas for editors.",
        HelpGroup.PLAN,
        "drrun schema runbook > runbook.schema.json",
    ),
    "run": Listed(
        "run",
        "Plan, show, ask, execute.",
        HelpGroup.RUN,
        "drrun run runbooks/failover.yml --mode dry-run",
    ),
    "resume": Listed(
        "run",
        "Continue a run that was interrupted, paused, waiting, or failed.",
        HelpGroup.RUN,
        "drrun resume latest",
    ),
    "watch": Listed(
        "watch",
        "Watch a run live, and act on it with keys.",
        HelpGroup.RUN,
        "drrun watch",
    ),
    "status": Listed(
        "status",
        "Show where a run stands, who must answer, what remains.",
        HelpGroup.RUN,
        "drrun status latest",
    ),
    "show": Listed(
        "status",
        "Show a run, or everything about one of its steps.",
        HelpGroup.RUN,
        "drrun show latest restore",
    ),
    "logs": Listed(
        "logs",
        "Show what a step printed.",
        HelpGroup.RUN,
        "drrun logs latest restore",
    ),
    "events": Listed(
        "events",
        "Show the journal of a run, line by line.",
        HelpGroup.RUN,
        "drrun events latest --json",
    ),
    "history": Listed(
        "history",
        "All runs.",
        HelpGroup.RUN,
        "drrun history --since 2026-01-01",
    ),
    "confirm": Listed(
        "act",
        "Confirm that a step is done, or may begin.",
        HelpGroup.ACT,
        'drrun confirm latest declare --reason "PHL is lost"',
    ),
    "reject": Listed(
        "act",
        "Reject a step: it is not done, or must not begin.",
        HelpGroup.ACT,
        'drrun reject latest open --reason "two rows are missing"',
    ),
    "approve": Listed(
        "act",
        "Approve a step that waits for an approval.",
        HelpGroup.ACT,
        "drrun approve latest open --by alice",
    ),
    "decide": Listed(
        "act",
        "Choose an option of a decision.",
        HelpGroup.ACT,
        "drrun decide latest which-site ams",
    ),
    "retry": Listed(
        "act",
        "Try a failed step again.",
        HelpGroup.ACT,
        "drrun retry latest restore",
    ),
    "skip": Listed(
        "act",
        "Skip a step; the steps that need it continue.",
        HelpGroup.ACT,
        'drrun skip latest announce --reason "the list is down"',
    ),
    "mark-done": Listed(
        "act",
        "Mark a step as done, although drrun did not verify it.",
        HelpGroup.ACT,
        'drrun mark-done latest racks --reason "seen on the camera"',
    ),
    "pause": Listed(
        "act",
        "Pause a run: start nothing new.",
        HelpGroup.ACT,
        "drrun pause latest",
    ),
    "unpause": Listed(
        "act",
        "Continue a paused run.",
        HelpGroup.ACT,
        "drrun unpause latest",
    ),
    "abort": Listed(
        "act",
        "Abort a run: end its jobs, start nothing new.",
        HelpGroup.ACT,
        'drrun abort latest --reason "the site is back"',
    ),
    "rollback": Listed(
        "rollback",
        "Undo what has passed, in reverse order.",
        HelpGroup.ACT,
        'drrun rollback latest --reason "the site is back"',
    ),
    "claim": Listed(
        "act",
        "Claim a step, so that nobody else does it too.",
        HelpGroup.ACT,
        "drrun claim latest restore",
    ),
    "assign": Listed(
        "act",
        "Give a step to a person.",
        HelpGroup.ACT,
        "drrun assign latest restore bob",
    ),
    "handover": Listed(
        "act",
        "Hand over all your steps to another person, with a note.",
        HelpGroup.ACT,
        'drrun handover latest bob "the dump of db2 is still being copied"',
    ),
    "edit": Listed(
        "edit",
        "Correct a step of a run in your editor.",
        HelpGroup.ACT,
        "drrun edit latest restore",
    ),
    "withdraw": Listed(
        "act",
        "Withdraw a request that is kept until somebody resumes.",
        HelpGroup.ACT,
        "drrun withdraw latest 12",
    ),
    "amend": Listed(
        "act",
        "Add steps to a run, or correct steps that have not passed.",
        HelpGroup.ACT,
        'drrun amend latest fix.yml --reason "the path was wrong"',
    ),
    "lost": Listed(
        "act",
        "Declare a site, host, provider or person lost.",
        HelpGroup.ACT,
        'drrun lost latest site:phl --reason "fire in the building"',
    ),
    "found": Listed(
        "act",
        "Withdraw a declared loss.",
        HelpGroup.ACT,
        'drrun found latest host:db2 --reason "it answers again"',
    ),
    "set-route": Listed(
        "act",
        "Choose the route by which a host is reached.",
        HelpGroup.ACT,
        "drrun set-route latest db1 oob",
    ),
    "note": Listed(
        "act",
        "Add a note to the record.",
        HelpGroup.ACT,
        'drrun note latest "users report slow pages"',
    ),
    "report": Listed(
        "report",
        "Write a report for people who were not there: HTML and others.",
        HelpGroup.AFTER,
        "drrun report latest -o report.html",
    ),
    "diff": Listed(
        "diff",
        "Compare two runs, or a run with its plan.",
        HelpGroup.AFTER,
        "drrun diff latest",
    ),
    "clocks": Listed(
        "findings",
        "Record the time of disruption, detection, declaration, protection.",
        HelpGroup.AFTER,
        'drrun clocks latest --disrupted 2027-01-11T02:10Z --reason "first alert"',
    ),
    "finding": Listed(
        "findings",
        "Record a finding: something to fix. Works after the run too.",
        HelpGroup.AFTER,
        'drrun finding latest "the dump had no index" --owner bob',
    ),
    "follow-up": Listed(
        "findings",
        "Record a follow-up: work that is still to be done.",
        HelpGroup.AFTER,
        'drrun follow-up latest "order a second web server"',
    ),
    "follow-ups": Listed(
        "findings",
        "List the work that a run left to do; CSV, task list.",
        HelpGroup.AFTER,
        "drrun follow-ups latest",
    ),
    "close": Listed(
        "findings",
        "Close a run, once backups, workarounds, waivers are settled.",
        HelpGroup.AFTER,
        "drrun close latest",
    ),
    "learn": Listed(
        "learn",
        "Propose estimates from measured durations, as a diff.",
        HelpGroup.AFTER,
        "drrun learn latest",
    ),
    "cleanup": Listed(
        "cleanup",
        "Remove the files of a run from its hosts.",
        HelpGroup.AFTER,
        "drrun cleanup latest",
    ),
    "evidence": Listed(
        "evidence",
        "List the files that people gave as evidence.",
        HelpGroup.AFTER,
        "drrun evidence latest",
    ),
    "export": Listed(
        "archives",
        "Export a run as one archive: journal, outputs, files, hashes.",
        HelpGroup.AFTER,
        "drrun export latest -o move.tar.gz",
    ),
    "import": Listed(
        "archives",
        "Import a run that was exported elsewhere.",
        HelpGroup.AFTER,
        "drrun import move.tar.gz",
    ),
    "verify-journal": Listed(
        "verify_journal",
        "Check the hash chain of a run's record.",
        HelpGroup.AFTER,
        "drrun verify-journal latest",
    ),
    "unseal": Listed(
        "unseal",
        "Read outputs that were sealed because a secret changed.",
        HelpGroup.AFTER,
        "drrun unseal latest --old-secret db_password",
    ),
    "prune": Listed(
        "archives",
        "Delete old runs from the state; never the last of a runbook.",
        HelpGroup.AFTER,
        "drrun prune --older-than 365d",
    ),
    "help": Listed(
        "topics",
        "More help: drrun help exit-codes.",
        HelpGroup.HELP,
        "drrun help settings",
    ),
    "completion": Listed(
        "completion",
        "Complete commands, runs, steps and hosts with the Tab key.",
        HelpGroup.HELP,
        "drrun completion bash > ~/.local/share/bash-completion/completions/drrun",
    ),
}

#: Promised by the contract, not there yet.
LATER = frozenset({"serve", "bundle"})

#: Other spellings that people try.
ALIASES: Mapping[str, str] = {"clean-up": "cleanup"}

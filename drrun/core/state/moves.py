"""Which event may happen to a target in which status, what it becomes, and the sentence for it.

Rules:
- This is the only place where a status changes. A pair that is not in the table is an
  `IllegalMove`, and the state is left as it was.
- The sentence is what `show`, the report and the state diagram print.
- An event whose new status depends on what it says (an exit status, a verdict) has one row for
  each answer, told apart by `answer_of`.
"""

from collections.abc import Mapping
from typing import assert_never

from drrun.core import events as ev
from drrun.core.events import kind_of
from drrun.core.model.errors import IllegalMove
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.status import Status

PENDING, WAITING, RUNNING = Status.PENDING, Status.WAITING, Status.RUNNING
VERIFYING, PASSED, FAILED = Status.VERIFYING, Status.PASSED, Status.FAILED
SKIPPED, UNKNOWN, BLOCKED = Status.SKIPPED, Status.UNKNOWN, Status.BLOCKED
CANCELLED, REGRESSED = Status.CANCELLED, Status.REGRESSED
ROLLED_BACK = Status.ROLLED_BACK


def answer_of(event: ev.OfTarget | ev.OfTargets) -> str:
    """The part of an event that decides which row it is; "" where one row has all."""
    match event:
        case ev.ProbesConcluded():
            return f"{event.purpose} {event.verdict}"
        case ev.AttemptEnded():
            return "good" if event.exit == 0 and not event.fault else "bad"
        case ev.AttemptTimedOut() | ev.AttemptStopped():
            return "gone" if event.gone else "perhaps alive"
        case ev.GateOpened():
            return event.gate
        case ev.GateAnswered():
            if event.gate == "ask":
                return f"ask {event.purpose}"
            undone = " undone" if event.purpose == Purpose.UNDONE else ""
            return f"{event.gate} {event.answer}{undone}"
        case ev.TargetMarked():
            return event.status
        case ev.TargetReopened():
            return _how_reopened(event)
        case ev.TargetLost():
            return event.becomes
        case ev.StepSkipped():
            return "superseded" if event.superseded else ""
        case (
            ev.TargetBegan()
            | ev.AttemptIntended()
            | ev.AttemptStarted()
            | ev.AttemptNeverStarted()
            | ev.ContactLost()
            | ev.ContactMissed()
            | ev.ContactFound()
            | ev.AttemptLate()
            | ev.EndingBegan()
            | ev.ActionShown()
            | ev.WaitBegan()
            | ev.WaitEnded()
            | ev.ProbeSeen()
            | ev.TargetWaiting()
            | ev.RetryPlanned()
            | ev.TargetFailed()
            | ev.Approved()
            | ev.PersonReminded()
            | ev.GateEscalated()
            | ev.ApprovalNotNeeded()
            | ev.WatchSeen()
            | ev.Regressed()
            | ev.Recovered()
            | ev.UndoBegan()
            | ev.NotRolledBack()
            | ev.UndoneUnverified()
            | ev.StepBlocked()
            | ev.TargetsCancelled()
        ):
            return ""
        case _:
            assert_never(event)


def _how_reopened(event: ev.TargetReopened) -> str:
    ways = {"seek": event.seek, "rewind": event.rewind, "amended": event.amended}
    return next((way for way, taken in ways.items() if taken), "")


def _concluded(purpose: Purpose, verdict: Verdict) -> tuple[str, str]:
    return "ProbesConcluded", f"{purpose} {verdict}"


_HOLDS, _NOT, _DOUBT = Verdict.HOLDS, Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL

#: Being told something again changes nothing about the target.
_SAME = {
    WAITING: (WAITING, "waits for people"),
    UNKNOWN: (UNKNOWN, "waits for people"),
    RUNNING: (RUNNING, "people are asked"),
}
_UNDECIDED = (PENDING, WAITING, FAILED, BLOCKED, UNKNOWN, CANCELLED, REGRESSED)
#: A host that is not seen keeps nobody from giving its target up.
_MISSING = (RUNNING, VERIFYING)

#: Where a look was asked for, from which a person who refuses after it may go back.
_LOOKED_AT = (RUNNING, VERIFYING)

#: (kind, answer) -> status before -> (status after, sentence).
MOVES: Mapping[tuple[str, str], Mapping[Status, tuple[Status, str]]] = {
    ("StepSkipped", ""): {
        PENDING: (SKIPPED, "skipped"),
        WAITING: (SKIPPED, "skipped while it waited"),
    },
    ("StepSkipped", "superseded"): dict.fromkeys(
        (PENDING, WAITING, FAILED, BLOCKED, CANCELLED),
        (SKIPPED, "another step has made it needless"),
    ),
    ("StepBlocked", ""): {
        PENDING: (BLOCKED, "something that it needs failed"),
        WAITING: (BLOCKED, "something that it needs failed"),
    },
    ("TargetsCancelled", ""): {
        PENDING: (CANCELLED, "will not start"),
        WAITING: (CANCELLED, "will not start"),
        RUNNING: (CANCELLED, "given up before it acted"),
    },
    ("TargetWaiting", ""): {
        PENDING: (WAITING, "ready, but must wait"),
        WAITING: (WAITING, "waits for something else now"),
    },
    ("TargetBegan", ""): {
        PENDING: (RUNNING, "begins"),
        WAITING: (RUNNING, "begins after waiting"),
    },
    _concluded(Purpose.GUARD, _HOLDS): {RUNNING: (RUNNING, "its guards hold")},
    _concluded(Purpose.GUARD, _NOT): {RUNNING: (RUNNING, "a guard does not hold: no action")},
    _concluded(Purpose.GUARD, _DOUBT): {
        RUNNING: (RUNNING, "a guard could not be checked: no action")
    },
    _concluded(Purpose.DONE_WHEN, _HOLDS): {RUNNING: (PASSED, "was done already")},
    _concluded(Purpose.DONE_WHEN, _NOT): {RUNNING: (RUNNING, "is not done yet")},
    _concluded(Purpose.DONE_WHEN, _DOUBT): {
        RUNNING: (RUNNING, "could not tell whether it is done already: no action"),
    },
    _concluded(Purpose.UNTIL, _HOLDS): {RUNNING: (VERIFYING, "what it waited for holds")},
    _concluded(Purpose.UNTIL, _NOT): {RUNNING: (RUNNING, "what it waited for did not come")},
    _concluded(Purpose.UNTIL, _DOUBT): {RUNNING: (RUNNING, "what it waits for cannot be seen")},
    _concluded(Purpose.VERIFY, _HOLDS): {VERIFYING: (PASSED, "verified")},
    _concluded(Purpose.VERIFY, _NOT): {VERIFYING: (VERIFYING, "verification does not hold")},
    _concluded(Purpose.VERIFY, _DOUBT): {
        VERIFYING: (UNKNOWN, "acted, but verification could not tell"),
        WAITING: (UNKNOWN, "acted, and nobody looked"),
    },
    _concluded(Purpose.RECONCILE, _HOLDS): {
        UNKNOWN: (PASSED, "found done after contact was lost"),
    },
    _concluded(Purpose.RECONCILE, _NOT): {UNKNOWN: (UNKNOWN, "not found done")},
    _concluded(Purpose.RECONCILE, _DOUBT): {
        UNKNOWN: (UNKNOWN, "looked, and could not tell"),
        WAITING: (UNKNOWN, "nobody looked"),
    },
    ("AttemptIntended", ""): {RUNNING: (RUNNING, "about to act")},
    ("AttemptStarted", ""): {RUNNING: (RUNNING, "acts")},
    ("AttemptEnded", "good"): {RUNNING: (VERIFYING, "acted; verification follows")},
    ("AttemptEnded", "bad"): {RUNNING: (RUNNING, "the action failed")},
    ("AttemptTimedOut", "gone"): {RUNNING: (RUNNING, "out of time; its processes are gone")},
    ("AttemptTimedOut", "perhaps alive"): {
        RUNNING: (UNKNOWN, "out of time; its processes may still run"),
    },
    ("AttemptNeverStarted", ""): {RUNNING: (RUNNING, "was never started")},
    ("AttemptLate", ""): {RUNNING: (RUNNING, "is running; it takes longer than expected")},
    ("ContactMissed", ""): {RUNNING: (RUNNING, "no contact: trying to reconnect")},
    ("ContactFound", ""): {RUNNING: (RUNNING, "contact is back; it is running")},
    ("EndingBegan", ""): {RUNNING: (RUNNING, "is being ended")},
    ("AttemptStopped", "gone"): {RUNNING: (CANCELLED, "ended; its processes are gone")},
    ("AttemptStopped", "perhaps alive"): {
        RUNNING: (UNKNOWN, "told to end, but its processes may still run"),
    },
    ("ActionShown", ""): {
        RUNNING: (SKIPPED, "dry-run: not done"),
        VERIFYING: (SKIPPED, "dry-run: not done"),
    },
    ("ContactLost", ""): {RUNNING: (UNKNOWN, "contact was lost")},
    ("WaitBegan", ""): {RUNNING: (WAITING, "waits for the clock")},
    ("WaitEnded", ""): {WAITING: (VERIFYING, "the wait is over")},
    ("RetryPlanned", ""): {
        RUNNING: (WAITING, "will be tried again"),
        VERIFYING: (WAITING, "will be tried again"),
        WAITING: (WAITING, "will be tried otherwise"),
        UNKNOWN: (WAITING, "will be tried again"),
    },
    ("TargetFailed", ""): {
        RUNNING: (FAILED, "given up"),
        VERIFYING: (FAILED, "given up: not verified"),
    },
    ("GateOpened", "manual"): {RUNNING: (WAITING, "waits for a person to do it")},
    ("GateOpened", "approval"): {RUNNING: (WAITING, "waits for an approval")},
    ("GateOpened", "decision"): {RUNNING: (WAITING, "waits for a decision")},
    ("GateOpened", "late"): {RUNNING: (RUNNING, "is over its time limit; a person must decide")},
    ("GateOpened", "irreversible"): {
        RUNNING: (WAITING, "no way back from here: waits for a person to allow it")
    },
    ("GateOpened", "ask"): {
        RUNNING: (WAITING, "waits for a person to look"),
        VERIFYING: (WAITING, "waits for a person to look"),
        UNKNOWN: (WAITING, "waits for a person to look"),
    },
    ("GateOpened", "unknown"): {UNKNOWN: (UNKNOWN, "a person must say what happened")},
    ("PersonReminded", ""): _SAME,
    ("GateEscalated", ""): _SAME,
    ("Approved", ""): {WAITING: (WAITING, "approved by one more person")},
    ("ApprovalNotNeeded", ""): {
        RUNNING: (RUNNING, "needs no approval: its condition does not hold"),
        WAITING: (RUNNING, "needs no approval any more: its condition does not hold"),
    },
    ("GateAnswered", "approval approve"): {WAITING: (RUNNING, "approved")},
    ("GateAnswered", "approval reject"): {WAITING: (FAILED, "not approved")},
    ("GateAnswered", "decision decide"): {WAITING: (VERIFYING, "decided")},
    ("GateAnswered", "decision reject"): {WAITING: (FAILED, "a person refused to decide")},
    ("GateAnswered", "late confirm"): {RUNNING: (RUNNING, "a person lets it continue")},
    ("GateAnswered", "late reject"): {RUNNING: (RUNNING, "a person ended it")},
    ("GateAnswered", "manual confirm"): {WAITING: (VERIFYING, "a person did it")},
    ("GateAnswered", "manual reject"): {WAITING: (FAILED, "a person refused")},
    ("GateAnswered", "irreversible confirm"): {WAITING: (RUNNING, "a person allowed it")},
    ("GateAnswered", "irreversible reject"): {WAITING: (FAILED, "a person refused")},
    ("GateAnswered", "ask guard"): {WAITING: (RUNNING, "a person looked")},
    ("GateAnswered", "ask done_when"): {WAITING: (RUNNING, "a person looked")},
    ("GateAnswered", "ask until"): {WAITING: (RUNNING, "a person looked")},
    ("GateAnswered", "ask verify"): {WAITING: (VERIFYING, "a person looked")},
    ("GateAnswered", "ask undone"): {WAITING: (VERIFYING, "a person looked")},
    ("GateAnswered", "ask reconcile"): {WAITING: (UNKNOWN, "a person looked")},
    ("GateAnswered", "unknown confirm"): {UNKNOWN: (PASSED, "marked done by a person")},
    ("GateAnswered", "unknown confirm undone"): {
        UNKNOWN: (ROLLED_BACK, "a person said that it was undone"),
    },
    ("GateAnswered", "unknown reject undone"): {
        UNKNOWN: (FAILED, "a person said that it was not undone"),
    },
    ("GateAnswered", "unknown reject"): {UNKNOWN: (FAILED, "a person said that it was not done")},
    ("TargetReopened", ""): {
        PENDING: (PENDING, "to be tried again"),
        FAILED: (PENDING, "to be tried again"),
        BLOCKED: (PENDING, "open again"),
        CANCELLED: (PENDING, "open again"),
        REGRESSED: (PENDING, "to be done again"),
        UNKNOWN: (UNKNOWN, "to be looked at again"),
    },
    ("TargetReopened", "rewind"): dict.fromkeys(
        (*_LOOKED_AT, WAITING, PASSED, FAILED, SKIPPED, BLOCKED, CANCELLED, REGRESSED, UNKNOWN),
        (PENDING, "to be done again: a person went back"),
    ),
    ("TargetReopened", "amended"): dict.fromkeys(
        (PENDING, WAITING, RUNNING, FAILED, SKIPPED, BLOCKED, CANCELLED, REGRESSED),
        (PENDING, "to be done as it is written now"),
    ),
    ("TargetLost", "skipped"): dict.fromkeys(
        (PENDING, WAITING, RUNNING, VERIFYING, UNKNOWN), (SKIPPED, "its host was declared lost")
    ),
    ("TargetLost", "blocked"): dict.fromkeys(
        (PENDING, WAITING, RUNNING, VERIFYING, UNKNOWN), (BLOCKED, "its host was declared lost")
    ),
    ("WatchSeen", ""): {
        PASSED: (PASSED, "verified"),
        REGRESSED: (REGRESSED, "broken again after it had passed"),
    },
    ("Regressed", ""): {PASSED: (REGRESSED, "broken again after it had passed")},
    ("Recovered", ""): {REGRESSED: (PASSED, "holds again")},
    ("UndoBegan", ""): {
        PASSED: (RUNNING, "is being undone"),
        REGRESSED: (RUNNING, "is being undone"),
        FAILED: (RUNNING, "is being undone again"),
        CANCELLED: (RUNNING, "is being undone again"),
        BLOCKED: (RUNNING, "is being undone again"),
    },
    ("NotRolledBack", ""): {
        PASSED: (PASSED, "not rolled back"),
        REGRESSED: (REGRESSED, "not rolled back"),
        RUNNING: (PASSED, "not rolled back"),
    },
    ("UndoneUnverified", ""): {VERIFYING: (ROLLED_BACK, "undone, not verified")},
    _concluded(Purpose.UNDONE, _HOLDS): {VERIFYING: (ROLLED_BACK, "undone")},
    _concluded(Purpose.UNDONE, _NOT): {VERIFYING: (VERIFYING, "not found undone")},
    _concluded(Purpose.UNDONE, _DOUBT): {
        VERIFYING: (UNKNOWN, "undone, but nobody could tell whether it worked"),
    },
    ("TargetReopened", "seek"): {
        UNKNOWN: (RUNNING, "looking for its attempt again"),
        BLOCKED: (RUNNING, "its host is back: looking for its attempt again"),
    },
    ("TargetMarked", "passed"): dict.fromkeys(
        (*_UNDECIDED, *_MISSING), (PASSED, "marked done by a person")
    ),
    ("TargetMarked", "rolled-back"): dict.fromkeys(
        (FAILED, CANCELLED, BLOCKED, UNKNOWN), (ROLLED_BACK, "undone by hand, a person says")
    ),
    ("TargetMarked", "skipped"): dict.fromkeys(
        (*_UNDECIDED, *_MISSING), (SKIPPED, "skipped by a person")
    ),
}


def move(status: Status, event: ev.OfTarget | ev.OfTargets) -> tuple[Status, str]:
    """The status after `event`, and the sentence for it.

    Raises:
        IllegalMove: The table has no such row.
    """
    row = MOVES.get((kind_of(event), answer_of(event)), {})
    if status not in row:
        raise IllegalMove(
            f"{kind_of(event)} {answer_of(event)} cannot happen to a {status} target"
        )
    return row[status]

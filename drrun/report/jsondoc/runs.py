"""Documents about runs: `run`, `history`, `step`, `entry`, `answer`, `journal`."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from drrun.core.integrity.chain import ChainLink
from drrun.core.model.seat import Seat
from drrun.core.people.unanswered import KeptRequest
from drrun.core.rules.endings import RunException
from drrun.report.duty_view import Mine
from drrun.report.history_view import Rehearsed, RunLine
from drrun.report.jsondoc import FORMAT, at, document, seconds
from drrun.report.jsondoc.plans import service_json
from drrun.report.run_view import RunView, StepLine, WaitingGate
from drrun.report.step_view import AttemptStory, ProbeStory, StepView, TargetStory
from drrun.report.words import Word


def run_json(view: RunView) -> dict[str, Any]:
    """`run`: a run as it stands now; what `status` and `show` print."""
    forecast = view.forecast
    return document(
        "run",
        run=view.head.id,
        name=view.name,
        title=view.title,
        mode=view.mode,
        variant=view.variant,
        status=str(view.head.status),
        why=view.why or None,
        controller=view.head.holder or None,
        journal=view.head.seal or None,
        damage=list(view.head.damage),
        started_at=at(view.started_at),
        started_by=view.head.started_by,
        started_from=_seat(view.head.started_from),
        ended_at=at(view.head.ended_at),
        now=at(view.now),
        elapsed=seconds(view.elapsed),
        elapsed_exact=view.took.exact,
        clocks=[
            {"host": each.host, "ahead": round(each.ahead, 3), "error": round(each.error, 3)}
            for each in view.clocks
        ],
        warnings=list(view.warnings),
        remaining=None if forecast is None or forecast.holds else seconds(forecast.remaining),
        work_left=None if forecast is None else seconds(forecast.remaining),
        not_before=[] if forecast is None else list(forecast.holds),
        without_estimate=None if forecast is None else forecast.unestimated,
        counts={str(status): count for status, count in view.counts.items()},
        steps=[_line(each) for each in view.lines],
        exceptions=[_exception(each) for each in view.exceptions],
        dry=None if view.dry is None else asdict(view.dry),
        asks=[ask_json(each) for each in view.asks],
        services=[service_json(each) for each in view.services],
        kept=[kept_json(each) for each in view.head.kept],
    )


def kept_json(kept: KeptRequest) -> dict[str, Any]:
    """One request that nobody has done, because nobody drives the run."""
    return {
        "id": kept.id,
        "at": at(kept.at),
        "by": kept.by,
        "request": kept.command.KIND,
        "step": kept.step or None,
        "asked": str(kept),
    }


def _line(line: StepLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "title": line.title,
        "owner": line.owner,
        "status": str(line.status),
        "already": line.already,
        "late": line.late,
        "targets": {str(status): count for status, count in line.counts.items()},
        "began_at": at(line.began_at),
        "ended_at": at(line.ended_at),
        "undone_at": at(line.undone_at),
        "seconds": None if line.took is None else round(line.took.seconds, 3),
        "exact": line.took is None or line.took.exact,
        "planned": seconds(line.planned),
        "note": line.note or None,
    }


def _exception(each: RunException) -> dict[str, Any]:
    return {
        "kind": str(each.kind),
        "about": each.about,
        "step": each.step or None,
        "by": each.by or None,
        "why": each.why or None,
        "decisive": each.decisive,
    }


def ask_json(ask: WaitingGate) -> dict[str, Any]:
    """One question that waits for a person."""
    return {
        "key": ask.key,
        "step": ask.step,
        "target": ask.target,
        "kind": ask.kind,
        "text": ask.text,
        "since": at(ask.since),
        "role": ask.role or None,
        "people": list(ask.people),
        "input": dict(ask.input),
        "evidence": ask.evidence,
        "options": dict(ask.options),
        "typed": ask.typed or None,
        "approved": list(ask.approved),
        "count": ask.count,
        "stuck": ask.stuck or None,
        "decide_at": at(ask.decide_at),
        "default": ask.default or None,
        "taken_by": ask.taken_by or None,
    }


def history_json(
    lines: Iterable[RunLine], tried: Iterable[Rehearsed] = (), lost: Iterable[str] = ()
) -> dict[str, Any]:
    """`history`: all runs, newest first; when each runbook was last rehearsed; what is lost."""
    return document(
        "history",
        runs=[
            {
                "run": line.id,
                "name": line.runbook,
                "title": line.title,
                "mode": line.mode,
                "variant": line.variant,
                "status": str(line.status),
                "started_at": at(line.started_at),
                "started_by": line.started_by,
                "ended_at": at(line.ended_at),
                "length": seconds(line.took),
                "entries": line.entries,
                "services": list(line.services),
                "damage": list(line.damage),
            }
            for line in lines
        ],
        lost=list(lost),
        rehearsals=[_rehearsal(each) for each in tried],
    )


def _rehearsal(each: Rehearsed) -> dict[str, Any]:
    run, moment, status = each.last or (None, None, None)
    return {"name": each.runbook, "run": run, "at": at(moment), "status": status}


def step_json(run: str, view: StepView, damage: Sequence[str] = ()) -> dict[str, Any]:
    """`step`: every attempt on every target of one step."""
    return document(
        "step",
        run=run,
        damage=list(damage),
        id=view.id,
        title=view.title,
        action=view.action,
        owner=view.owner,
        status=str(view.status),
        needs=list(view.needs),
        held_up_by=[
            {"step": each.step, "status": str(each.status), "note": each.note}
            for each in view.hindrances
        ],
        words=[_word(each) for each in view.words],
        targets=[_target(each) for each in view.targets],
    )


def _target(target: TargetStory) -> dict[str, Any]:
    return {
        "target": target.target,
        "host": target.host or None,
        "status": str(target.status),
        "since": at(target.since or None),
        "note": target.note or None,
        "already": target.already,
        "values": dict(target.values),
        "attempts": [_attempt(each) for each in target.attempts],
        "words": [_word(each) for each in target.words],
    }


def _attempt(attempt: AttemptStory) -> dict[str, Any]:
    return {
        "attempt": attempt.number,
        "undo": attempt.undo,
        "began_at": at(attempt.began_at),
        "ended_at": at(attempt.ended_at),
        "action": attempt.action or None,
        "command": attempt.command or None,
        "host": attempt.host or None,
        "route": attempt.route or None,
        "host_key": attempt.host_key or None,
        "user": attempt.user or None,
        "become": attempt.become or None,
        "environment": list(attempt.environment),
        "ending": attempt.ending or None,
        "exit": attempt.exit,
        "captured": dict(attempt.captured),
        "output": dict(attempt.output),
        "probes": [_probe(each) for each in attempt.probes.values()],
    }


def _probe(probe: ProbeStory) -> dict[str, Any]:
    return {
        "purpose": probe.purpose,
        "name": probe.name,
        "question": probe.question,
        "where": probe.where,
        "expected": probe.expected or None,
        "verdict": probe.verdict,
        "value": probe.value,
        "why": probe.why or None,
        "at": at(probe.at),
        "times": probe.times,
    }


def _word(word: Word) -> dict[str, Any]:
    return {"at": at(word.at), "by": word.by, "seat": _seat(word.seat), "text": word.text}


def _seat(seat: Seat | None) -> str | None:
    return None if seat is None else str(seat)


def mine_json(mine: Mine, damage: Sequence[str] = ()) -> dict[str, Any]:
    """What concerns one person."""
    return document(
        "mine",
        run=mine.run,
        damage=list(damage),
        person=mine.person,
        on_duty_since=at(mine.on_duty_since),
        asks=[ask_json(ask) for ask in mine.asks],
        steps=list(mine.steps),
        coming=list(mine.coming),
    )


def entry_json(entry: ChainLink) -> dict[str, Any]:
    """One line of the journal, as `events` prints it. `kind` is that of the event."""
    return {
        "format": FORMAT,
        "run": entry.run,
        "seq": entry.seq,
        "at": at(entry.at),
        "actor": entry.actor,
        "epoch": entry.epoch,
        "kind": entry.kind,
        "version": entry.version,
        "body": dict(entry.body),
        "hash": entry.hash,
    }

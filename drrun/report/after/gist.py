"""The gist of a run, in a few sentences that stand above everything else.

Rules:
- In this order: how it ended, what failed and why, what stays changed, who decided what, how
  services stand now, which objectives were missed and by how much, how much is left to do.
- It is made of the report as the reader may see it, so that it tells nothing that was redacted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from drrun.core.model.ids import StepId
from drrun.report.after.course import Failure
from drrun.report.after.view import Report
from drrun.report.clean import clean_line, fit
from drrun.report.services import Objective, ServiceView
from drrun.report.step_view import AttemptStory
from drrun.report.times import clock, span, took

#: So many failures, and so many decisions, are told; the rest is counted.
_MOST = 3
_MOST_DECISIONS = 5
_MOST_CORRECTED = 5
_MOST_LEFT = 8
#: Columns of the question of a probe.
_QUESTION = 60
#: What a person chose and could have chosen otherwise; the words for it, where they are others.
_CHOSEN = {
    "confirmed": "", "rejected": "", "approved": "", "decided": "", "skipped": "",
    "marked": "", "amended": "amended the plan", "aborted": "aborted the run",
    "rollback": "rolled the run back",
}  # fmt: skip


def gist(report: Report) -> tuple[tuple[str, str], ...]:
    """What each part is about, "" for the first, and its sentences."""
    parts = {
        "": _ended,
        "What failed": _failed,
        "What failed before": _corrected,
        "What stays changed": _stays,
        "Who decided": _decided,
        "Services now": _services,
        "Objectives": _objectives,
        "What is open": _open,
    }
    told = ((about, clean_line(" ".join(part(report)))) for about, part in parts.items())
    return tuple((about, text) for about, text in told if text)


def gist_text(report: Report) -> str:
    """The same as one paragraph."""
    return " ".join(f"{about}: {text}" if about else text for about, text in gist(report))


def _ended(report: Report) -> Iterator[str]:
    run = report.run
    word = str(run.head.status).replace("-", " ").capitalize()
    counts = ", ".join(f"{count} {status}" for status, count in run.counts.items())
    length = took(run.took)
    over = run.head.ended_at is not None
    yield f"{word} after {length}." if over else f"{word}, {length} since the start."
    if run.why and not (over and report.course.failures):
        yield f"Why: {run.why}."
    yield f"Of {len(run.lines)} steps: {counts}."


def _failed(report: Report) -> Iterator[str]:
    """What failed and still stands."""
    return _by_step(report, report.course.failures, _MOST)


def _corrected(report: Report) -> Iterator[str]:
    """What failed and does not stand any more."""
    return _by_step(report, report.course.corrected, _MOST_CORRECTED)


def _by_step(report: Report, failures: Iterable[Failure], most: int) -> Iterator[str]:
    """Each step with its first reason; beyond so many, names only."""
    by_step: dict[StepId, list[Failure]] = {}
    for each in failures:
        by_step.setdefault(each.step, []).append(each)
    for step, found in list(by_step.items())[:most]:
        yield _failure(report, step, found)
    if others := list(by_step)[most:]:
        yield f"Failed too: {', '.join(others)}."


def _stays(report: Report) -> Iterator[str]:
    """What a rollback has left changed."""
    left = list(report.stays.items())
    for about, why in left[:_MOST_LEFT]:
        yield f"{about}{f': {why}' if why else ''}."
    if len(left) > _MOST_LEFT:
        yield f"{len(left) - _MOST_LEFT} more: see What is open."


def _open(report: Report) -> Iterator[str]:
    """How much is left to do; the section of this name has it all."""
    kinds = Counter(each.kind for each in report.ends)
    kinds["workaround"] = len(report.workarounds)
    kinds["change left by the rollback"] = len(report.stays)
    told = [f"{count} {_several(kind, count)}" for kind, count in kinds.items() if count]
    if told:
        yield f"{', '.join(told)}."


def _several(kind: str, count: int) -> str:
    first, *rest = kind.split(" ", 1)
    return " ".join((first if count == 1 else f"{first}s", *rest))


def _failure(report: Report, step: StepId, found: Sequence[Failure]) -> str:
    first = found[0]
    title = next((line.title for line in report.run.lines if line.id == step), "")
    name = f"{step} ({title})" if title else str(step)
    name = f"The undo of {name}" if first.undo else name
    on = f" on {first.target}" if first.target not in ("", "local") else ""
    more = f" and {len(found) - 1} more" if on and len(found) > 1 else ""
    attempt = _attempt(report, first)
    why = f": {_short(first.why, attempt)}" if first.why else ""
    return f"{name} failed at {clock(first.at)} UTC{on}{more}{why}."


def _short(why: str, attempt: AttemptStory | None) -> str:
    """A reason in which a long question of a probe does not hide what it saw."""
    for probe in attempt.probes.values() if attempt else ():
        why = why.replace(probe.question, fit(probe.question, _QUESTION))
    return why


def _attempt(report: Report, failure: Failure) -> AttemptStory | None:
    attempts = (
        attempt
        for view in report.steps
        if view.id == failure.step
        for target in view.targets
        if target.target == failure.target
        for attempt in reversed(target.attempts)
        if not attempt.undo
    )
    return next(attempts, None)


def _decided(report: Report) -> Iterator[str]:
    """Who decided what; plain confirmations are counted only."""
    answers = [each for each in report.chronology if each.by and each.word in _CHOSEN]
    told = [each for each in answers if each.text or each.word != "confirmed"][:_MOST_DECISIONS]
    for each in told:
        what = _CHOSEN[each.word] or f"{each.word} {each.about}"
        yield f"{each.by} {what}{f': {each.text}' if each.text else ''}."
    if others := len(answers) - len(told):
        yield f"{others} more answer{'s' if others > 1 else ''} of people: see Chronology."


def _services(report: Report) -> Iterator[str]:
    """Those that are not at their level; the others are counted."""
    raised = [each for each in report.services if each.rungs]
    below = [each for each in raised if each.level is not each.best]
    if below:
        yield f"{', '.join(_service(each) for each in below)}."
    if others := len(raised) - len(below):
        all_ = "all " if not below else ""
        yield f"At their level: {all_}{others}."


def _service(service: ServiceView) -> str:
    return f"{service.title or service.name} {service.level or 'down'} (of {service.best})"


def _objectives(report: Report) -> Iterator[str]:
    """Those that were missed, or may be; the others are counted."""
    for objective in (Objective.MISSED, Objective.NOT_REACHED, Objective.OPEN):
        named = [_named(each) for each in report.services if each.objective is objective]
        if named:
            yield f"{str(objective).capitalize()}: {', '.join(named)}."
    judged = [each.objective for each in report.services if each.objective is not Objective.NONE]
    if met := judged.count(Objective.MET):
        yield f"Met: {'all ' if met == len(judged) else ''}{met}."


def _named(service: ServiceView) -> str:
    """`Database by 1m36s so far (RTO 10s)`."""
    late = "" if service.overdue is None else f" by {span(service.overdue)}"
    so_far = " so far" if late and service.recovered is None else ""
    return f"{service.title or service.name}{late}{so_far} (RTO {service.rto})"

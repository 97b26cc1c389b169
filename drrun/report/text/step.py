"""One step for the terminal: `show RUN STEP`."""

from collections.abc import Iterator, Mapping

from drrun.core.model.ids import TargetName
from drrun.core.model.shell_values import readable
from drrun.report.clean import clean, clean_line, fit
from drrun.report.ink import Style, style_of
from drrun.report.step_view import AttemptStory, ProbeStory, StepView, TargetStory
from drrun.report.text.sheet import PLAIN, Sheet, join
from drrun.report.times import clock, moment, took
from drrun.report.words import Word

#: (target, attempt) -> stream -> lines of output to show.
Excerpts = Mapping[tuple[TargetName, int], Mapping[str, list[str]]]

#: Columns of a question on a terminal; a pipe and the JSON document have all of it.
_QUESTION = 240


def step_text(view: StepView, excerpts: Excerpts, sheet: Sheet = PLAIN) -> str:
    """Every attempt on every target.

    Args:
        view: The step.
        excerpts: Beginning and end of what each attempt printed, cleaned lines.
        sheet: What it is written on.
    """
    status = sheet.ink(str(view.status), style_of(view.status))
    lines = [f"{sheet.title(view.id)}  {status}  {clean_line(view.title)}".rstrip()]
    if view.description:
        lines += clean(view.description).rstrip().splitlines()
    lines += sheet.headed("action", view.action + (f", by {view.owner}" if view.owner else ""))
    if view.needs:
        lines += sheet.headed("needs", ", ".join(view.needs))
    for hindrance in view.hindrances:
        note = f": {hindrance.note}" if hindrance.note else ""
        lines += sheet.headed("held up by", f"{hindrance.step} is {hindrance.status}{note}")
    lines += _words(view.words, sheet)
    for target in view.targets:
        lines += ["", *_target(target, excerpts, sheet, many=len(view.targets) > 1)]
    return join(lines)


def _target(target: TargetStory, excerpts: Excerpts, sheet: Sheet, *, many: bool) -> Iterator[str]:
    if many or target.target != "local":
        host = f" on {target.host}" if target.host and target.host != target.target else ""
        yield sheet.title(f"{target.target}{host}")
    status = sheet.ink(str(target.status), style_of(target.status))
    since = f" since {moment(target.since)} UTC" if target.since else ""
    note = f": {target.note}" if target.note else ""
    yield f"{status}{since}{clean_line(note)}"
    if target.values:
        given = " ".join(f"{name}={value}" for name, value in target.values.items())
        yield from sheet.headed("values", given)
    for attempt in target.attempts:
        yield from _attempt(attempt, excerpts.get((target.target, attempt.number), {}), sheet)
    yield from _words(target.words, sheet)


def _attempt(
    attempt: AttemptStory, streams: Mapping[str, list[str]], sheet: Sheet
) -> Iterator[str]:
    length = f", {took(attempt.took)}" if attempt.took else ""
    ending = attempt.ending or "goes on"
    undo = " (undo)" if attempt.undo else ""
    began = clock(attempt.began_at)
    yield clean_line(f"attempt {attempt.number}{undo} at {began}{length}: {ending}")
    if attempt.command:
        for head, line in _headed_lines(attempt.action, clean(_spoken(attempt)).rstrip()):
            yield f"  {sheet.ink(head.ljust(8), Style.QUIET)} {line}"
        yield from _place(attempt, sheet)
    for probe in attempt.probes.values():
        yield from _probe(probe, sheet)
    for stream, lines in streams.items():
        for line in lines:
            yield f"  {sheet.ink(stream[3:].ljust(4), Style.QUIET)}| {line}"


def _spoken(attempt: AttemptStory) -> str:
    """The command, without the action's name, which is the head beside it."""
    return readable(attempt.command.removeprefix(f"{attempt.action} "))


def _headed_lines(head: str, text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines()):
        yield (head if number == 0 else ""), line


def _place(attempt: AttemptStory, sheet: Sheet) -> Iterator[str]:
    parts = [attempt.host]
    if attempt.route and attempt.route != attempt.host:
        parts.append(f"by route {attempt.route}")
    if attempt.user:
        parts.append(f"as {attempt.user}")
    if attempt.become:
        parts.append(f"become {attempt.become}")
    if attempt.host_key:
        parts.append(f"key {attempt.host_key}")
    yield f"  {sheet.ink('on', Style.QUIET)}       {clean_line(', '.join(parts))}"


def _probe(probe: ProbeStory, sheet: Sheet) -> Iterator[str]:
    styles = {"holds": Style.GOOD, "does not hold": Style.BAD}
    verdict = sheet.ink(probe.verdict, styles.get(probe.verdict, Style.DOUBT))
    times = f" ({probe.times} times asked)" if probe.times > 1 else ""
    head = sheet.ink(probe.purpose.replace("_", " ").ljust(8) + " ", Style.QUIET)
    yield f"  {head}{clean_line(probe.name)}: {verdict}{times}"
    asked = f"asked {probe.where}" + (f", expected {probe.expected}" if probe.expected else "")
    if probe.question and probe.question not in probe.name:
        asked += f": {probe.question}"
    shown = clean_line(asked)
    yield f"           {fit(shown, _QUESTION) if sheet.width else shown}"
    if probe.value:
        yield f"           saw {clean_line(probe.value)}"
    if probe.why:
        yield f"           {clean_line(probe.why)}"


def _words(words: tuple[Word, ...], sheet: Sheet) -> Iterator[str]:
    for word in words:
        by = "" if word.by == "controller" else f" {word.who}:"
        yield sheet.ink(clock(word.at), Style.QUIET) + clean_line(f"{by} {word.text}")

"""A dry-run for the terminal: the commands of a live run, target by target."""

from collections.abc import Iterator

from drrun.core.model.shell_values import readable
from drrun.report.clean import clean, clean_line
from drrun.report.dry_view import DryView, ShownAction
from drrun.report.ink import Style
from drrun.report.text.sheet import PLAIN, Sheet, join, plural

#: So many lines of a difference are shown.
_LINES = 200


def dry_text(view: DryView, sheet: Sheet = PLAIN) -> str:
    """Everything that a live run would do."""
    lines = [sheet.title("What a live run would do")]
    for shown in view.actions:
        lines += ["", *_action(shown, sheet)]
    lines += ["", f"{str(view.counts).capitalize()}. Nothing was changed on any host."]
    if view.not_yet:
        verb = "does" if view.not_yet == 1 else "do"
        lines.append(
            f"{plural(view.not_yet, 'guard')} {verb} not hold yet; steps that come before may "
            "change that."
        )
    if view.already:
        lines += sheet.headed("done already", ", ".join(view.already))
    for key, why in view.faults:
        lines += sheet.headed("fault", f"{key}: {why}")
    return join(lines)


def _action(shown: ShownAction, sheet: Sheet) -> Iterator[str]:
    step = shown.step if shown.target == "local" else f"{shown.step}@{shown.target}"
    as_whom = f" as {shown.become}" if shown.become else ""
    given = f", with {', '.join(shown.environment)}" if shown.environment else ""
    where = clean_line(f" on {shown.host}{as_whom}{given}")
    yield f"{sheet.ink(clean_line(step), Style.STRONG)}{where}"
    if shown.note:
        yield f"    {sheet.ink(clean_line(shown.note), Style.DOUBT)}"
    if shown.action not in ("run", "") and not shown.command.startswith(shown.action):
        yield f"    {shown.action}:"
    for line in clean(readable(shown.command).rstrip("\n")).splitlines():
        yield f"    {line}"
    for line in shown.printed[:_LINES]:
        yield f"    | {line}"
    if len(shown.printed) > _LINES:
        hidden = len(shown.printed) - _LINES
        yield f"    | … {hidden} more lines: drrun logs RUN {clean_line(step)}"
    for head, asked in shown.around.items():
        for each in asked:
            yield f"    {sheet.ink(f'{head}:', Style.QUIET)} {clean_line(each)}"

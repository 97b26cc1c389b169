"""A dry-run for the terminal: the commands of a live run, target by target."""

from collections.abc import Iterator

from drrun.core.model.shell_values import readable
from drrun.report.clean import clean, clean_line
from drrun.report.dry_view import DryView, ShownAction
from drrun.report.ink import Style
from drrun.report.text.sheet import PLAIN, Sheet, join, plural


def dry_text(view: DryView, sheet: Sheet = PLAIN) -> str:
    """Everything that a live run would do."""
    lines = [sheet.title("What a live run would do")]
    for shown in view.actions:
        lines += ["", *_action(shown, sheet)]
    lines += [
        "",
        (
            f"{plural(len(view.actions), 'action')} would be executed, "
            f"{plural(len(view.already), 'target')} done already, "
            f"{plural(len(view.faults), 'fault')}. Nothing was changed on any host."
        ),
    ]
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
        yield f"    {sheet.ink('tolerated:', Style.DOUBT)} {clean_line(shown.note)}"
    if shown.action not in ("run", "") and not shown.command.startswith(shown.action):
        yield f"    {shown.action}:"
    for line in clean(readable(shown.command).rstrip("\n")).splitlines():
        yield f"    {line}"

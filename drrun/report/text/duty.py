"""One person's own view of a run."""

from drrun.report.clean import clean_line
from drrun.report.duty_view import Mine
from drrun.report.ink import Style
from drrun.report.text.run import answers_to
from drrun.report.text.sheet import PLAIN, Sheet, join
from drrun.report.times import hour, span


def mine_text(mine: Mine, sheet: Sheet = PLAIN) -> str:
    """What waits for them, what is theirs, what comes next."""
    duty = "not on duty in this run"
    if mine.on_duty_since is not None:
        spent = span(max(0.0, mine.now - mine.on_duty_since))
        duty = f"on duty since {hour(mine.on_duty_since, mine.now)} UTC ({spent})"
    lines = [sheet.title(f"{mine.person}: {duty}")]
    if not mine.asks:
        lines.append("nothing waits for an answer of yours")
    for ask in mine.asks:
        since = span(max(0.0, mine.now - ask.since))
        lines.append(f"  {ask.key} ({ask.kind}, for {since}):")
        lines += [sheet.ink(f"    {clean_line(ask.text)}", Style.STRONG)]
        lines += [f"    {command}" for command in answers_to(ask, mine.run)]
    if mine.steps:
        lines += sheet.headed("yours", ", ".join(mine.steps))
    if mine.coming:
        lines += sheet.headed("next", ", ".join(mine.coming))
    return join(lines)

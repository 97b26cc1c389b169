"""What a run leaves to do, for terminals, spreadsheets and issue trackers."""

import csv
import io
from collections.abc import Sequence

from drrun.report.clean import clean_line
from drrun.report.open_items import LooseEnd
from drrun.report.table import Column, table
from drrun.report.text.sheet import Sheet, join

_COLUMNS = ("kind", "severity", "text", "owner", "due", "step")
_SHAPE = (
    Column("what"), Column("severity"), Column("owner"), Column("due"), Column("step"),
    Column("text", least=20),
)  # fmt: skip
#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@")


def ends_text(ends: Sequence[LooseEnd], sheet: Sheet) -> str:
    """A table."""
    if not ends:
        return "nothing is left to do\n"
    rows = [
        [each.kind, each.severity, clean_line(each.owner), clean_line(each.due), each.step,
         clean_line(each.text)]
        for each in ends
    ]  # fmt: skip
    return join(table(_SHAPE, rows, sheet.width, sheet.ink))


def ends_csv(ends: Sequence[LooseEnd]) -> str:
    """RFC 4180, with a head."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(_COLUMNS)
    for each in ends:
        writer.writerow(_harmless(str(getattr(each, name))) for name in _COLUMNS)
    return page.getvalue()


def _harmless(text: str) -> str:
    line = clean_line(text)
    return f"'{line}" if line.startswith(_FORMULA) else line


def ends_markdown(ends: Sequence[LooseEnd]) -> str:
    """A task list."""
    return "".join(f"- [ ] {_markdown(each)}\n" for each in ends)


def _markdown(each: LooseEnd) -> str:
    text = "".join(f"\\{c}" if c in "\\`*_[]<>#|" else c for c in clean_line(each.text))
    more = [f"severity {each.severity}" if each.severity else "", each.owner,
            f"until {each.due}" if each.due else "", f"step {each.step}" if each.step else ""]  # fmt: skip # noqa: E501
    told = ", ".join(clean_line(word) for word in more if word)
    return f"{text} ({told})" if told else text

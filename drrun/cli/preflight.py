"""`drrun preflight`: what a run will need, measured before it. Only reads."""

from pathlib import Path
from typing import Any

import click

from drrun.cases.preflight import keep
from drrun.cases.preflight import preflight as look
from drrun.cases.preflight_check import Check
from drrun.cli.context import (
    CommandContext,
    common_options,
    inventory_options,
    json_option,
    ssh_option,
)
from drrun.cli.exit import Exit
from drrun.cli.out import give, say
from drrun.cli.plan import load_selected, selection_options
from drrun.core.model.errors import StateUnusable
from drrun.report.clean import clean_line, columns
from drrun.report.jsondoc import document, dumps
from drrun.report.text.sheet import plural
from drrun.wiring import SshSettings, eyes


@click.command()
@selection_options
@inventory_options
@ssh_option
@json_option
@common_options
@click.pass_obj
def preflight(frame: CommandContext, /, runbook: Path, **options: Any) -> None:
    """Check everything that RUNBOOK will need, and change nothing.

    Hosts by every route, host keys, logins, sudo, tools, clocks, disks, ages of backups, secrets.
    Lists every shortfall, and then ends with exit code 4.
    """
    loaded = load_selected(frame, runbook, options)
    found = look(loaded.plan, eyes(SshSettings(frame.settings().ssh_config), loaded))
    short = [check for check in found if not check.good]
    try:
        with frame.state() as records:
            keep(records, loaded, found, frame.settings().by)
    except StateUnusable as error:
        # What was measured is worth telling all the same.
        say(f"not kept: {error}")
    frame.code = Exit.NOT_READY if short else Exit.DONE
    if options["as_json"]:
        give(dumps(_json(loaded.plan.runbook.name, found)))
        return
    give(_text(found))
    say(f"{runbook}: {plural(len(found), 'check')}, {plural(len(short), 'shortfall')}")


def _text(found: list[Check]) -> str:
    rows = [
        (
            "ok" if check.good else "FAIL",
            check.what,
            clean_line(check.where),
            clean_line(check.value),
            check.wanted,
        )
        for check in sorted(found, key=lambda check: check.good)
    ]
    widths = [max((columns(row[place]) for row in rows), default=0) for place in range(3)]
    lines = []
    for verdict, what, where, value, wanted in rows:
        left = "  ".join(
            text + " " * (width - columns(text))
            for text, width in zip((verdict, what, where), widths, strict=True)
        )
        lines.append(f"{left}  {value}{f' (wanted: {wanted})' if wanted else ''}")
    return "\n".join(lines) + "\n" if lines else ""


def _json(name: str, found: list[Check]) -> dict[str, Any]:
    return document(
        "preflight",
        runbook=name,
        ready=all(check.good for check in found),
        checks=[
            {"what": check.what, "where": check.where, "good": check.good, "value": check.value,
             "wanted": check.wanted or None}
            for check in found
        ],
    )  # fmt: skip

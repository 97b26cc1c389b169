"""`drrun schema`: JSON Schemas for editors."""

import click

from drrun.cli.context import common_options
from drrun.cli.out import give
from drrun.files.schema import inventory_schema, runbook_schema
from drrun.report.jsondoc import dumps


@click.command()
@click.argument("kind", type=click.Choice(["runbook", "inventory"]), default="runbook")
@common_options
def schema(kind: str) -> None:
    """Print the JSON Schema (draft 7) of runbooks, or of inventories."""
    give(dumps(runbook_schema() if kind == "runbook" else inventory_schema()))

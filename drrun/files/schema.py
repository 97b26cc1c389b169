"""JSON Schemas (draft 7) for editors, printed by the same shapes that read the files."""

from typing import Any

from drrun.files.inventory.inventory_yaml import inventory
from drrun.files.runbook.runbook_yaml import shape_of
from drrun.files.yaml.shape import Definitions, RecordShape

_DRAFT = "http://json-schema.org/draft-07/schema#"


def runbook_schema() -> dict[str, Any]:
    """Schema of a runbook."""
    return _schema(shape_of({}), "drrun runbook")


def inventory_schema() -> dict[str, Any]:
    """Schema of an inventory in drrun's own form."""
    return _schema(inventory, "drrun inventory")


def _schema(record: RecordShape[Any], title: str) -> dict[str, Any]:
    definitions = Definitions()
    top = record.schema(definitions)
    return {"$schema": _DRAFT, "title": title, **top, "definitions": definitions.schemas}

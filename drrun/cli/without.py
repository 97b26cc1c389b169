"""`drrun plan --without`: what cannot be done then."""

from typing import Any

from drrun.cases.what_if import WhatIf
from drrun.core.model.plan import Plan
from drrun.report.clean import clean
from drrun.report.jsondoc import document


def what_if_text(found: WhatIf) -> str:
    """For people."""
    lines = [f"without {', '.join(found.without)}"]
    lines += [f"note: {note}" for note in found.notes]
    if found.undone:
        width = max(len(step) for step in found.undone)
        lines += ["", f"{len(found.undone)} cannot be done"]
        lines += [f"  {step:{width}}  {why}" for step, why in found.undone.items()]
    else:
        lines += ["", "everything can be done"]
    if found.short:
        lines += ["", "services that stay below what they would reach"]
        lines += [f"  {name}: {level} instead of {best}"
                  for name, (level, best) in found.short.items()]  # fmt: skip
    lines += ["", f"the rest takes {found.length} instead of {found.usual}"]
    lines += [f"critical path  {' -> '.join(found.critical)}"] if found.critical else []
    return clean("\n".join(lines)) + "\n"


def what_if_json(plan: Plan, found: WhatIf) -> dict[str, Any]:
    """`what-if`."""
    return document(
        "what-if",
        runbook=plan.runbook.name,
        without=list(found.without),
        cannot_run=[{"step": step, "why": why} for step, why in found.undone.items()],
        services=[
            {"service": name, "level": str(level), "instead_of": str(best)}
            for name, (level, best) in found.short.items()
        ],
        length=float(found.length),
        usual_length=float(found.usual),
        critical_path=list(found.critical),
        notes=list(found.notes),
    )

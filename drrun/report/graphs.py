"""The plan as a graph: Mermaid for pages, DOT for Graphviz.

Rules:
- Text from the runbook is quoted so that it cannot end a label or begin markup.
- A need with alternatives is drawn with dashed edges.
"""

from collections.abc import Iterator

from drrun.core.model.ids import StepId
from drrun.report.clean import clean_line
from drrun.report.plan_view import PlanLine, PlanView
from drrun.report.times import rough


def mermaid(view: PlanView) -> str:
    """A Mermaid flowchart."""
    names = {line.id: f"s{number}" for number, line in enumerate(view.lines)}
    lines = ["flowchart LR"]
    for line in view.lines:
        left, right = ("{{", "}}") if line.person else ("[", "]")
        label = "<br/>".join(_for_mermaid(part) for part in _label(line))
        lines.append(f'  {names[line.id]}{left}"{label}"{right}')
    for source, target, dashed in _edges(view):
        lines.append(f"  {names[source]} {'-.->' if dashed else '-->'} {names[target]}")
    lines += [
        "  classDef critical stroke-width:3px",
        "  classDef irreversible stroke:#c00,stroke-width:3px",
        "  classDef leftout stroke-dasharray:4,color:#888",
    ]
    for line in view.lines:
        kind = _class(line)
        if kind:
            lines.append(f"  class {names[line.id]} {kind}")
    return "\n".join(lines) + "\n"


def dot(view: PlanView) -> str:
    """A directed graph for Graphviz."""
    lines = [
        f"digraph {_for_dot(view.name)} {{",
        "  rankdir=LR;",
        '  node [shape=box, fontname="sans-serif"];',
    ]
    for line in view.lines:
        label = "\\n".join(_for_dot(part)[1:-1] for part in _label(line))
        style = {
            "critical": ", penwidth=3",
            "irreversible": ', penwidth=3, color="#cc0000"',
            "leftout": ', style=dashed, fontcolor="#888888"',
        }.get(_class(line), "")
        shape = ", shape=hexagon" if line.person else ""
        lines.append(f'  {_for_dot(line.id)} [label="{label}"{shape}{style}];')
    for source, target, dashed in _edges(view):
        style = " [style=dashed]" if dashed else ""
        lines.append(f"  {_for_dot(source)} -> {_for_dot(target)}{style};")
    return "\n".join([*lines, "}"]) + "\n"


def _label(line: PlanLine) -> Iterator[str]:
    yield line.id
    if line.title:
        yield clean_line(line.title)
    if line.left_out:
        yield clean_line(line.left_out)
    elif line.length is not None:
        yield rough(line.length)


def _class(line: PlanLine) -> str:
    if line.left_out:
        return "leftout"
    if line.irreversible:
        return "irreversible"
    return "critical" if line.critical else ""


def _edges(view: PlanView) -> Iterator[tuple[StepId, StepId, bool]]:
    for line in view.lines:
        for alternatives in line.needed:
            for needed in alternatives:
                yield needed, line.id, len(alternatives) > 1


def _for_mermaid(text: str) -> str:
    """Mermaid's own escapes: `#35;` for a number sign, `#quot;` for a quote."""
    for character, name in (("#", "35"), ("&", "amp"), ('"', "quot"), ("<", "lt"), (">", "gt")):
        text = text.replace(character, f"#{name};" if character != "#" else "\0")
    return text.replace("\0", "#35;").replace("`", "#96;")


def _for_dot(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

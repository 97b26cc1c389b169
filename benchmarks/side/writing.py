"""Results as Markdown, JSON and a picture of cost against size.

Rules:
- Figures are medians of rounds; nothing is left out that was measured, the JSON has every round.
"""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path

from benchmarks.side.counts import Count
from benchmarks.side.measure import Measured
from benchmarks.side.rows import Result

_COLOURS = {
    "drrun": "#d62728", "resident shell": "#7f7f7f", "ssh2-python": "#1f77b4",
    "paramiko": "#2ca02c", "asyncssh": "#17becf", "Fabric": "#9467bd", "pyinfra": "#ff7f0e",
    "ansible raw": "#8c564b", "ssh": "#bcbd22",
}  # fmt: skip
#: Who is never named as the fastest peer: it runs nothing side by side and remembers nothing.
_FLOOR = "resident shell"


@dataclass
class Report:
    """All that one run of the benchmark found."""

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    counts: Sequence[Count] = ()
    results: list[Result] = field(default_factory=list)
    looks: dict[str, list[Measured]] = field(default_factory=dict)
    #: What could not be done, and why.
    missing: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The tables."""
        lines = ["# Side by side", ""]
        lines += [f"- {name}: {value}" for name, value in self.machine.items()]
        lines += ["- versions: " + ", ".join(f"{n} {v}" for n, v in self.versions.items()), ""]
        lines += _count_table(self.counts) if self.counts else []
        lines += _comparison(self.results) if self.results else []
        lines += _all_figures(self.results) if self.results else []
        lines += _look_table(self.looks) if self.looks else []
        lines += _notes(self.missing, self.results)
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """Every round."""
        document = {
            "machine": self.machine,
            "versions": self.versions,
            "counts": [{**asdict(each), "kept": each.kept} for each in self.counts],
            "rows": [_row_document(each) for each in self.results],
            "looks": {
                name: [{"seconds": m.seconds, "memory": m.memory} for m in measured]
                for name, measured in self.looks.items()
            },
            "missing": self.missing,
        }
        return json.dumps(document, indent=1) + "\n"

    def write(self, folder: Path) -> None:
        """All files."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "side-by-side.md").write_text(self.markdown(), "utf-8")
        (folder / "side-by-side.json").write_text(self.json(), "utf-8")
        if drawn := [each for each in self.results if each.row.drawn]:
            (folder / "side-by-side.svg").write_text(picture(drawn), "utf-8")


def _row_document(result: Result) -> dict[str, object]:
    return {
        "name": result.row.name,
        "figures": [
            {"title": f.title, "unit": f.unit, "values": result.values(f)}
            for f in result.row.figures
        ],
        "rounds": {
            name: [{size: asdict(taken) for size, taken in each.items()} for each in rounds]
            for name, rounds in result.rounds.items()
        },
        "failures": result.failures,
    }


# -- Markdown ------------------------------------------------------------------------------------


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _count_table(counts: Sequence[Count]) -> list[str]:
    lines = ["## What a step of a chain costs, counted", ""]
    lines += ["| | with a verify | counted | budget | |", "|---|---|---|---|---|"]
    for each in counts:
        verdict = "kept" if each.kept else "**exceeded**"
        verify = "yes" if each.verify else "no"
        lines.append(
            f"| {each.what} | {verify} | {each.value:.2f} | {each.budget:g} | {verdict} |"
        )
    return [*lines, ""]


def _comparison(results: Sequence[Result]) -> list[str]:
    lines = ["## drrun and the fastest peer", ""]
    lines += ["| | unit | drrun | fastest peer | ratio |", "|---|---|---|---|---|"]
    for result in results:
        for figure in result.row.figures:
            medians = {n: statistics.median(v) for n, v in result.values(figure).items()}
            own = medians.pop("drrun", None)
            medians.pop(_FLOOR, None)
            said = "-" if own is None else _number(own)
            peer, ratio = "-", "-"
            if medians:
                name = min(medians, key=lambda each: medians[each])
                peer = f"{_number(medians[name])} ({name})"
                ratio = "-" if own is None else _number(own / medians[name])
            lines.append(f"| {figure.title} | {figure.unit} | {said} | {peer} | {ratio} |")
    return [*lines, ""]


def _all_figures(results: Sequence[Result]) -> list[str]:
    seen = {name for each in results for name in each.row.who}
    names = [name for name in _COLOURS if name in seen]
    most = max((len(r) for each in results for r in each.rounds.values()), default=0)
    lines = [f"## All figures, medians of {most} rounds", ""]
    lines += [f"| | unit | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for result in results:
        for figure in result.row.figures:
            values = result.values(figure)
            cells = [
                _number(statistics.median(values[name])) if name in values
                else "failed" if name in result.failures else ""
                for name in names
            ]  # fmt: skip
            lines.append(f"| {figure.title} | {figure.unit} | {' | '.join(cells)} |")
    return [*lines, ""]


def _look_table(looks: Mapping[str, Sequence[Measured]]) -> list[str]:
    lines = ["## Reading", "", "| | s | MB at most |", "|---|---|---|"]
    for name, measured in looks.items():
        seconds = statistics.median(each.seconds for each in measured)
        memory = max(each.memory for each in measured)
        lines.append(f"| {name} | {_number(seconds)} | {memory:.0f} |")
    return [*lines, ""]


def _notes(missing: Sequence[str], results: Sequence[Result]) -> list[str]:
    failed = [
        f"{result.row.name}, {name} at {size}: {failure}"
        for result in results
        for name, (size, failure) in result.failures.items()
    ]
    lines = [f"- {' '.join(each.split())}" for each in (*missing, *failed)]
    return ["## What failed or is missing", "", *lines, ""] if lines else []


# -- picture -------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 420, 340, 56, 34, 100, 44


def picture(results: Sequence[Result]) -> str:
    """Seconds of the whole process against size, both logarithmic, one panel a row."""
    panels = "".join(
        f'<g transform="translate({n * _WIDTH},0)">{_panel(each)}</g>\n'
        for n, each in enumerate(results)
    )
    size = f'width="{_WIDTH * len(results)}" height="{_HEIGHT}"'
    style = 'font-family="sans-serif" font-size="11"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{panels}</svg>\n'
    )


@dataclass(frozen=True)
class _Axis:
    """From values to places, logarithmic."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)


def _panel(result: Result) -> str:
    curves = {n: c for n in result.row.who if len(c := result.curve(n)) > 1}
    seconds = [s for curve in curves.values() for _, s in curve]
    sizes = result.row.sizes
    if not seconds:
        return ""
    across = _Axis(min(sizes), max(sizes), _LEFT, _WIDTH - _RIGHT)
    up = _Axis(
        10 ** math.floor(math.log10(min(seconds))),
        10 ** math.ceil(math.log10(max(seconds) * 1.01)),
        _HEIGHT - _BOTTOM,
        _TOP,
    )
    return "".join(
        [
            _text(_LEFT, 18, f"seconds against {result.row.drawn}", "bold"),
            *(_line(across(s), _TOP, across(s), _HEIGHT - _BOTTOM) for s in sizes),
            *(_text(across(s) - 8, _HEIGHT - _BOTTOM + 16, str(s)) for s in sizes),
            *_decades(up),
            *(_curve(name, curve, across, up) for name, curve in curves.items()),
            *_legend(curves, up),
        ]
    )


def _decades(up: _Axis) -> list[str]:
    exponents = range(round(math.log10(up.low)), round(math.log10(up.high)) + 1)
    made = []
    for value in (10.0**each for each in exponents):
        made += [
            _line(_LEFT, up(value), _WIDTH - _RIGHT, up(value)),
            _text(_LEFT - 36, up(value) + 4, f"{value:g}"),
        ]
    return made


def _curve(name: str, curve: Sequence[tuple[int, float]], across: _Axis, up: _Axis) -> str:
    points = " ".join(f"{across(size):.1f},{up(seconds):.1f}" for size, seconds in curve)
    width = 3 if name == "drrun" else 1.5
    return (
        f'<polyline fill="none" stroke="{_COLOURS[name]}" stroke-width="{width}" '
        f'points="{points}"/>\n'
    )


def _legend(curves: Mapping[str, Sequence[tuple[int, float]]], up: _Axis) -> list[str]:
    """Names at the ends of their curves, none over another."""
    made, lowest = [], -math.inf
    for name in sorted(curves, key=lambda each: -curves[each][-1][1]):
        lowest = max(up(curves[name][-1][1]) + 4, lowest + 12)
        made.append(_text(_WIDTH - _RIGHT + 6, lowest, name, colour=_COLOURS[name]))
    return made


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>\n'


def _text(x: float, y: float, text: str, weight: str = "normal", colour: str = "#222") -> str:
    words = f'font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {words}>{escape(text)}</text>\n'

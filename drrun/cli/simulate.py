"""`drrun simulate`: a run that only happens in time. Nothing is contacted, nothing is kept."""

import re
from pathlib import Path
from typing import Any

import click

from drrun.cli.frame import Frame, common_options, inventory_options, json_option
from drrun.cli.out import give
from drrun.cli.plan import load_selected, selection_options
from drrun.core.errors import InputError
from drrun.core.plan import Plan
from drrun.core.simulation import Injects
from drrun.core.values import Duration
from drrun.engine.cases.simulate import Slower, Spread, Summary, Trial, summary, trial, trials
from drrun.files.nearest import did_you_mean
from drrun.report.clean import clean
from drrun.report.jsondoc import document, dumps

_FACTOR = re.compile(r"([0-9]+(?:\.[0-9]+)?)x")


@click.command()
@selection_options
@inventory_options
@click.option("--trials", "number", type=click.IntRange(1, 1_000_000), help="So many, at random.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the first trial.")
@click.option("--fail", multiple=True, metavar="STEP[=TIMES]", help="It fails, or so many times.")
@click.option("--slow", multiple=True, metavar="STEP=3x", help="It takes longer by that factor.")
@click.option("--lose", multiple=True, metavar="THING@WHEN", help="site:phl@2h is lost then.")
@click.option("--silent", multiple=True, metavar="STEP", help="Nobody answers it.")
@json_option
@common_options
@click.pass_obj
def simulate(frame: Frame, /, runbook: Path, **options: Any) -> None:
    """What a run of RUNBOOK would be like: the same rules under a clock that jumps.

    One trial takes every estimate as it is and prints the timeline. With --trials durations are
    random, and percentiles, chances and what they depend on are printed.
    """
    plan = load_selected(frame, runbook, options).plan
    injects, slower = _injects(plan, options), _slower(plan, options["slow"])
    if options["number"] is None:
        one = trial(plan, None, injects, slower)
        give(dumps(_trial_json(plan, one)) if options["as_json"] else _trial_text(plan, one))
        return
    found = summary(plan, trials(plan, options["number"], options["seed"], injects, slower))
    give(dumps(_summary_json(plan, found)) if options["as_json"] else _summary_text(plan, found))


def _injects(plan: Plan, options: dict[str, Any]) -> Injects:
    fails = {}
    for given in options["fail"]:
        step, _, times = given.partition("=")
        _known(plan, step, "--fail")
        if times and not times.isdigit():
            raise InputError(f"--fail {given}: write STEP or STEP=2")
        fails[step] = int(times or 0)
    for step in options["silent"]:
        _known(plan, step, "--silent")
    return Injects(fails, tuple(_loss(plan, each) for each in options["lose"]),
                   frozenset(options["silent"]))  # fmt: skip


def _loss(plan: Plan, given: str) -> tuple[float, str]:
    thing, _, when = given.partition("@")
    kind, _, name = thing.partition(":")
    inventory = plan.inventory
    known: dict[str, Any] = {"site": inventory.sites, "host": inventory.hosts}
    if kind in known and name not in known[kind]:
        raise InputError(f"--lose {given}: no {kind} '{name}'{did_you_mean(name, known[kind])}")
    if kind not in ("site", "host", "provider", "person"):
        raise InputError(f"--lose {given}: write site:, host:, provider: or person: and a name")
    try:
        return float(Duration.parse(when or "0s")), thing
    except ValueError as error:
        raise InputError(f"--lose {given}: {error}") from None


def _slower(plan: Plan, given: tuple[str, ...]) -> Slower:
    factors = {}
    for each in given:
        step, _, factor = each.partition("=")
        _known(plan, step, "--slow")
        match = _FACTOR.fullmatch(factor)
        if match is None:
            raise InputError(f"--slow {each}: write STEP=3x")
        factors[step] = float(match[1])
    return Slower(factors)


def _known(plan: Plan, step: str, option: str) -> None:
    if step not in plan.steps:
        raise InputError(f"{option}: there is no step '{step}'{did_you_mean(step, plan.steps)}")


def _when(seconds: float) -> str:
    """`31:13`: hours and minutes since the start."""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def _trial_text(plan: Plan, one: Trial) -> str:
    lines = [
        f"{plan.runbook.title or plan.runbook.name}: a simulation, nothing was contacted",
        f"{one.status} after {_when(one.length)} (hours:minutes)", "",
        f"{'begins':>8} {'ends':>8}  step",
    ]  # fmt: skip
    critical = set(one.critical)
    for step, (began, ended) in sorted(one.times.items(), key=lambda each: each[1]):
        mark = "*" if step in critical else " "
        how = f"  {one.others[step]}" if step in one.others else ""
        lines.append(f"{_when(began):>8} {_when(ended):>8} {mark}{step}{how}")
    never = [f"{step} ({how})" for step, how in one.others.items() if step not in one.times]
    if never:
        lines += ["", f"never: {', '.join(never)}"]
    lines += ["", "service  back after", *_services_text(plan, one)]
    lines += ["", f"critical path  {' -> '.join(one.critical)}"]
    return clean("\n".join(lines)) + "\n"


def _services_text(plan: Plan, one: Trial) -> list[str]:
    found = []
    for name, recovered in one.recovered.items():
        service = plan.runbook.services.get(name)
        rto = (service.objectives.rto if service else None) or plan.runbook.objectives.rto
        met = "" if rto is None or recovered is None else (
            f" (RTO {rto}: {'met' if recovered <= rto else 'missed'})"
        )  # fmt: skip
        found.append(f"{name}  {'never' if recovered is None else _when(recovered)}{met}")
    return found


def _summary_text(plan: Plan, found: Summary) -> str:
    def spread(given: Spread | None) -> str:
        if given is None:
            return f"{'never':>9} {'':>9} {'':>9}"
        return " ".join(f"{_when(each):>9}" for each in (given.p50, given.p90, given.p99))

    width = max([len(name) for name in found.services] + [7])
    title = plan.runbook.title or plan.runbook.name
    lines = [
        f"{title}: {found.number} simulated trials, nothing was contacted",
        f"{found.succeeded} of {found.number} succeeded", "",
        f"{'hours':{width}} {'p50':>9} {'p90':>9} {'p99':>9}  recovered  within RTO",
        f"{'all':{width}} {spread(found.length)}",
    ]  # fmt: skip
    for name, (times, often, met) in found.services.items():
        share = "" if met is None else f"{met:10.0%}"
        recovered = f"{often / found.number:9.0%}"
        lines.append(f"{name:{width}} {spread(times)}  {recovered}  {share}")
    lines += ["", "on the critical path in so many trials"]
    lines += [f"  {share:4.0%}  {step}" for step, share in found.criticality.items()]
    lines += ["", "what the length depends on (rank correlation)"]
    lines += [f"  {value:4.2f}  {step}" for step, value in found.sensitivity.items()]
    return clean("\n".join(lines)) + "\n"


def _trial_json(plan: Plan, one: Trial) -> dict[str, Any]:
    return document(
        "simulation",
        runbook=plan.runbook.name,
        status=one.status,
        length=one.length,
        services=one.recovered,
        steps=[
            {"id": step, "begins": began, "ends": ended, "status": one.others.get(step, "passed")}
            for step, (began, ended) in one.times.items()
        ],
        never=[step for step in one.others if step not in one.times],
        critical_path=list(one.critical),
    )


def _summary_json(plan: Plan, found: Summary) -> dict[str, Any]:
    def spread(given: Spread | None) -> dict[str, float] | None:
        return None if given is None else {"p50": given.p50, "p90": given.p90, "p99": given.p99}

    return document(
        "simulations",
        runbook=plan.runbook.name,
        trials=found.number,
        succeeded=found.succeeded,
        length=spread(found.length),
        services={
            name: {"recovered": spread(times), "share_recovered": often / found.number,
                   "share_within_rto": met}
            for name, (times, often, met) in found.services.items()
        },
        criticality=found.criticality,
        sensitivity=found.sensitivity,
    )  # fmt: skip

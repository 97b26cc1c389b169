"""Simulations as text."""

from drrun.core.model.plan import Plan
from drrun.report.clean import clean
from drrun.report.tabletop.trials import Recovery, Spread, Summary, Trial


def when(seconds: float) -> str:
    """`31:13`: hours and minutes since the start."""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def trial_text(plan: Plan, one: Trial) -> str:
    """The timeline of one trial."""
    lines = [
        f"{plan.runbook.title or plan.runbook.name}: a simulation, nothing was contacted",
        f"{one.status} after {when(one.length)} (hours:minutes)", "",
        f"{'begins':>8} {'ends':>8}  step",
    ]  # fmt: skip
    critical = set(one.critical)
    for step, (began, ended) in sorted(one.times.items(), key=lambda each: each[1]):
        mark = "*" if step in critical else " "
        how = f"  {one.others[step]}" if step in one.others else ""
        lines.append(f"{when(began):>8} {when(ended):>8} {mark}{step}{how}")
    never = [f"{step} ({how})" for step, how in one.others.items() if step not in one.times]
    if never:
        lines += ["", f"never: {', '.join(never)}"]
    lines += ["", "service  back after", *services_text(plan, one)]
    lines += ["", f"critical path  {' -> '.join(one.critical)}"]
    return clean("\n".join(lines)) + "\n"


def services_text(plan: Plan, one: Trial) -> list[str]:
    """When each service was back, and whether that is in time."""
    found = []
    for name, recovered in one.recovered.items():
        service = plan.runbook.services.get(name)
        rto = (service.objectives.rto if service else None) or plan.runbook.objectives.rto
        met = "" if rto is None or recovered is None else (
            f" (RTO {rto}: {'met' if recovered <= rto else 'missed'})"
        )  # fmt: skip
        found.append(f"{name}  {'never' if recovered is None else when(recovered)}{met}")
    return found


def summary_text(plan: Plan, found: Summary) -> str:
    """What many trials say."""
    width = max([len(name) for name in found.services] + [7])
    title = plan.runbook.title or plan.runbook.name
    lines = [
        f"{title}: {found.number} simulated trials, nothing was contacted",
        f"{found.succeeded} of {found.number} succeeded", "",
        f"{'hours':{width}} {'p50':>9} {'p90':>9} {'p99':>9}  recovered  within RTO",
        f"{'all':{width}} {_spread(found.length)}",
    ]  # fmt: skip
    lines += [_service(name, each, width, found.number) for name, each in found.services.items()]
    lines += ["", "on the critical path in so many trials"]
    lines += [f"  {share:4.0%}  {step}" for step, share in found.criticality.items()]
    lines += ["", "what the length depends on (rank correlation)"]
    lines += [f"  {value:4.2f}  {step}" for step, value in found.sensitivity.items()]
    return clean("\n".join(lines)) + "\n"


def _service(name: str, each: Recovery, width: int, number: int) -> str:
    share = "" if each.met is None else f"{each.met:10.0%}"
    return f"{name:{width}} {_spread(each.spread)}  {len(each.times) / number:9.0%}  {share}"


def _spread(given: Spread | None) -> str:
    if given is None:
        return f"{'never':>9} {'':>9} {'':>9}"
    return " ".join(f"{when(each):>9}" for each in (given.p50, given.p90, given.p99))

"""Simulations as text."""

from collections.abc import Callable

from drrun.core.model.plan import Plan
from drrun.report.clean import clean
from drrun.report.tabletop.trials import Recovery, Spread, Summary, Trial
from drrun.report.times import span

#: Seconds from which on hours and minutes tell enough.
_LONG = 3600.0


def when(seconds: float) -> str:
    """`31:13`: hours and minutes since the start."""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def scale(longest: float) -> Callable[[float], str]:
    """How moments are told where the last one is so many seconds after the start."""
    return when if longest >= _LONG else span


def unit(longest: float) -> str:
    """What is said once about moments of that scale."""
    return " (hours:minutes)" if longest >= _LONG else ""


def title_of(plan: Plan, service: str) -> str:
    """What people call a service."""
    found = plan.runbook.services.get(service)
    return (found.title if found else "") or service


def trial_text(plan: Plan, one: Trial) -> str:
    """The timeline of one trial."""
    tell = scale(one.length)
    lines = [
        f"{plan.runbook.title or plan.runbook.name}: a simulation, nothing was contacted",
        f"{one.status} after {tell(one.length)}{unit(one.length)}", "",
        f"{'begins':>8} {'ends':>8}  step",
    ]  # fmt: skip
    critical = set(one.critical)
    for step, (began, ended) in sorted(one.times.items(), key=lambda each: each[1]):
        mark = "*" if step in critical else " "
        how = f"  {one.others[step]}" if step in one.others else ""
        lines.append(f"{tell(began):>8} {tell(ended):>8} {mark}{step}{how}")
    never = [f"{step} ({how})" for step, how in one.others.items() if step not in one.times]
    if never:
        lines += ["", f"never: {', '.join(never)}"]
    lines += ["", "service  back after", *services_text(plan, one)]
    lines += ["", f"critical path  {' -> '.join(one.critical)}"]
    return clean("\n".join(lines)) + "\n"


def services_text(plan: Plan, one: Trial) -> list[str]:
    """When each service was back, and whether that is in time."""
    found, tell = [], scale(one.length)
    for name, recovered in one.recovered.items():
        service = plan.runbook.services.get(name)
        rto = (service.objectives.rto if service else None) or plan.runbook.objectives.rto
        met = "" if rto is None or recovered is None else (
            f" (RTO {rto}: {'met' if recovered <= rto else 'missed'})"
        )  # fmt: skip
        back = "never" if recovered is None else tell(recovered)
        found.append(f"{title_of(plan, name)}  {back}{met}")
    return found


def summary_text(plan: Plan, found: Summary) -> str:
    """What many trials say."""
    titles = {name: title_of(plan, name) for name in found.services}
    width = max([len(title) for title in titles.values()] + [7])
    longest, head = found.lengths[-1], "hours" if unit(found.lengths[-1]) else "after"
    title = plan.runbook.title or plan.runbook.name
    lines = [
        f"{title}: {found.number} simulated trials, nothing was contacted",
        f"{found.succeeded} of {found.number} succeeded", "",
        f"{head:{width}} {'p50':>9} {'p90':>9} {'p99':>9}  recovered  within RTO",
        f"{'all':{width}} {_spread(found.length, longest)}",
    ]  # fmt: skip
    lines += [
        _service(f"{titles[name]:{width}}", each, found.number, longest)
        for name, each in found.services.items()
    ]
    lines += ["", "on the critical path in so many trials"]
    lines += [f"  {share:4.0%}  {step}" for step, share in found.criticality.items()]
    lines += ["", "what the length depends on (rank correlation)"]
    lines += [f"  {value:4.2f}  {step}" for step, value in found.sensitivity.items()]
    return clean("\n".join(lines)) + "\n"


def _service(name: str, each: Recovery, number: int, longest: float) -> str:
    share = "" if each.met is None else f"{each.met:10.0%}"
    return f"{name} {_spread(each.spread, longest)}  {len(each.times) / number:9.0%}  {share}"


def _spread(given: Spread | None, longest: float) -> str:
    if given is None:
        return f"{'never':>9} {'':>9} {'':>9}"
    return " ".join(f"{scale(longest)(each):>9}" for each in (given.p50, given.p90, given.p99))

"""How the clocks around a run differ, in sentences: what to set right, what to take with care."""

from collections.abc import Iterator

from drrun.core.dataclass import dataclass
from drrun.core.state.clocks import MAY_DIFFER, Clocks, Offset, TakenOver
from drrun.report.times import clock, span

#: The way out for a clock that goes wrong.
_SET_IT = "set it by NTP, for example with: chronyc makestep"
_OURS = "the clock of the controller's machine"


@dataclass(frozen=True, slots=True)
class ClockLine:
    """How far a host's clock was from that of the controller's machine, when it was reached."""

    host: str
    ahead: float
    error: float

    @property
    def wrong(self) -> bool:
        """Whether it differs more than may be, beyond all uncertainty."""
        return abs(self.ahead) > MAY_DIFFER + self.error

    def __str__(self) -> str:
        """`db1.ams: 7m ahead (± 0.1s)`."""
        if abs(self.ahead) <= self.error:
            return f"{self.host}: right (± {span(self.error)})"
        return f"{self.host}: {_ahead(self.ahead)} (± {span(self.error)})"


def clock_lines(time: Clocks) -> tuple[ClockLine, ...]:
    """All hosts' clocks that were looked at, the controller's own aside."""
    found = ((host, seen) for host, seen in sorted(time.hosts.items()) if host)
    return tuple(ClockLine(host, seen.ahead - time.wall, seen.error) for host, seen in found)


def clock_warnings(time: Clocks) -> Iterator[str]:
    """What people have to know of clocks, with the way out."""
    yield from _of_hosts(time)
    if abs(time.wall) > MAY_DIFFER:
        yield (
            f"clocks: times of this run are {_against(-time.wall, _OURS)}: since it "
            "began that was set, or another machine took over; durations heed neither"
        )
    for each in time.unsure:
        yield from _of_take_over(each)


def _of_hosts(time: Clocks) -> Iterator[str]:
    lines = clock_lines(time)
    wrong = [line for line in lines if line.wrong]
    if len(wrong) > 1 and len(wrong) == len(lines) and _agree(time):
        hosts = f"all {len(wrong)} hosts"
        yield f"clocks: {_OURS} is {_against(-wrong[0].ahead, hosts)}: {_SET_IT}"
        return
    for line in wrong:
        how = f"{_against(line.ahead, _OURS)} (± {span(line.error)})"
        yield f"clocks: that of {line.host} is {how}: {_SET_IT}"


def _of_take_over(each: TakenOver) -> Iterator[str]:
    who = f"clocks: at {clock(each.at)} {each.holder} took over"
    if each.jump is None:
        behind = f", at least {span(each.behind)} behind" if each.behind > MAY_DIFFER else ""
        yield (
            f"{who} on another machine{behind}, and no host has compared the two clocks: "
            "durations across that moment are marked ~"
        )
    elif abs(each.jump) > MAY_DIFFER + each.error:
        jump = f"{'' if each.jump > 0 else '-'}{span(abs(each.jump))}"
        yield (
            f"{who}, and time jumped by {jump} (± {span(each.error)}, by a host that both "
            "reached): durations across that moment are corrected, and marked ~"
        )


def _agree(time: Clocks) -> bool:
    """Whether all hosts' clocks say the same, as far as can be told."""
    seen: list[Offset] = [each for host, each in time.hosts.items() if host]
    least, most = max(o.ahead - o.error for o in seen), min(o.ahead + o.error for o in seen)
    return least <= most + MAY_DIFFER


def _against(seconds: float, whom: str) -> str:
    return f"{_ahead(seconds)}{' of' if seconds > 0 else ''} {whom}"


def _ahead(seconds: float) -> str:
    return f"{span(abs(seconds))} {'ahead' if seconds > 0 else 'behind'}"

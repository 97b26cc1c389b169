"""Clocks of several controllers and hosts, and the true time, which the test alone knows."""

from hypothesis import given
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.state.clocks import Clocks, Origin
from drrun.report.offsets import clock_lines, clock_warnings

HOUR = 3600.0
OFF = st.floats(-HOUR, HOUR)
SPANS = st.floats(0.01, 2 * HOUR)


def took(epoch: int, ahead: float, origin: Origin, *, exact: bool) -> ev.ControllerTook:
    return ev.ControllerTook(
        epoch=epoch, holder=f"c{epoch}@m", host="m", pid=1, tool="0", ahead=ahead, exact=exact,
        boot=origin.boot, booted=origin.at - ahead,
    )  # fmt: skip


class Truth:
    """True time, and a run whose controllers tell it by their own clocks."""

    def __init__(self) -> None:
        self.now = 1_704_963_600.0
        self.clocks = Clocks()
        self.epoch = 0
        self.ahead = 0.0
        self.off = 0.0

    def at(self) -> float:
        """The moment by the run's clock, as the ledger writes it."""
        return max(self.clocks.at, self.now + self.off - self.ahead)

    def record(self, event: ev.ControllerTook | ev.WallClockSet | ev.HostReached) -> float:
        at = self.at()
        self.clocks.apply(event, at)
        self.clocks.at = at
        return at

    def take(self, off: float, boot: str) -> None:
        """Somebody takes the run, whose clock goes `off` seconds ahead of the truth."""
        own, origin = self.now + off, Origin(boot, off)
        join = self.clocks.join(origin, own)
        self.off, self.ahead, self.epoch = off, join.ahead, self.epoch + 1
        self.record(took(self.epoch, join.ahead, origin, exact=join.exact))

    def reach(self, host_off: float, within: float, share: float) -> None:
        """The host says its time at some moment between question and answer."""
        said = self.now - within * share + host_off
        ahead = said - (self.now + self.off - self.ahead) + within / 2
        self.record(ev.HostReached(host="h", boot="b", ahead=ahead, error=within / 2))


@given(st.lists(st.tuples(OFF, SPANS), min_size=1, max_size=5))
def test_on_one_boot_a_clock_that_is_set_changes_no_duration(
    takes: list[tuple[float, float]],
) -> None:
    truth = Truth()
    truth.take(0.0, "boot")
    began, since = truth.now, truth.at()
    for off, span in takes:
        truth.now += span
        # The machine's clock was set: its count since the boot, as its clock has it, was too.
        truth.take(off, "boot")
    found = truth.clocks.span(since, truth.at())
    assert found.exact
    assert abs(found.seconds - (truth.now - began)) < 1e-4


@given(OFF, OFF, OFF, st.lists(SPANS, min_size=4, max_size=4), st.floats(0, 5), st.floats(0, 1))
def test_a_host_that_two_controllers_reached_compares_their_clocks(
    first: float, second: float, host: float, spans: list[float], within: float, share: float
) -> None:
    truth = Truth()
    truth.take(first, "boot 1")
    began, since = truth.now, truth.at()
    truth.now += spans[0]
    truth.reach(host, within, share)
    truth.now += spans[1]
    truth.take(second, "boot 2")
    truth.now += spans[2]
    truth.reach(host, within, 1 - share)
    truth.now += spans[3]
    found = truth.clocks.span(since, truth.at())
    assert not found.exact
    assert abs(found.seconds - (truth.now - began)) <= within + 1e-4


@given(st.lists(st.tuples(OFF, SPANS, st.sampled_from(["a", "b", ""])), max_size=6))
def test_time_never_goes_back_and_no_duration_is_negative(
    takes: list[tuple[float, float, str]],
) -> None:
    truth = Truth()
    truth.take(0.0, "a")
    moments = [truth.at()]
    for off, span, boot in takes:
        truth.now += span
        truth.take(off, boot)
        moments.append(truth.at())
    assert moments == sorted(moments)
    for since in moments:
        assert all(truth.clocks.span(since, until).seconds >= 0 for until in moments)


@given(OFF, OFF)
def test_a_controller_on_another_machine_waits_no_longer_than_was_left(
    first: float, second: float
) -> None:
    """A pause before a retry is over by then at the latest, however far clocks are apart."""
    truth = Truth()
    truth.take(first, "boot 1")
    truth.now += 1
    until = truth.record(ev.WallClockSet(ahead=truth.clocks.wall)) + 10
    truth.now += 1
    truth.take(second, "boot 2")
    assert until - truth.at() <= 10 + 1e-4


def test_a_wrong_clock_is_named_with_the_way_out() -> None:
    clocks = Clocks()
    clocks.apply(ev.HostReached(host="db1", boot="b", ahead=420.0, error=0.1), 1.0)
    clocks.apply(ev.HostReached(host="db2", boot="b", ahead=0.3, error=0.1), 1.0)
    (warning,) = clock_warnings(clocks)
    assert "that of db1 is 7m ahead of" in warning
    assert "chronyc makestep" in warning
    assert [line.wrong for line in clock_lines(clocks)] == [True, False]


def test_if_all_hosts_agree_the_controllers_own_clock_is_named() -> None:
    clocks = Clocks()
    for host in ("db1", "db2", "db3"):
        clocks.apply(ev.HostReached(host=host, boot="b", ahead=420.0, error=0.1), 1.0)
    (warning,) = clock_warnings(clocks)
    assert "the controller's machine is 7m behind all 3 hosts" in warning


def test_a_difference_within_what_is_uncertain_is_none() -> None:
    clocks = Clocks()
    clocks.apply(ev.HostReached(host="db1", boot="b", ahead=30.0, error=29.0), 1.0)
    assert list(clock_warnings(clocks)) == []


def test_a_take_over_that_nobody_could_compare_is_said() -> None:
    truth = Truth()
    truth.take(0.0, "boot 1")
    truth.now += 60
    truth.take(10.0, "boot 2")
    (warning,) = clock_warnings(truth.clocks)
    assert "c2@m took over" in warning
    assert "marked ~" in warning


def test_a_take_over_by_a_clock_that_contradicts_the_chain_is_said() -> None:
    truth = Truth()
    truth.take(0.0, "boot 1")
    truth.now += 60
    truth.take(-HOUR, "boot 2")
    assert any("at least 59m behind" in each for each in clock_warnings(truth.clocks))


def test_so_is_one_of_an_older_drrun_that_dated_its_entries_back() -> None:
    clocks = Clocks()
    clocks.apply(took(1, 0.0, Origin(), exact=True), 7200.0)
    clocks.at = 7200.0
    clocks.apply(took(2, 0.0, Origin(), exact=False), 3600.0)
    (warning,) = clock_warnings(clocks)
    assert "at least 1h behind" in warning
    assert clocks.span(7200.0, 7300.0).seconds == 100.0

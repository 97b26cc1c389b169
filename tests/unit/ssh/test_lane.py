"""The lane to one host, with a host in memory; time passes when a test says so."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drrun.core.integrity.chain import Head
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown
from drrun.engine.captured import CapturedOutput
from drrun.ports.hands import ClockReading, HostClaim, Memory, OnReached, ReachedHost
from drrun.ports.places import AttemptOrder, AttemptProgress, Script
from drrun.ssh import lane as rules
from drrun.ssh.boot import Boot
from drrun.ssh.bulk import FetchRequest
from drrun.ssh.following import Unreached, Visit
from drrun.ssh.jobs import PATIENCE, Job
from drrun.ssh.lane import Lane
from drrun.ssh.launcher_answers import (
    CommandBegun,
    InputStored,
    LauncherAnswer,
    LauncherReady,
    LeftRun,
    TokenStale,
)
from drrun.ssh.proof import AFTER
from drrun.ssh.wires import Wire

NO_ROUTE = NeverStarted("no route")
#: Longer than contact must last to be sought again at once.
LONG = rules.LASTING + 1


class Cable:
    """A `Wire` to a launcher that the test plays."""

    def __init__(self, boot: Boot, ring: Callable[[], None], *, alive: bool = True) -> None:
        self.link: Any = SimpleNamespace(
            alive=alive, way=SimpleNamespace(route="r"), user="u", host_key="k"
        )
        self.sent = b""
        self.closed = False
        self.cut = False
        self._proof = boot.proof
        self._ring = ring
        self._came: deque[tuple[str, bytes]] = deque()
        self._why: str | None = None

    # --- what the lane sees ---

    def send(self, data: bytes) -> None:
        if self.cut:
            raise OSError("broken pipe")
        self.sent += data

    def end(self) -> None:
        raise AssertionError("a lane hangs up")

    def receive(self) -> list[tuple[str, bytes]]:
        return [self._came.popleft()] if self._came else []

    def ended(self) -> str | None:
        return None if self._came else self._why

    def close(self) -> None:
        self.closed = True

    # --- what the host does ---

    def says(self, words: str) -> None:
        self.puts("out", f"{self._proof.nonce} {words}\n".encode())
        self._ring()

    def puts(self, stream: str, data: bytes) -> None:
        """Send bytes, and do not ring."""
        self._came.append((stream, data))

    def brings(self, wanted: FetchRequest, data: bytes) -> None:
        nonce = self._proof.nonce
        line = f"{nonce} more {wanted.request}\n".encode()
        self.puts("err", line + data + f"{nonce} end\n".encode())
        self._ring()

    def proves(self) -> None:
        self.says(str(self._proof.first * self._proof.second))

    def ends(self, why: str = "cut") -> None:
        self._why = why
        self._ring()

    def heard(self) -> list[str]:
        """Requests that came since this was asked last."""
        said, self.sent = self.sent, b""
        return said.decode().splitlines()


class Opening:
    """A launcher is wanted."""

    def __init__(
        self, boot: Boot, ring: Callable[[], None], then: Callable[[Wire | Unreached], None]
    ) -> None:
        self.boot, self.ring, self.then = boot, ring, then

    def gives(self, *, alive: bool = True) -> Cable:
        cable = Cable(self.boot, self.ring, alive=alive)
        self.then(cable)
        return cable


class Host:
    """A `Road` to a host in memory, and its lane, whose work is done on the test's thread."""

    place = name = "db1"

    def __init__(
        self, *, claims: bool = True, meet: OnReached = lambda _, then: then(), **more: Any
    ) -> None:
        self.now = 1000.0
        self.openings: list[Opening] = []
        self.shell = ""
        self.end = Head(9, "h9")
        claim = HostClaim(RunId("run"), 2, "me", meet, lambda: self.end, **more)
        self.lane = Lane(self, "", claim if claims else None, clock=lambda: self.now)
        self.lane._thread = threading.current_thread()

    def reader(self) -> str:
        return self.shell

    def open(
        self, boot: Boot, ring: Callable[[], None], then: Callable[[Wire | Unreached], None]
    ) -> None:
        self.openings.append(Opening(boot, ring, then))

    def works(self) -> None:
        """All that was posted is done, and all that is due."""
        self.lane._turn(0)
        while not self.lane._mail.empty():
            self.lane._turn(0)

    def passes(self, seconds: float) -> None:
        """Time passes, from one alarm to the next."""
        until = self.now + seconds
        self.works()
        while self.lane._alarms and self.lane._alarms[0][0] <= until:
            self.now = self.lane._alarms[0][0]
            self.works()
        self.now = until

    def follows(self, *names: str) -> "Hears":
        follower = Hears(*names)
        self.lane.post(lambda: self.lane.follow(follower))
        self.works()
        return follower

    def leaves(self, follower: "Hears") -> None:
        self.lane.post(lambda: self.lane.unfollow(follower))
        self.works()

    def answers(
        self, *, boot: str = "1", memory: str = "0 - 0 -", clock: str = "", after: float = 0.0
    ) -> Cable:
        """The launcher that is wanted answers, with what its clock says, after a while."""
        cable = self.openings[-1].gives()
        self.works()
        cable.proves()
        self.works()
        self.now += after
        if clock:
            cable.says(f"clock {clock}")
        cable.says(f"ready {boot} kept {memory} /run")
        self.works()
        cable.heard()
        return cable

    def fails(self, outcome: Unreached = NO_ROUTE) -> None:
        self.openings[-1].then(outcome)
        self.works()

    def says(self, cable: Cable, words: str) -> None:
        cable.says(words)
        self.works()

    def loses(self, cable: Cable, why: str = "cut") -> None:
        cable.ends(why)
        self.works()


class Hears:
    """A `Follower` that notes what it is told."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.told: list[str] = []
        self.answers: list[LauncherAnswer] = []
        self.outcomes: list[Unreached] = []
        self.silences: list[float] = []
        self.why = ""
        self.fault: Exception | None = None

    def opened(self, ready: LauncherReady) -> None:
        self.told.append("opened")

    def lost(self, why: str) -> None:
        self.told.append("lost")
        self.why = why

    def unreached(self, outcome: Unreached) -> None:
        self.told.append("unreached")
        self.outcomes.append(outcome)

    def silent(self, seconds: float, why: str) -> None:
        self.told.append("silent")
        self.silences.append(seconds)

    def regained(self, seconds: float) -> None:
        self.told.append("regained")
        self.silences.append(seconds)

    def heard(self, answer: LauncherAnswer) -> None:
        self.answers.append(answer)
        if self.fault is not None:
            raise self.fault

    def broken(self, why: str) -> None:
        self.told.append("broken")
        self.why = why
        if self.fault is not None:
            raise self.fault


def fails() -> None:
    raise KeyError("what was it")


@pytest.fixture
def host() -> Host:
    return Host()


# --- opening ------------------------------------------------------------------------------------


def test_a_lane_opens_nothing_before_somebody_follows(host: Host) -> None:
    host.passes(3600)
    assert host.openings == []


def test_a_lane_whose_followers_have_left_holds_its_launcher(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.leaves(follower)
    host.passes(3600)
    assert (cable.closed, len(host.openings)) == (False, 1)


def test_a_launcher_that_is_lost_while_nobody_follows_is_not_sought(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.leaves(follower)
    host.passes(3600)
    host.loses(cable)
    host.passes(3600)
    assert len(host.openings) == 1


def test_a_host_is_not_tried_again_for_somebody_who_has_left(host: Host) -> None:
    follower = host.follows()
    host.fails()
    host.leaves(follower)
    host.passes(3600)
    assert len(host.openings) == 1


def test_a_launcher_is_opened_once_for_all(host: Host) -> None:
    followers = [host.follows() for _ in range(3)]
    host.answers()
    followers.append(host.follows())
    assert (len(host.openings), [each.told for each in followers]) == (1, [["opened"]] * 4)


def test_nothing_that_acts_is_sent_before_the_proof(host: Host) -> None:
    host.follows()
    cable = host.openings[0].gives()
    question = host.openings[0].boot.proof.question
    host.works()
    # An echo of our words proves nothing.
    cable.puts("out", host.openings[0].boot.line.encode() + b"\n" + question)
    host.says(cable, "ready 1 kept 0 - 0 - /run")
    assert cable.sent == question
    cable.proves()
    host.works()
    assert cable.sent == question + host.openings[0].boot.program + b"hello run new\n"


def test_whoever_knows_that_the_host_was_reached_says_so() -> None:
    host = Host(known={"db1"})
    host.follows()
    cable = host.openings[0].gives()
    cable.proves()
    host.works()
    assert cable.heard()[-1] == "hello run known"


def test_a_lane_for_no_run_needs_no_room(host: Host) -> None:
    host = Host(claims=False)
    follower = host.follows()
    cable = host.openings[0].gives()
    cable.proves()
    host.works()
    assert follower.told == ["opened"]


def test_nobody_asks_before_it_is_recorded_that_the_host_is_reached() -> None:
    met: list[tuple[ReachedHost, Callable[[], None]]] = []
    host = Host(meet=lambda meeting, then: met.append((meeting, then)))
    follower = host.follows()
    host.answers()
    meeting = ReachedHost("db1", "1", "r", "u", "k")
    assert (follower.told, met[0][0]) == ([], meeting)
    met[0][1]()
    host.works()
    assert follower.told == ["opened"]


def test_a_meeting_is_recorded_once_for_each_boot() -> None:
    met: list[str] = []

    def meet(meeting: ReachedHost, then: Callable[[], None]) -> None:
        if not meeting.again:
            met.append(meeting.boot)
        then()

    host = Host(meet=meet)
    host.follows()
    for boot in ("1", "1", "2"):
        cable = host.answers(boot=boot)
        host.passes(LONG)
        host.loses(cable)
    assert met == ["1", "2"]


def met_by(host_says: Callable[[Host], object]) -> list[ReachedHost]:
    """Meetings that are recorded while a host says something."""
    met: list[ReachedHost] = []

    def meet(meeting: ReachedHost, then: Callable[[], None]) -> None:
        if not meeting.again:
            met.append(meeting)
        then()

    host = Host(meet=meet)
    host.follows()
    host_says(host)
    return met


@pytest.mark.parametrize(
    ("says", "reading"),
    [
        ("5000.25", ClockReading(5000.25, 4.0)),
        # Whole seconds leave one open.
        ("5000", ClockReading(5000.0, 5.0)),
        ("5000.N", ClockReading(5000.0, 5.0)),
        ("5000.%N", ClockReading(5000.0, 5.0)),
        ("", None),
        ("Sun Nov 29 20:00:00 UTC 2026", None),
    ],
)
def test_a_hosts_clock_is_read_when_it_is_greeted(says: str, reading: ClockReading | None) -> None:
    (meeting,) = met_by(lambda host: host.answers(clock=says or " ", after=4.0))
    assert meeting.reading == reading


def test_a_clock_that_goes_as_before_costs_one_record_however_often_contact_is_lost() -> None:
    def often(host: Host) -> None:
        for number in range(20):
            # Not even if it is only known within seconds, or drifts a little.
            cable = host.answers(clock=f"{host.now + 3600 + number / 20:.2f}", after=number % 3)
            host.passes(LONG)
            host.loses(cable)

    assert len(met_by(often)) == 1


def test_a_clock_that_was_set_is_recorded_again() -> None:
    def set_once(host: Host) -> None:
        for ahead in (0.0, 0.0, 3600.0, 3600.0):
            cable = host.answers(clock=f"{host.now + ahead:.2f}")
            host.passes(LONG)
            host.loses(cable)

    assert [meeting.reading is not None for meeting in met_by(set_once)] == [True, True]


def test_a_record_of_a_launcher_that_is_lost_opens_nothing() -> None:
    met: list[Callable[[], None]] = []
    host = Host(meet=lambda _, then: met.append(then))
    follower = host.follows()
    cable = host.answers()
    host.loses(cable)
    met[0]()
    host.works()
    assert follower.told == ["unreached"]


@pytest.mark.parametrize("alive", [True, False])
def test_a_log_in_that_ends_is_final_where_its_link_lives(host: Host, *, alive: bool) -> None:
    follower = host.follows()
    cable = host.openings[0].gives(alive=alive)
    cable.puts("err", b"This account is\x07 not available.\n")
    host.loses(cable, "it ended")
    assert follower.outcomes == [
        NeverStarted(
            "db1 did not execute the command of drrun (it ended): This account is? not available.",
            final=alive,
        )
    ]


def test_a_launcher_that_ends_after_its_proof_is_tried_again(host: Host) -> None:
    follower = host.follows()
    cable = host.openings[0].gives()
    cable.proves()
    host.works()
    host.loses(cable)
    assert [each.final for each in follower.outcomes if isinstance(each, NeverStarted)] == [False]


def test_a_shell_that_says_that_it_replaced_ours_is_named_for_good(host: Host) -> None:
    follower = host.follows()
    host.says(host.openings[0].gives(), "replaced zsh")
    (outcome,) = follower.outcomes
    assert isinstance(outcome, NeverStarted)
    assert (outcome.final, "zsh reads our channel" in outcome.why) == (True, True)


def test_a_shell_that_says_nothing_is_asked_for_its_name(host: Host) -> None:
    host.shell = "fish"
    follower = host.follows()
    host.openings[0].gives()
    host.passes(AFTER)
    # Whoever asks does so beside the lane, and posts the answer.
    if not follower.outcomes:
        host.lane._turn(60)
    assert "fish reads our channel" in follower.outcomes[0].why


def test_a_log_in_has_its_time_and_no_more(host: Host) -> None:
    follower = host.follows()
    cable = host.openings[0].gives()
    host.passes(rules.START_WITHIN - 1)
    before = cable.closed
    host.passes(1)
    assert (before, cable.closed, follower.told) == (False, True, ["unreached"])


def test_a_host_that_cannot_keep_commands_is_told_with_the_way_out(host: Host) -> None:
    follower = host.follows()
    cable = host.openings[0].gives()
    cable.proves()
    host.works()
    host.says(cable, "unusable /run\tNo space left on device")
    assert isinstance(follower.outcomes[0], NeverStarted)
    assert not follower.outcomes[0].final
    assert "no space left on db1:/run. Make room there" in follower.outcomes[0].why


def test_a_route_that_is_chosen_during_a_log_in_ends_nothing(host: Host) -> None:
    follower = host.follows()
    cable = host.openings[0].gives()
    host.works()
    host.lane.post(lambda: host.lane.hang_up("route b was chosen"))
    host.works()
    host.answers()
    assert (cable.closed, follower.told) == (True, ["opened"])


def test_a_route_that_is_chosen_later_is_taken_at_once(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.passes(LONG)
    host.lane.post(lambda: host.lane.hang_up("route b was chosen"))
    host.works()
    assert (cable.closed, follower.why, len(host.openings)) == (True, "route b was chosen", 2)


def test_a_wire_for_an_opening_that_broke_off_does_not_replace_the_one_in_use(host: Host) -> None:
    host.follows()
    host.lane.post(fails)
    host.works()
    follower = host.follows()
    cable = host.answers()
    late = host.openings[0].gives()
    host.works()
    host.openings[0].then(NO_ROUTE)
    host.works()
    assert (late.closed, cable.closed, follower.told) == (True, False, ["opened"])


# --- losing -------------------------------------------------------------------------------------


def test_contact_that_lasted_is_sought_at_once(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.passes(LONG)
    host.loses(cable)
    assert (follower.told, cable.closed, len(host.openings)) == (["opened", "lost"], True, 2)


def test_contact_that_is_lost_right_away_is_sought_after_ever_longer_pauses(host: Host) -> None:
    host.follows()
    pauses = list[float]()
    for _ in range(6):
        host.loses(host.answers())
        before, count = host.now, len(host.openings)
        while len(host.openings) == count:
            assert host.lane._alarms
            host.passes(host.lane._alarms[0][0] - host.now)
        pauses.append(host.now - before)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_contact_that_lasts_makes_pauses_short_again(host: Host) -> None:
    host.follows()
    for _ in range(4):
        host.loses(host.answers())
        host.passes(rules.LONGEST_PAUSE)
    cable = host.answers()
    host.passes(LONG)
    host.loses(cable)
    host.fails()
    count = len(host.openings)
    host.passes(rules.FIRST_PAUSE)
    assert len(host.openings) == count + 1


def test_a_host_that_is_not_reached_is_tried_again_by_one_alarm(host: Host) -> None:
    first = host.follows()
    for _ in range(4):
        host.fails()
        host.follows()
    host.fails()
    counts = [len(host.openings)]
    for seconds in (rules.LONGEST_PAUSE - 0.1, 0.1):
        host.passes(seconds)
        counts.append(len(host.openings))
    assert (counts, first.told) == ([5, 5, 6], ["unreached"] * 5)


def test_what_makes_no_sense_gives_the_launcher_up(host: Host) -> None:
    follower = host.follows("n")
    cable = host.answers()
    host.says(cable, "state dancing n - - - -")
    assert (follower.told, cable.closed) == (["opened", "lost"], True)
    assert follower.why.startswith("what came from db1 makes no sense ('dancing' is not a state")


def test_who_makes_no_sense_again_and_again_is_given_up_for_its_followers(host: Host) -> None:
    follower = host.follows()
    for _ in range(rules.TORN_OFTEN):
        cable = host.answers()
        host.says(cable, "nonsense")
        host.passes(rules.LONGEST_PAUSE)
    opened = len(host.openings)
    host.passes(3600)
    expected = ["opened", "lost"] * (rules.TORN_OFTEN - 1) + ["opened", "broken"]
    assert (follower.told, opened, len(host.openings)) == (expected, opened, rules.TORN_OFTEN)


def test_who_comes_after_a_launcher_was_given_up_gets_another_one(host: Host) -> None:
    host.follows()
    for _ in range(rules.TORN_OFTEN):
        host.says(host.answers(), "nonsense")
        host.passes(rules.LONGEST_PAUSE)
    later = host.follows()
    host.says(host.answers(), "nonsense")
    assert later.told == ["opened", "lost"]


def test_contact_that_lasted_begins_the_count_of_torn_ones_anew(host: Host) -> None:
    follower = host.follows()
    for _ in range(rules.TORN_OFTEN - 1):
        host.says(host.answers(), "nonsense")
        host.passes(rules.LONGEST_PAUSE)
    cable = host.answers()
    host.passes(LONG)
    host.says(cable, "nonsense")
    host.says(host.answers(), "nonsense")
    assert "broken" not in follower.told


def test_a_request_that_cannot_be_sent_is_a_loss_and_told_once(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    cable.cut = True
    for _ in range(2):
        host.lane.send(b"look n\n")
    host.works()
    assert (follower.told, follower.why) == (["opened", "lost"], "broken pipe")


def test_a_request_without_a_launcher_is_not_kept_for_the_next(host: Host) -> None:
    host.follows()
    host.lane.send(b"look n\n")
    assert host.answers().heard() == []


def test_a_line_may_come_in_pieces_and_behind_chatter(host: Host) -> None:
    follower = host.follows("n")
    cable = host.answers()
    nonce = host.openings[0].boot.proof.nonce.encode()
    for part in (b"a title \x07", nonce[:5], nonce[5:] + b" begun n 1", b" - 0\nchatter\n"):
        cable.puts("out", part)
    host.openings[0].ring()
    host.works()
    assert follower.answers == [CommandBegun("n", 1, "-", leads=False)]


def test_a_line_without_an_end_gives_the_launcher_up(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    cable.puts("out", bytes((1 << 20) + 1))
    host.openings[0].ring()
    host.works()
    assert follower.why == "what came from db1 makes no sense (a line without an end)"


def test_what_came_before_the_end_is_heard_before_the_loss(host: Host) -> None:
    follower = host.follows("n")
    cable = host.answers()
    cable.says("begun n 1 - 0")
    host.loses(cable)
    assert (len(follower.answers), follower.told) == (1, ["opened", "lost"])


def test_what_an_earlier_launcher_says_late_is_not_heard(host: Host) -> None:
    follower = host.follows("n")
    cable = host.answers()
    host.loses(cable)
    host.passes(rules.FIRST_PAUSE)
    host.answers()
    host.says(cable, "begun n 1 - 0")
    assert (follower.answers, follower.told) == ([], ["opened", "lost", "opened"])


# --- signs of life ------------------------------------------------------------------------------


def test_signs_of_life_are_asked_for_while_somebody_follows(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    for _ in range(3):
        host.passes(rules.PING_EVERY)
        host.says(cable, "pong life")
    host.leaves(follower)
    host.passes(3600)
    assert cable.heard() == ["ping life"] * 3


def test_a_host_that_answers_is_never_called_silent(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    for _ in range(100):
        host.passes(rules.PING_EVERY)
        host.says(cable, "pong life")
    assert follower.told == ["opened"]


def test_silence_is_told_once_and_its_end_with_how_long_it_was(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.passes(rules.PING_EVERY + rules.TOLD_AFTER)
    before = list(follower.told)
    host.passes(10)
    host.says(cable, "pong life")
    assert (before, follower.told) == (["opened", "silent"], ["opened", "silent", "regained"])
    assert follower.silences == [rules.TOLD_AFTER, rules.TOLD_AFTER + 10]


def test_a_silence_that_was_not_told_has_no_end_either(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.passes(rules.PING_EVERY + rules.TOLD_AFTER - 1)
    host.says(cable, "pong life")
    host.passes(1)
    host.says(cable, "pong life")
    assert follower.told == ["opened"]


def test_a_launcher_that_owes_an_answer_for_long_is_given_up(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.passes(rules.PING_EVERY + rules.PING_WITHIN)
    before = cable.closed
    host.passes(rules.PING_EVERY)
    assert (before, cable.closed, len(host.openings)) == (False, True, 2)
    assert (follower.told, follower.why) == (
        ["opened", "silent", "lost"],
        "it has not answered for 44 s",
    )


def test_a_silence_goes_on_over_launchers(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.passes(LONG)
    host.loses(cable)
    host.passes(rules.TOLD_AFTER)
    host.fails()
    host.passes(10)
    host.answers()
    assert follower.told == ["opened", "lost", "silent", "unreached", "regained", "opened"]
    # An answer was owed for 7 s when contact was lost.
    assert follower.silences == [rules.TOLD_AFTER, 27.0]


def test_what_came_while_the_lane_was_busy_counts(host: Host) -> None:
    follower = host.follows("n")
    cable = host.answers()
    host.passes(rules.PING_EVERY)
    # The thread was busy so long, and was not told yet what has come.
    host.now += 3600
    cable.puts("out", b"something\n")
    host.lane._ring_alarms()
    assert (cable.closed, follower.told) == (False, ["opened"])


def test_a_lane_that_was_busy_owes_nothing_that_was_not_asked_for(host: Host) -> None:
    follower = host.follows()
    host.answers()
    host.now += 3600
    host.works()
    assert follower.told == ["opened"]


def test_a_lane_that_was_idle_is_not_judged_by_its_past(host: Host) -> None:
    earlier = host.follows()
    cable = host.answers()
    host.passes(1)
    host.leaves(earlier)
    host.passes(3600)
    later = host.follows()
    host.passes(rules.PING_EVERY)
    host.says(cable, "pong life")
    host.passes(rules.PING_EVERY)
    assert (later.told, cable.heard()) == (["opened"], ["ping life"] * 2)


def test_a_loss_that_nobody_saw_is_no_silence(host: Host) -> None:
    host.leaves(host.follows())
    cable = host.answers()
    host.loses(cable)
    host.passes(rules.TOLD_AFTER - 1)
    later = host.follows()
    host.passes(2)
    host.answers()
    assert later.told == ["opened"]


def test_a_silence_that_outlasts_a_follower_is_told_to_the_next_once(host: Host) -> None:
    earlier = host.follows()
    host.answers()
    host.passes(2 * rules.PING_EVERY)
    host.leaves(earlier)
    later = host.follows()
    host.passes(2 * rules.TOLD_AFTER)
    assert later.told == ["opened", "silent"]


def test_who_comes_after_a_silence_is_not_told_of_its_end(host: Host) -> None:
    earlier = host.follows()
    host.loses(host.answers())
    host.passes(60)
    host.leaves(earlier)
    host.passes(3600)
    later = host.follows()
    host.answers()
    assert (earlier.told, later.told) == (["opened", "lost", "silent"], ["opened"])


def test_who_comes_during_a_silence_is_not_told_of_its_end(host: Host) -> None:
    earlier = host.follows()
    host.loses(host.answers())
    host.passes(60)
    later = host.follows()
    host.answers()
    assert earlier.told == ["opened", "lost", "silent", "regained", "opened"]
    assert later.told == ["opened"]


def test_who_comes_after_a_silence_is_told_of_the_next(host: Host) -> None:
    earlier = host.follows()
    host.loses(host.answers())
    host.leaves(earlier)
    host.passes(rules.TOLD_AFTER)
    later = host.follows()
    host.answers()
    host.passes(rules.PING_EVERY + rules.TOLD_AFTER)
    assert later.told == ["opened", "silent"]


# --- faults of our own --------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [KeyError("what was it"), ValueError("what was it")])
def test_a_fault_of_a_follower_ends_all_with_what_it_was(host: Host, fault: Exception) -> None:
    first, second = host.follows("n"), host.follows("m")
    first.fault = fault
    cable = host.answers()
    host.says(cable, "exists n")
    why = f"drrun itself failed here: {type(fault).__name__}: {fault}"
    assert [(each.told, each.why) for each in (first, second)] == [
        (["opened", "broken"], why),
        (["opened", "broken"], why),
    ]


def test_after_a_fault_nothing_more_is_told_and_the_lane_goes_on(host: Host) -> None:
    first = host.follows("n")
    first.fault = KeyError("n")
    host.says(host.answers(), "exists n")
    second = host.follows("m")
    cable = host.answers()
    host.says(cable, "exists n")
    host.says(cable, "exists m")
    assert (first.told, len(first.answers)) == (["opened", "broken"], 1)
    assert (second.told, len(second.answers)) == (["opened"], 1)


def test_a_fault_in_an_alarm_ends_the_followers_too(host: Host) -> None:
    follower = host.follows()
    host.lane.at(1, fails)
    host.passes(1)
    assert follower.why == "drrun itself failed here: KeyError: 'what was it'"


def test_an_alarm_that_is_cancelled_does_not_ring(host: Host) -> None:
    rung: list[int] = []
    alarms = [host.lane.at(1, lambda each=each: rung.append(each)) for each in range(3)]  # type: ignore[misc]
    alarms[1].cancel()
    host.passes(1)
    assert rung == [0, 2]


def test_who_comes_after_a_fault_is_not_told_of_the_end_of_a_silence(host: Host) -> None:
    host.follows()
    host.loses(host.answers())
    host.passes(60)
    host.lane.post(fails)
    host.works()
    later = host.follows()
    host.answers()
    assert later.told == ["opened"]


def test_a_fault_during_an_opening_leaves_no_wire_behind(host: Host) -> None:
    host.follows()
    host.lane.post(fails)
    host.works()
    cable = host.openings[0].gives()
    host.works()
    assert cable.closed


class Tells:
    """A `Teller` that notes what it is told."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self.coming: Sequence[int] = ()
        self.checks: list[tuple[int, CapturedOutput | None, int]] = []

    def news(self, progress: AttemptProgress) -> None:
        pass

    def checked(self, index: int, reply: CapturedOutput | None, code: int) -> None:
        self.checks.append((index, reply, code))

    def done(self, outcome: Outcome, checks: Sequence[int]) -> None:
        self.outcome, self.coming = outcome, checks


def attempt(host: Host, tells: Tells) -> Job:
    """A job that is begun at the host, with one check behind it."""
    ids = RunId("run"), StepId("step"), TargetName("db1")
    order = AttemptOrder(*ids, 1, 1, None, "run", {}, folder=Path())
    script = Script("true")
    job = Job(host.lane, order, script, CapturedOutput(), tells, (script,))
    host.lane.post(job.begin)
    host.works()
    return job


@pytest.mark.parametrize("how", ["fault", "loss"])
def test_a_check_that_was_promised_is_told_not_to_come(host: Host, how: str) -> None:
    tells = Tells()
    job = attempt(host, tells)
    cable = host.answers()
    host.says(cable, f"begun {job.name} 1 - 0")
    host.says(cable, f"ended {job.name} 0 - - -")
    promised = tuple(tells.coming)
    if how == "fault":
        host.lane.post(fails)
        host.works()
    else:
        host.loses(cable)
    assert (tells.outcome, promised, tells.checks) == (Ended(0), (0,), [(0, None, 0)])


def test_launchers_that_answer_and_die_do_not_keep_an_attempt_waiting_for_ever(host: Host) -> None:
    tells = Tells()
    job = attempt(host, tells)
    cable = host.answers()
    host.says(cable, f"begun {job.name} 1 - 0")
    while tells.outcome is None:
        host.loses(cable)
        host.passes(rules.LONGEST_PAUSE)
        cable = host.answers()
        assert host.now < 1000 + 2 * PATIENCE
    assert isinstance(tells.outcome, OutcomeUnknown)


def test_an_attempt_that_the_host_speaks_of_is_sought_anew_after_every_loss(host: Host) -> None:
    tells = Tells()
    job = attempt(host, tells)
    cable = host.answers()
    host.says(cable, f"begun {job.name} 1 - 0")
    while host.now < 1000 + 2 * PATIENCE:
        host.loses(cable)
        host.passes(rules.LONGEST_PAUSE)
        cable = host.answers()
        host.says(cable, f"state running {job.name} - - - - 1 - 0 5")
    assert tells.outcome is None


# --- sending ------------------------------------------------------------------------------------


class Puts:
    """What becomes of bytes that are sent ahead, and long outputs that are brought."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.cable = host.answers()
        self.stored: list[InputStored] = []
        self.came = b""

    def put(self, name: str) -> None:
        self.host.lane.store(name, f"{name}.".encode(), self.stored.append)

    def fetch(self, name: str) -> FetchRequest:
        wanted = FetchRequest(name, "o", 0, 3, self._into, lambda: None)
        self.host.lane.fetch(wanted)
        return wanted

    def _into(self, data: bytes) -> None:
        self.came += data


@pytest.fixture
def puts(host: Host) -> Puts:
    host.follows()
    return Puts(host)


def test_everything_behind_a_put_waits_for_it(host: Host, puts: Puts) -> None:
    puts.put("a")
    host.lane.send(b"look b\n")
    puts.put("c")
    puts.fetch("d")
    first = puts.cable.heard()
    host.says(puts.cable, "put a ok")
    second = puts.cable.heard()
    host.says(puts.cable, "put c short")
    assert (first, second, puts.cable.heard()) == (
        ["put a 2", "a."],
        ["look b", "put c 2", "c."],
        ["more d o 0 3"],
    )
    assert [(each.name, each.whole) for each in puts.stored] == [("a", True), ("c", False)]


def test_a_put_waits_for_long_outputs(host: Host, puts: Puts) -> None:
    wanted = [puts.fetch("a"), puts.fetch("b")]
    puts.put("c")
    host.lane.send(b"look d\n")
    first = puts.cable.heard()
    puts.cable.brings(wanted[0], b"123")
    host.works()
    second = puts.cable.heard()
    puts.cable.brings(wanted[1], b"456")
    host.works()
    assert (first, second) == (["more a o 0 3", "more b o 0 3"], [])
    assert (puts.cable.heard(), puts.came) == (["put c 2", "c."], b"123456")


def test_what_waits_behind_a_put_goes_with_its_launcher(host: Host, puts: Puts) -> None:
    puts.put("a")
    host.lane.send(b"look b\n")
    host.loses(puts.cable)
    host.passes(rules.FIRST_PAUSE)
    cable = host.openings[-1].gives()
    host.works()
    cable.proves()
    cable.says("ready 1 kept 0 - 0 - /run")
    host.works()
    host.lane.send(b"look c\n")
    said = [line for line in cable.heard() if line.startswith("look ")]
    assert (said, puts.stored) == (["look c"], [])


def test_an_output_that_is_torn_gives_the_launcher_up(host: Host, puts: Puts) -> None:
    puts.fetch("a")
    puts.cable.brings(FetchRequest("b", "o", 0, 3, puts._into, lambda: None), b"123")
    host.works()
    assert puts.cable.closed


# --- names --------------------------------------------------------------------------------------


def test_who_has_another_name_is_not_reached_by_the_old_one(host: Host) -> None:
    follower = host.follows("a")
    cable = host.answers()
    host.lane.rename(follower, "b")
    for name in ("a", "b"):
        host.says(cable, f"exists {name}")
    assert [getattr(each, "name", "") for each in follower.answers] == ["b"]


def test_who_has_left_hears_nothing(host: Host) -> None:
    follower = host.follows("a")
    cable = host.answers()
    host.leaves(follower)
    host.says(cable, "exists a")
    host.loses(cable)
    assert (follower.answers, follower.told) == ([], ["opened"])


def test_a_name_that_somebody_else_took_over_stays_his(host: Host) -> None:
    first, second = host.follows("a"), host.follows("a")
    cable = host.answers()
    host.leaves(first)
    host.says(cable, "exists a")
    assert len(second.answers) == 1


def test_names_of_questions_are_nobody_elses() -> None:
    names = [each.lane.fresh_name() for each in (Host(), Host()) for _ in range(2)]
    assert len(set(names)) == 4


def test_a_list_does_not_take_what_is_said_to_followers(host: Host) -> None:
    follower, found = host.follows("a"), list[list[LauncherAnswer]]()
    cable = host.answers()
    host.lane.list("runs", found.append)
    for words in ("run one", "exists a", "run two", "done", "done"):
        host.says(cable, words)
    assert (found, len(follower.answers)) == ([[LeftRun("one"), LeftRun("two")]], 1)


def test_a_list_that_was_lost_is_not_completed_by_the_next_launcher(host: Host) -> None:
    host.follows()
    cable, found = host.answers(), list[list[LauncherAnswer]]()
    host.lane.list("runs", found.append)
    host.says(cable, "run one")
    host.loses(cable)
    host.passes(rules.FIRST_PAUSE)
    host.says(host.answers(), "done")
    assert found == []


# --- forgetting and leaving ---------------------------------------------------------------------


def test_names_are_forgotten_in_batches(host: Host) -> None:
    host.follows()
    cable = host.answers()
    for each in range(11):
        host.lane.forget(f"n{each}")
    before = cable.heard()
    host.lane.forget("n11")
    assert (before, cable.heard()) == (
        [],
        ["forget n0 n1 n2 n3 n4 n5", "forget n6 n7 n8 n9 n10 n11"],
    )


def test_what_is_to_be_forgotten_waits_for_a_launcher(host: Host) -> None:
    host.follows()
    host.lane.forget("n")
    cable = host.openings[0].gives()
    cable.proves()
    cable.says("ready 1 kept 0 - 0 - /run")
    host.works()
    assert cable.heard()[-1] == "forget n"


def test_who_has_nothing_to_say_leaves_at_once() -> None:
    host = Host(claims=False)
    host.follows()
    cable = host.openings[0].gives()
    cable.proves()
    host.works()
    cable.heard()
    done = host.lane.close()
    host.works()
    assert (done.is_set(), cable.closed, cable.heard()) == (True, True, [])


# --- what the host remembers --------------------------------------------------------------------


def test_nothing_is_asked_of_a_host_before_its_memory_was_compared() -> None:
    met: list[tuple[ReachedHost, Callable[[], None]]] = []
    host = Host(meet=lambda meeting, then: met.append((meeting, then)))
    host.follows()
    cable = host.answers(memory="7 you 12 h12")
    assert (met[0][0].memory, cable.heard()) == (Memory(7, "you", Head(12, "h12")), [])
    met[0][1]()
    host.works()
    assert cable.heard() == ["claim 2 me 9 h9"]


def test_a_memory_is_compared_with_each_launcher() -> None:
    met: list[Memory | None] = []

    def meet(meeting: ReachedHost, then: Callable[[], None]) -> None:
        met.append(meeting.memory)
        then()

    host = Host(meet=meet)
    host.follows()
    for memory in ("0 - 0 -", "2 me 9 h9"):
        cable = host.answers(memory=memory)
        host.passes(LONG)
        host.loses(cable)
    assert met == [None, Memory(2, "me", Head(9, "h9"))]


def test_the_end_of_the_journal_is_told_as_it_is_when_it_is_told(host: Host) -> None:
    host.follows()
    cable = host.openings[0].gives()
    cable.proves()
    cable.says("ready 1 kept 0 - 0 - /run")
    host.end = Head(10, "h10")
    host.works()
    assert cable.heard()[-1] == "claim 2 me 10 h10"
    host.end = Head(11, "h11")
    host.lane.close()
    host.works()
    assert cable.heard() == ["note 11 h11", "ping farewell"]


def test_who_is_no_longer_obeyed_tells_the_controller_and_the_attempt() -> None:
    met: list[ReachedHost] = []

    def meet(meeting: ReachedHost, then: Callable[[], None]) -> None:
        met.append(meeting)
        then()

    host = Host(meet=meet)
    follower = host.follows("a")
    cable = host.answers()
    host.says(cable, "stale a 3 you 10 h10")
    memory = Memory(3, "you", Head(10, "h10"))
    assert (met[-1].memory, met[-1].again) == (memory, True)
    assert follower.answers == [TokenStale("a", memory)]


def test_what_an_earlier_controller_left_is_forgotten_if_its_outcome_is_known() -> None:
    host = Host(known={"db1"}, ended={"s@a.1", "s@b.1"})
    host.follows()
    cable = host.openings[0].gives()
    cable.proves()
    cable.says("ready 1 kept 0 - 0 - /run")
    host.works()
    assert cable.heard()[-1] == "left"
    for name in ("s@a.1", "s@a.1,0", "s@c.1", "q0-1", host.lane.fresh_name()):
        host.says(cable, f"left {name}")
    host.lane._send_forget()
    assert cable.heard() == ["forget s@a.1 s@a.1 q0-1"]
    host.loses(cable)
    host.passes(rules.FIRST_PAUSE)
    cable = host.openings[-1].gives()
    cable.proves()
    cable.says("ready 1 kept 0 - 0 - /run")
    host.works()
    assert "left" not in cable.heard()


def test_a_farewell_is_said_and_waited_for(host: Host) -> None:
    follower = host.follows()
    cable = host.answers()
    host.lane.forget("n")
    done = host.lane.close()
    host.works()
    before = done.is_set(), cable.closed
    said = cable.heard()
    host.says(cable, "pong farewell")
    assert (before, said) == ((False, False), ["forget n", "note 9 h9", "ping farewell"])
    assert (done.is_set(), cable.closed, follower.told) == (True, True, ["opened"])


def test_what_a_host_tells_before_its_good_bye_is_forgotten_too() -> None:
    host = Host(known={"db1"}, ended={"s@a.1"})
    visit = Visit(host.lane)
    host.lane.post(visit.begin)
    host.works()
    cable = host.answers()
    done = host.lane.close()
    host.works()
    host.says(cable, "left s@a.1")
    cable.heard()
    host.says(cable, "pong farewell")
    assert (visit.over, done.is_set()) == (True, False)
    assert cable.heard() == ["forget s@a.1", "ping farewell"]
    host.says(cable, "pong farewell")
    assert done.is_set()


def test_a_visit_tries_a_host_once(host: Host) -> None:
    visit = Visit(host.lane)
    host.lane.post(visit.begin)
    host.works()
    host.fails()
    host.passes(3600)
    assert (visit.over, len(host.openings)) == (True, 1)


def test_a_farewell_that_is_not_answered_has_a_limit(host: Host) -> None:
    host.follows()
    cable = host.answers()
    done = host.lane.close()
    host.works()
    host.passes(rules.LEAVE_WITHIN)
    assert (done.is_set(), cable.closed) == (True, True)


@pytest.mark.parametrize("how", ["ends", "cut"])
def test_a_launcher_that_goes_during_the_farewell_ends_it(host: Host, how: str) -> None:
    host.follows()
    cable = host.answers()
    cable.cut = how == "cut"
    done = host.lane.close()
    host.works()
    if how == "ends":
        host.loses(cable)
    assert (done.is_set(), len(host.openings)) == (True, 1)


def test_a_farewell_waits_for_no_launcher_that_does_not_answer_yet(host: Host) -> None:
    host.follows()
    cable = host.openings[0].gives()
    host.works()
    done = host.lane.close()
    host.works()
    assert (done.is_set(), cable.closed) == (True, True)


def test_a_wire_that_is_opened_too_late_is_closed(host: Host) -> None:
    host.follows()
    host.lane.close()
    host.works()
    cable = host.openings[0].gives()
    assert (cable.closed, cable.sent) == (True, b"")


def test_a_lane_that_was_left_opens_nothing(host: Host) -> None:
    host.lane.close()
    host.works()
    host.follows()
    assert host.openings == []


def test_who_was_never_asked_leaves_at_once() -> None:
    assert Lane(Host(), "", None).close().is_set()


# --- the thread ---------------------------------------------------------------------------------


class Threaded:
    """A host whose lane has its own thread."""

    def __init__(self) -> None:
        self.host = Host()
        self.lane = Lane(self.host, "", None)

    def done(self) -> None:
        """Wait until all that was posted is done."""
        reached = threading.Event()
        self.lane.post(reached.set)
        assert reached.wait(60)


def test_what_is_posted_is_done_in_order_on_one_thread() -> None:
    threaded, done = Threaded(), list[tuple[int, int]]()
    for each in range(100):
        threaded.lane.post(lambda each=each: done.append((each, threading.get_ident())))  # type: ignore[misc]
    threaded.done()
    assert done == [(each, done[0][1]) for each in range(100)]
    assert done[0][1] != threading.get_ident()
    assert threaded.lane.close().wait(60)


def test_a_thread_outlives_faults() -> None:
    threaded = Threaded()
    threaded.lane.post(fails)
    threaded.done()
    assert threaded.lane.close().wait(60)


def test_a_wire_is_closed_though_it_comes_when_the_thread_is_about_to_end() -> None:
    threaded, follower, held = Threaded(), Hears(), threading.Event()
    threaded.lane.post(lambda: threaded.lane.follow(follower))
    threaded.done()

    def holds() -> None:
        held.wait(60)

    threaded.lane.post(holds)
    done = threaded.lane.close()
    cable = threaded.host.openings[0].gives()
    held.set()
    assert done.wait(60)
    assert threaded.lane._thread is not None
    threaded.lane._thread.join(60)
    assert cable.closed


def test_a_wire_is_closed_though_it_comes_when_the_thread_has_ended() -> None:
    threaded, follower = Threaded(), Hears()
    threaded.lane.post(lambda: threaded.lane.follow(follower))
    threaded.done()
    assert threaded.lane.close().wait(60)
    assert threaded.lane._thread is not None
    threaded.lane._thread.join(60)
    assert threaded.host.openings[0].gives().closed


def test_who_leaves_twice_does_not_wait() -> None:
    threaded = Threaded()
    threaded.done()
    assert threaded.lane.close().wait(60)
    assert threaded.lane._thread is not None
    threaded.lane._thread.join(60)
    assert threaded.lane.close().is_set()

"""One lane for each host: one thread that owns everything about it, and speaks with its launcher.

Rules:
- Whoever wants something posts it; it is done on the lane's thread, in order. So nothing here is
  locked, and nobody else ever waits for a host.
- Followers (attempts, questions) are told when a launcher answers, when contact is lost, and what
  the host says under their name. They ask again what they need to know; every request but a
  question may be repeated without effect, and questions change nothing.
- A lane without followers holds its launcher, and opens nothing.
- A sign of life is asked for while somebody follows. Owed for long, it is told; owed for longer,
  the launcher is given up and another one opened. The connection has its own watch (link.py).
"""

import dataclasses
import heapq
import itertools
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from enum import Enum, auto

from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import Head
from drrun.core.model.outcomes import NeverStarted
from drrun.core.state.clocks import MAY_DIFFER
from drrun.engine.faultpoints import point
from drrun.ports.hands import ClockReading, HostClaim, Memory, ReachedHost
from drrun.ssh.boot import Boot
from drrun.ssh.bulk import Bulk, FetchRequest, TornOutput
from drrun.ssh.following import Alarm, Follower, Road, Unreached
from drrun.ssh.launcher_answers import (
    ClockRead,
    FolderUnusable,
    InputStored,
    LauncherAnswer,
    LauncherReady,
    Left,
    LeftRun,
    ListDone,
    Pong,
    TokenStale,
    parse,
)
from drrun.ssh.proof import AFTER, replaced
from drrun.ssh.wires import Wire

#: Bytes of each stream that a host keeps of one attempt.
KEPT_ON_HOST = 1 << 30
#: Seconds until a log-in must have started our shell: start-up files may be slow.
START_WITHIN = 180.0
#: Seconds without an answer after which people are told (goal G3 allows 15).
TOLD_AFTER = 10.0
#: Seconds between signs of life while somebody follows; owed for so long, it is given up.
PING_EVERY, PING_WITHIN = 4.0, 40.0
#: Seconds for which contact must have lasted to be sought again at once.
LASTING = 10.0
#: How often in a row what comes may make no sense.
TORN_OFTEN = 5
#: Pauses before a host that was not reached is tried again: the first and the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
#: Seconds that saying good-bye may take; what is left there is found by clean-up.
LEAVE_WITHIN = 3.0
#: What is kept of what a login prints before our launcher answers.
_CHATTER = 4096
#: Names that are forgotten with one request.
_TOGETHER = 12


class _Phase(Enum):
    CLOSED = auto()
    #: A connection is being made.
    OPENING = auto()
    #: The login shell was asked for our starter.
    PROVING = auto()
    #: The launcher was sent, and asked to make room for the run, and what it knows of it.
    GREETING = auto()
    #: The controller looks whether its journal goes on from what the host remembers.
    MEETING = auto()
    OPEN = auto()


@dataclass(slots=True)
class _Contact:
    """What is known while a launcher is opened, and while it answers."""

    boot: Boot
    wire: Wire
    bulk: Bulk
    waiting: bytes = b""
    chatter: bytes = b""
    #: When it was greeted, and what its clock said to that.
    greeted_at: float = 0.0
    reading: ClockReading | None = None


@dataclass(slots=True)
class _Request:
    """Something to be sent."""

    data: bytes
    #: It is a `put`: under which name, and whom to tell whether it arrived whole.
    stores: str = ""
    then: Callable[[InputStored], None] | None = None
    #: It is a `more`: what comes.
    wanted: FetchRequest | None = None


@dataclasses.dataclass(slots=True, eq=False)
class Lane:
    """The way to one host, for one run."""

    #: How a launcher is reached.
    road: Road
    #: Where the host keeps what belongs to runs; "" for the usual place.
    folder: str
    #: For whom it acts; None: to tidy up only.
    claim: HostClaim | None
    #: Seconds, from any beginning.
    clock: Callable[[], float] = time.monotonic
    _mail: queue.SimpleQueue[Callable[[], None]] = field(default_factory=queue.SimpleQueue)
    _start: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None
    _over: bool = False
    _alarms: list[tuple[float, int, Alarm]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)
    #: Tells names of questions from those of anybody else, even of a copy of us.
    _own: str = field(default_factory=lambda: secrets.token_hex(4))
    _phase: _Phase = _Phase.CLOSED
    #: The launcher that a connection is being made for; one that comes for another is too late.
    _opening: Boot | None = None
    _contact: _Contact | None = None
    _ready: LauncherReady | None = None
    #: The boot of the host that is recorded as reached.
    _met: str = ""
    #: Nobody has looked yet for what earlier controllers left.
    _unswept: bool = True
    #: How far its clock was ahead of ours then, whatever ours begins with; None: it did not say.
    _ahead: float | None = None
    _followers: dict[str, Follower] = field(default_factory=dict)
    _following: dict[int, Follower] = field(default_factory=dict)
    _pause: float = FIRST_PAUSE
    #: Tries again after the pause.
    _retry: Alarm | None = None
    _opened_at: float = 0.0
    #: How often what came made no sense, one contact after the other.
    _torn: int = 0
    #: Since when nothing is heard although it should; None: all is well.
    _lost_at: float | None = None
    #: Who was told so.
    _told: dict[int, Follower] = field(default_factory=dict)
    #: Since when an answer to a sign of life is owed; None: none is.
    _owed_since: float | None = None
    _asking: bool = False
    _forget: list[str] = field(default_factory=list)
    #: A `put` on its way: nothing may follow it, because programs read it that may read too far.
    _storing: _Request | None = None
    #: What waits, in order: behind a `put`, or for long outputs to have come before one.
    _waiting: deque[_Request] = field(default_factory=deque)
    _listing: tuple[list[LauncherAnswer], Callable[[list[LauncherAnswer]], None]] | None = None
    _farewell: threading.Event | None = None

    # --- from any thread ------------------------------------------------------------------------

    def post(self, act: Callable[[], None]) -> None:
        """Have something done on the lane's thread."""
        self._mail.put(act)
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._work, name=f"lane {self.road.place}", daemon=True
                    )
                    self._thread.start()

    def close(self) -> threading.Event:
        """Say good-bye and hang up; commands go on, and the host remembers the run.

        Returns:
            What is set once that is done, or cannot be; wait for it with a limit.
        """
        done = threading.Event()
        if self._thread is None:
            done.set()
        else:
            self.post(lambda: self._leave(done))
            if self._over:
                # Perhaps nobody reads the mail any more.
                done.set()
        return done

    # --- on the lane's thread -------------------------------------------------------------------

    @property
    def place(self) -> str:
        """The host, for messages."""
        return self.road.place

    @property
    def end(self) -> Head:
        """Where the run's journal ends by now."""
        return self.claim.end() if self.claim else Head(0, "-")

    @property
    def wire(self) -> Wire | None:
        """What carries the answering launcher."""
        return self._contact.wire if self._contact and self._phase is _Phase.OPEN else None

    def follow(self, follower: Follower) -> None:
        """Tell `follower` of everything from now on."""
        self._following[id(follower)] = follower
        self.answer_to(follower)
        if self._phase is _Phase.OPEN and self._ready is not None:
            follower.opened(self._ready)
            self._keep_asking()
        else:
            self._want()

    def answer_to(self, follower: Follower) -> None:
        """Its names are those that it has now."""
        for name in follower.names:
            self._followers[name] = follower

    def rename(self, follower: Follower, *names: str) -> None:
        """The host speaks of it under other names from now on."""
        for name in follower.names:
            self._followers.pop(name, None)
        follower.names = names
        self.answer_to(follower)

    def unfollow(self, follower: Follower) -> None:
        """Tell it nothing any more."""
        self._following.pop(id(follower), None)
        for name in follower.names:
            if self._followers.get(name) is follower:
                del self._followers[name]
        self._told.pop(id(follower), None)
        if not self._following:
            # Whoever comes next has not waited yet.
            self._lost_at, self._told = None, {}

    def send(self, data: bytes) -> None:
        """Send requests, if a launcher answers; else it was lost, and followers are told."""
        self._submit(_Request(data))

    def store(self, name: str, data: bytes, then: Callable[[InputStored], None]) -> None:
        """Send bytes ahead of a request that needs them.

        Args:
            name: Under which name the host keeps them.
            data: The bytes.
            then: Called with whether they arrived whole; not at all if contact is lost.
        """
        request = f"put {name} {len(data)}\n".encode() + data
        self._submit(_Request(request, stores=name, then=then))

    def fetch(self, wanted: FetchRequest) -> None:
        """Ask for bytes that the host keeps; they come in order."""
        self._submit(_Request(f"more {wanted.request}\n".encode(), wanted=wanted))

    def _submit(self, request: _Request) -> None:
        if self._phase is _Phase.OPEN:
            self._waiting.append(request)
            self._go_on()

    def _go_on(self) -> None:
        """Send what waits, as far as it may be sent now."""
        while self._waiting and self._storing is None:
            contact, request = self._contact, self._waiting[0]
            if contact is None or (request.stores and not contact.bulk.idle):
                # A host that is busy writing does not read; neither would ever end.
                return
            self._waiting.popleft()
            if request.stores:
                self._storing = request
            if request.wanted is not None:
                contact.bulk.expect(request.wanted)
            self._transmit(contact, request.data)

    def refusal(self, why: str) -> str:
        """What it means that the host could not write something down."""
        if "No space left" in why:
            folder = self._ready.folder if self._ready else ""
            return f"no space left on {self.place}:{folder}"
        return f"{self.place} could not keep it: {why or 'it did not say why'}"

    def fresh_name(self) -> str:
        """A name for a question that nobody else uses on this host, not even a copy of us."""
        return f"q{self._own}-{next(self._order)}"

    def forget(self, name: str) -> None:
        """Let the host forget what a name printed; the decision about it stays."""
        self._forget.append(name)
        if len(self._forget) >= _TOGETHER:
            self._send_forget()

    def list(self, request: str, then: Callable[[list[LauncherAnswer]], None]) -> None:
        """Ask for a list."""
        self._listing = ([], then)
        self.send(f"{request}\n".encode())

    def at(self, seconds: float, act: Callable[[], None]) -> Alarm:
        """Do something after so many seconds."""
        alarm = Alarm(act)
        heapq.heappush(self._alarms, (self.clock() + seconds, next(self._order), alarm))
        return alarm

    def hang_up(self, why: str) -> None:
        """Give the launcher up; another one is opened while somebody follows."""
        if self._phase is _Phase.OPEN:
            self._lose(why)
        elif self._contact is not None:
            # Nothing that acts was sent; so nobody needs to know.
            self._hang_up()
            self._phase = _Phase.CLOSED
            self._want()

    # --- the loop -------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._over:
            self._turn(self._due_in())
        while not self._mail.empty():
            # A wire that came too late is closed, whoever leaves again is told so.
            self._turn(0)

    def _turn(self, wait: float | None) -> None:
        """Do what was posted next, if it is within `wait` seconds, and what is due."""
        try:
            act = self._mail.get(timeout=wait)
        except queue.Empty:
            act = None
        try:
            if act is not None:
                act()
            self._ring_alarms()
        except Exception as error:  # noqa: BLE001 - a thread that dies here is a run that hangs
            self._break(f"drrun itself failed here: {type(error).__name__}: {error}")

    def _break(self, why: str) -> None:
        """Nobody waits for what will never be told."""
        followers = list(self._following.values())
        self._following.clear()
        self._followers.clear()
        self._hang_up()
        self._phase, self._opening = _Phase.CLOSED, None
        self._lost_at, self._told = None, {}
        for follower in followers:
            with suppress(Exception):
                follower.broken(why)

    def _due_in(self) -> float | None:
        return max(0.0, self._alarms[0][0] - self.clock()) if self._alarms else None

    def _ring_alarms(self) -> None:
        while self._alarms and self._alarms[0][0] <= self.clock():
            _, _, alarm = heapq.heappop(self._alarms)
            if alarm.act is not None:
                alarm.act()

    # --- opening --------------------------------------------------------------------------------

    def _want(self) -> None:
        """Open a launcher for those who follow, unless that is under way."""
        if self._phase is not _Phase.CLOSED or not self._following or self._over:
            return
        self._phase = _Phase.OPENING
        self._opening = boot = Boot(self.folder, KEPT_ON_HOST)

        def ring() -> None:
            self.post(lambda: self._drain(boot))

        def then(found: Wire | Unreached) -> None:
            if isinstance(found, Unreached):
                self.post(lambda: self._failed(found) if self._opening is boot else None)
                return
            self.post(lambda: self._prove(boot, found))
            if self._over:
                # Perhaps nobody reads the mail any more.
                found.close()

        point("before launcher")
        self.road.open(boot, ring, then)

    def _prove(self, boot: Boot, wire: Wire) -> None:
        if self._opening is not boot:
            wire.close()
            return
        self._opening = None
        self._contact = _Contact(boot, wire, Bulk(boot.proof.nonce))
        self._phase = _Phase.PROVING
        self.at(AFTER, lambda: self._ask_who_reads(boot))
        self.at(START_WITHIN, lambda: self._too_slow(boot))
        self._transmit(self._contact, boot.proof.question)
        self._drain(boot)

    def _ask_who_reads(self, boot: Boot) -> None:
        """The log-in takes its time, or a shell that waits for the end reads our channel."""
        if not self._is_on(boot) or self._phase is not _Phase.PROVING:
            return

        def ask() -> None:
            if shell := self.road.reader():
                self.post(lambda: self._replaced(boot, shell))

        threading.Thread(target=ask, name="who reads", daemon=True).start()

    def _replaced(self, boot: Boot, shell: str) -> None:
        if self._is_on(boot) and self._phase is _Phase.PROVING:
            self._fail(replaced(self.place, shell), final=True)

    def _too_slow(self, boot: Boot) -> None:
        if self._is_on(boot) and self._phase in (_Phase.PROVING, _Phase.GREETING):
            self._fail(
                f"{self.place}: logged in, but our shell has not begun for {START_WITHIN:g} s"
            )

    def _is_on(self, boot: Boot) -> bool:
        return self._contact is not None and self._contact.boot is boot

    def _fail(self, why: str, *, final: bool = False) -> None:
        """Opening came to nothing; nothing that acts was sent."""
        self._hang_up()
        self._failed(NeverStarted(why, final=final))

    def _failed(self, outcome: Unreached) -> None:
        self._phase, self._opening = _Phase.CLOSED, None
        for follower in list(self._following.values()):
            follower.unreached(outcome)
        self._try_later()

    def _try_later(self) -> None:
        if self._following:
            if self._retry is not None:
                self._retry.cancel()
            self._retry = self.at(self._pause, self._want)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    # --- hearing --------------------------------------------------------------------------------

    def _drain(self, boot: Boot) -> None:
        """Take in what came."""
        contact = self._contact
        if contact is None or contact.boot is not boot:
            return
        try:
            while got := contact.wire.receive():
                self._found()
                self._take_in(contact, got)
                if self._contact is not contact:
                    return
        except TornOutput as error:
            self._make_no_sense(error)
            return
        self._go_on()
        why = contact.wire.ended()
        if why is not None and self._contact is contact:
            self._lose(why)

    def _take_in(self, contact: _Contact, got: Sequence[tuple[str, bytes]]) -> None:
        for stream, data in got:
            if stream == "out":
                self._lines(contact, data)
            elif self._phase is _Phase.OPEN:
                contact.bulk.feed(data)
            else:
                contact.chatter = (contact.chatter + data)[-_CHATTER:]
            if self._contact is not contact:
                return

    def _lines(self, contact: _Contact, data: bytes) -> None:
        *lines, contact.waiting = (contact.waiting + data).split(b"\n")
        mark = contact.boot.proof.nonce.encode() + b" "
        for line in lines:
            chatter, found, said = line.partition(mark)
            if self._phase is not _Phase.OPEN:
                contact.chatter = (contact.chatter + chatter + b"\n")[-_CHATTER:]
            if found:
                self._line(contact, said.decode("utf-8", "replace"))
            if self._contact is not contact:
                return
        if len(contact.waiting) > (1 << 20):
            raise TornOutput("a line without an end")

    def _line(self, contact: _Contact, said: str) -> None:
        if self._phase is _Phase.PROVING:
            self._proof(contact, said)
            return
        try:
            answer = parse(said)
        except ValueError as error:
            raise TornOutput(str(error)) from error
        match answer:
            case ClockRead():
                self._read(contact, answer)
            case LauncherReady():
                self._greeted(contact, answer)
            case FolderUnusable():
                self._fail(_plainly(answer, self.place))
            case Pong(word=word):
                if word == "farewell" and self._farewell is not None:
                    self._part()
            case InputStored():
                self._stored(answer)
            case LeftRun() | ListDone():
                self._listed(answer)
            case _:
                self._of_run(contact, answer)

    def _of_run(self, contact: _Contact, answer: LauncherAnswer) -> None:
        if isinstance(answer, Left):
            self._forget_if_ended(answer.name)
            return
        if isinstance(answer, TokenStale):
            self._meet(contact, answer.memory, again=True)
        self._pass_on(answer)

    def _proof(self, contact: _Contact, said: str) -> None:
        if shell := contact.boot.proof.replaced_by(said):
            self._replaced(contact.boot, shell)
        elif contact.boot.proof.given_by(said):
            self._phase = _Phase.GREETING
            hello = f"hello {self.claim.run} {self._known}\n" if self.claim else ""
            contact.greeted_at = self.clock()
            self._transmit(contact, contact.boot.program + hello.encode())
            if not self.claim:
                self._opened(LauncherReady("-", lost=False, folder=""))

    @property
    def _known(self) -> str:
        """Whether the journal knows that the host was reached before, as a word of a request."""
        before = self._met or (self.claim and self.road.name in self.claim.known)
        return "known" if before else "new"

    def _read(self, contact: _Contact, clock: ClockRead) -> None:
        if clock.says is not None:
            within = self.clock() - contact.greeted_at + clock.coarse
            contact.reading = ClockReading(clock.says, within)

    def _greeted(self, contact: _Contact, ready: LauncherReady) -> None:
        """Nothing is asked of a host before it is recorded that it can be.

        Nor before its memory was compared: whoever acts by an older journal acts twice.
        """
        self._phase = _Phase.MEETING
        ahead = contact.reading.says - contact.greeted_at if contact.reading else None

        again = self._met == ready.boot and not self._was_set(contact, ahead)

        def go_on() -> None:
            if self._contact is contact:
                if not again:
                    self._met, self._ahead = ready.boot, ahead
                self._claim(contact)
                self._opened(ready)

        self._meet(contact, ready.memory, ready.boot, again=again, then=go_on)

    def _meet(
        self,
        contact: _Contact,
        memory: Memory | None,
        boot: str = "",
        *,
        again: bool,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Tell the controller whom we have met, and do something once it agrees."""
        if self.claim is None:
            return
        link, name = contact.wire.link, self.road.name
        way = (link.way.route, link.user, link.host_key) if link is not None else ("", "", "")
        meeting = ReachedHost(name, boot, *way, contact.reading, memory, again)
        self.claim.meet(meeting, lambda: self.post(then))

    def _claim(self, contact: _Contact) -> None:
        """From now on the host obeys this controller alone, and remembers its journal."""
        claim, end = self.claim, self.end
        if claim is not None:
            words = f"claim {claim.epoch} {claim.controller} {end.seq} {end.hash}\n"
            if self._unswept and self.road.name in claim.known:
                words += "left\n"
            self._unswept = False
            self._transmit(contact, words.encode())

    def _forget_if_ended(self, name: str) -> None:
        """An earlier controller did not come to tell the host that an output is durable."""
        job = name.partition(",")[0]
        ended = self.claim.ended if self.claim else ()
        # Nobody waits for answers to the questions of another controller.
        asked = job.startswith("q") and "@" not in job and not job.startswith(f"q{self._own}")
        if job in ended or asked:
            self.forget(job)

    def _was_set(self, contact: _Contact, ahead: float | None) -> bool:
        """Whether the host's clock goes otherwise than was recorded, beyond what is uncertain."""
        if ahead is None or contact.reading is None or self._ahead is None:
            return False
        return abs(ahead - self._ahead) > MAY_DIFFER + contact.reading.within

    def _opened(self, ready: LauncherReady) -> None:
        point("after launcher")
        self._phase, self._ready, self._opened_at = _Phase.OPEN, ready, self.clock()
        self._found()
        for follower in list(self._following.values()):
            follower.opened(ready)
        self._send_forget()
        self._keep_asking()

    def _pass_on(self, answer: LauncherAnswer) -> None:
        follower = self._followers.get(getattr(answer, "name", ""))
        if follower is not None:
            follower.heard(answer)
        else:
            self._listed(answer)

    def _listed(self, answer: LauncherAnswer) -> None:
        if self._listing is None:
            return
        found, then = self._listing
        if isinstance(answer, ListDone):
            self._listing = None
            then(found)
        else:
            found.append(answer)

    def _stored(self, stored: InputStored) -> None:
        storing, self._storing = self._storing, None
        if storing is not None and storing.then is not None and storing.stores == stored.name:
            storing.then(stored)

    # --- losing, and signs of life --------------------------------------------------------------

    def _lose(self, why: str) -> None:
        """Contact is gone: those who follow are told, and it is sought."""
        contact, was, lasted = self._contact, self._phase, self._lasting
        self._hang_up()
        if was in (_Phase.PROVING, _Phase.GREETING, _Phase.MEETING):
            self._failed(_not_begun(self.place, why, was, contact))
            return
        self._phase = _Phase.CLOSED
        if self._farewell is not None:
            self._end()
            return
        if self._following:
            self._miss(why)
        for follower in list(self._following.values()):
            follower.lost(why)
        if lasted:
            self._pause, self._torn = FIRST_PAUSE, 0
            self._want()
        else:
            self._try_later()

    @property
    def _lasting(self) -> bool:
        """Whether contact is good for long enough to be sought again at once."""
        return self._phase is _Phase.OPEN and self.clock() - self._opened_at > LASTING

    def _make_no_sense(self, error: Exception) -> None:
        """What came is not what a launcher says; whoever goes on like that is given up."""
        self._torn += 1
        why = f"what came from {self.place} makes no sense ({error})"
        if self._torn < TORN_OFTEN or self._lasting:
            self._lose(why)
        else:
            self._torn = 0
            self._break(why)

    def _hang_up(self) -> None:
        contact, self._contact = self._contact, None
        self._ready, self._storing, self._listing = None, None, None
        self._waiting.clear()
        if contact is not None:
            contact.wire.close()

    def _transmit(self, contact: _Contact, data: bytes) -> None:
        try:
            contact.wire.send(data)
        except (OSError, EOFError) as error:
            why = str(error) or "the connection ended"
            # Whoever sends is in the middle of something; they are told afterwards.
            self.post(lambda: self._lose(why) if self._contact is contact else None)

    def _miss(self, why: str, since: float | None = None) -> None:
        """Nothing is heard; it is told once, if it lasts."""
        if self._lost_at is None:
            self._lost_at, self._told = since or self.clock(), {}
            self._tell_silence(self._lost_at, why)

    def _tell_silence(self, since: float, why: str) -> None:
        if self._lost_at != since or self._told:
            return
        lasts = self.clock() - since
        if lasts < TOLD_AFTER:
            self.at(TOLD_AFTER - lasts, lambda: self._tell_silence(since, why))
        elif self._following:
            self._told = dict(self._following)
            for follower in list(self._told.values()):
                follower.silent(lasts, why)

    def _found(self) -> None:
        """Something was heard again."""
        self._owed_since = None
        if self._lost_at is None or self._phase is not _Phase.OPEN:
            return
        lasted, told = self.clock() - self._lost_at, self._told
        self._lost_at, self._told = None, {}
        for follower in told.values():
            follower.regained(lasted)

    def _keep_asking(self) -> None:
        """Ask for signs of life as long as somebody follows."""
        if not self._asking and self._following and self._phase is _Phase.OPEN:
            self._asking = True
            self.at(PING_EVERY, self._ping)

    def _ping(self) -> None:
        self._asking = False
        if self._contact is not None:
            # What came while this thread was busy counts.
            self._drain(self._contact.boot)
        if self._phase is not _Phase.OPEN or not self._following:
            return
        now = self.clock()
        if self._owed_since is None:
            self._owed_since = now
        elif now - self._owed_since > PING_WITHIN:
            self._lose(f"it has not answered for {now - self._owed_since:.0f} s")
            return
        else:
            self._miss("it does not answer", self._owed_since)
        self.send(b"ping life\n")
        self._keep_asking()

    # --- leaving --------------------------------------------------------------------------------

    def _send_forget(self) -> None:
        while self._forget and self._phase is _Phase.OPEN:
            names, self._forget = self._forget[:6], self._forget[6:]
            self.send(f"forget {' '.join(names)}\n".encode())

    def _leave(self, done: threading.Event) -> None:
        self._following.clear()
        self._followers.clear()
        self._farewell = done
        if self._phase is not _Phase.OPEN or self.claim is None:
            self._end()
            return
        self._send_forget()
        end = self.end
        self.send(f"note {end.seq} {end.hash}\nping farewell\n".encode())
        self.at(LEAVE_WITHIN, self._end)

    def _part(self) -> None:
        """What the host said before its good-bye may be something to forget."""
        if self._forget:
            self._send_forget()
            self.send(b"ping farewell\n")
        else:
            self._end()

    def _end(self) -> None:
        self._over = True
        self._hang_up()
        self._phase, self._opening = _Phase.CLOSED, None
        if self._farewell is not None:
            self._farewell.set()


def _plainly(unusable: FolderUnusable, place: str) -> str:
    """What a host complained about, for people."""
    if "No space left" in unusable.why:
        why = f"no space left on {place}:{unusable.folder}"
    else:
        why = f"{place} cannot keep commands in {unusable.folder}: {unusable.why}"
    return (
        f"{why}. Make room there, or set `work_dir` of this host in the inventory to a folder "
        "that only this user may enter"
    )


def _not_begun(place: str, why: str, phase: _Phase, contact: _Contact | None) -> NeverStarted:
    """The log-in ended before our launcher answered."""
    chatter = contact.chatter if contact else b""
    said = b" ".join(chatter.split()).decode("utf-8", "replace")[-300:]
    shown = "".join(each if each.isprintable() else "?" for each in said)
    link = contact.wire.link if contact else None
    # On a connection that lives it was the host's own will, and will be so again.
    final = phase is _Phase.PROVING and (link is None or link.alive)
    what = f"{place} did not execute our command ({why}): {shown or 'it said nothing'}"
    return NeverStarted(what, final=final)

"""The lane to a host: one thread that owns everything about the host, and talks to its launcher.

Rules:
- Other threads post what they want; the lane's thread executes it, in order. So there are no locks
  here, and no other thread ever waits for a host.
- The lane tells its followers (attempts, questions) when a launcher answers, when contact is lost,
  and what the host says about them. They ask again for what they need to know: a repeated request
  has no effect, and a question changes nothing.
- A lane without followers keeps its launcher, but opens none.
- While somebody follows, the lane asks for signs of life. If the host does not answer for long,
  the lane tells its followers; if the silence lasts longer, it gives the launcher up and opens
  another. The connection has its own watch (link.py).
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
#: Seconds in which a log-in must start our shell: start-up files may be slow.
START_WITHIN = 180.0
#: Seconds without an answer until we tell people (goal G3 allows 15).
TOLD_AFTER = 10.0
#: Seconds between signs of life while somebody follows, and until a silent launcher is given up.
PING_EVERY, PING_WITHIN = 4.0, 40.0
#: Contact that lasted this many seconds is renewed at once after a loss.
LASTING = 10.0
#: How many times in a row the host may send nonsense.
TORN_OFTEN = 5
#: The first and the longest pause before the lane tries again to reach a host, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
#: Seconds that a good-bye may take; clean-up finds what stays behind.
LEAVE_WITHIN = 3.0
#: How many bytes we keep of what a log-in prints before our launcher answers.
_CHATTER = 4096
#: How many names one request to forget holds.
_TOGETHER = 12


class _Phase(Enum):
    CLOSED = auto()
    #: The lane is connecting.
    OPENING = auto()
    #: The login shell has been told to start our starter.
    PROVING = auto()
    #: The launcher was sent. It makes a folder for the run, and says what it remembers of the run.
    GREETING = auto()
    #: The controller checks that its journal continues what the host remembers.
    MEETING = auto()
    OPEN = auto()


@dataclass(slots=True)
class _Contact:
    """What we know of a launcher, while it opens and while it answers."""

    boot: Boot
    wire: Wire
    bulk: Bulk
    waiting: bytes = b""
    chatter: bytes = b""
    #: When we greeted it, and what its clock said then.
    greeted_at: float = 0.0
    reading: ClockReading | None = None


@dataclass(slots=True)
class _Request:
    """A request to send."""

    data: bytes
    #: For a `put`: the name, and whom to tell whether it arrived whole.
    stores: str = ""
    then: Callable[[InputStored], None] | None = None
    #: For a `more`: what will come.
    wanted: FetchRequest | None = None


@dataclasses.dataclass(slots=True, eq=False)
class Lane:
    """The way to one host, for one run."""

    #: The way to a launcher.
    road: Road
    #: The host's folder for runs; "" for the usual one.
    folder: str
    #: The run that it acts for; None: it only tidies up.
    claim: HostClaim | None
    #: A clock in seconds, with any origin.
    clock: Callable[[], float] = time.monotonic
    _mail: queue.SimpleQueue[Callable[[], None]] = field(default_factory=queue.SimpleQueue)
    _start: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None
    _over: bool = False
    _alarms: list[tuple[float, int, Alarm]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)
    #: Makes our names of questions unique, even beside a copy of this controller.
    _own: str = field(default_factory=lambda: secrets.token_hex(4))
    _phase: _Phase = _Phase.CLOSED
    #: The launcher that is opening now; a wire for any other came too late.
    _opening: Boot | None = None
    _contact: _Contact | None = None
    _ready: LauncherReady | None = None
    #: The boot of the host that the journal has as reached.
    _met: str = ""
    #: We have not looked yet for what earlier controllers left.
    _unswept: bool = True
    #: The host's clock minus ours at that time; None: the host did not say.
    _ahead: float | None = None
    _followers: dict[str, Follower] = field(default_factory=dict)
    _following: dict[int, Follower] = field(default_factory=dict)
    _pause: float = FIRST_PAUSE
    #: The next try, after the pause.
    _retry: Alarm | None = None
    _opened_at: float = 0.0
    #: How many contacts in a row sent nonsense.
    _torn: int = 0
    #: Since when the host owes us something and is silent; None: all is well.
    _lost_at: float | None = None
    #: The followers that know of the silence.
    _told: dict[int, Follower] = field(default_factory=dict)
    #: Since when the host owes a sign of life; None: it owes none.
    _owed_since: float | None = None
    _asking: bool = False
    _forget: list[str] = field(default_factory=list)
    #: A `put` on its way. Nothing may follow it yet: the programs that read it may read too far.
    _storing: _Request | None = None
    #: Requests that wait, in order: for the end of a `put`, or for long outputs before one.
    _waiting: deque[_Request] = field(default_factory=deque)
    _listing: tuple[list[LauncherAnswer], Callable[[list[LauncherAnswer]], None]] | None = None
    _farewell: threading.Event | None = None

    # --- from any thread ------------------------------------------------------------------------

    def post(self, act: Callable[[], None]) -> None:
        """Execute `act` on the lane's thread."""
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
            An event that is set once that is done, or cannot be; wait for it with a limit.
        """
        done = threading.Event()
        if self._thread is None:
            done.set()
        else:
            self.post(lambda: self._leave(done))
            if self._over:
                # The lane's thread may have ended already.
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
        """The wire to the launcher that answers."""
        return self._contact.wire if self._contact and self._phase is _Phase.OPEN else None

    def follow(self, follower: Follower) -> None:
        """Begin to tell `follower` everything."""
        self._following[id(follower)] = follower
        self.answer_to(follower)
        if self._phase is _Phase.OPEN and self._ready is not None:
            follower.opened(self._ready)
            self._keep_asking()
        else:
            self._want()

    def answer_to(self, follower: Follower) -> None:
        """Take the names that the follower has now."""
        for name in follower.names:
            self._followers[name] = follower

    def rename(self, follower: Follower, *names: str) -> None:
        """Register the new names of a follower."""
        for name in follower.names:
            self._followers.pop(name, None)
        follower.names = names
        self.answer_to(follower)

    def unfollow(self, follower: Follower) -> None:
        """Stop telling a follower."""
        self._following.pop(id(follower), None)
        for name in follower.names:
            if self._followers.get(name) is follower:
                del self._followers[name]
        self._told.pop(id(follower), None)
        if not self._following:
            # The next follower has not waited yet.
            self._lost_at, self._told = None, {}

    def send(self, data: bytes) -> None:
        """Send requests if a launcher answers; otherwise followers will be told of the loss."""
        self._submit(_Request(data))

    def store(self, name: str, data: bytes, then: Callable[[InputStored], None]) -> None:
        """Send bytes ahead of a request that needs them.

        Args:
            name: The host keeps them under this name.
            data: The bytes.
            then: Called with True if they arrived whole; a loss of contact calls nothing.
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
        """Send the waiting requests that may be sent now."""
        while self._waiting and self._storing is None:
            contact, request = self._contact, self._waiting[0]
            if contact is None or (request.stores and not contact.bulk.idle):
                # A host that is busy writing does not read: both sides would wait for ever.
                return
            self._waiting.popleft()
            if request.stores:
                self._storing = request
            if request.wanted is not None:
                contact.bulk.expect(request.wanted)
            self._transmit(contact, request.data)

    def refusal(self, why: str) -> str:
        """What it means that the host could not write a file."""
        if "No space left" in why:
            folder = self._ready.folder if self._ready else ""
            return f"no space left on {self.place}:{folder}"
        return f"{self.place} could not keep it: {why or 'it did not say why'}"

    def fresh_name(self) -> str:
        """A name for a question; unique on this host, even beside a copy of this controller."""
        return f"q{self._own}-{next(self._order)}"

    def forget(self, name: str) -> None:
        """Let the host delete the outputs of a name; it keeps the decision about the name."""
        self._forget.append(name)
        if len(self._forget) >= _TOGETHER:
            self._send_forget()

    def list(self, request: str, then: Callable[[list[LauncherAnswer]], None]) -> None:
        """Ask for a list."""
        self._listing = ([], then)
        self.send(f"{request}\n".encode())

    def at(self, seconds: float, act: Callable[[], None]) -> Alarm:
        """Execute `act` after so many seconds."""
        alarm = Alarm(act)
        heapq.heappush(self._alarms, (self.clock() + seconds, next(self._order), alarm))
        return alarm

    def hang_up(self, why: str) -> None:
        """Give the launcher up; the lane opens another while somebody follows."""
        if self._phase is _Phase.OPEN:
            self._lose(why)
        elif self._contact is not None:
            # We sent nothing that acts, so nobody needs to know.
            self._hang_up()
            self._phase = _Phase.CLOSED
            self._want()

    # --- the loop -------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._over:
            self._turn(self._due_in())
        while not self._mail.empty():
            # Close a wire that came too late; answer those who leave again.
            self._turn(0)

    def _turn(self, wait: float | None) -> None:
        """Execute the next posted act, if one comes within `wait` seconds, and what is due."""
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
        """The lane has a fault: tell all followers, so that nobody waits for ever."""
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
        """Open a launcher for the followers, unless one is opening."""
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
                # The lane's thread may have ended already.
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
        """The log-in is slow, or a shell that waits for the end of its input reads our channel."""
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
        """The launcher did not open; we sent nothing that acts."""
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
        """Read what arrived."""
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
        """Whether the journal knows this host already, as a word of the request."""
        before = self._met or (self.claim and self.road.name in self.claim.known)
        return "known" if before else "new"

    def _read(self, contact: _Contact, clock: ClockRead) -> None:
        if clock.says is not None:
            within = self.clock() - contact.greeted_at + clock.coarse
            contact.reading = ClockReading(clock.says, within)

    def _greeted(self, contact: _Contact, ready: LauncherReady) -> None:
        """Record that the host was reached, and compare what it remembers, before asking anything.

        A controller with an older journal would act twice.
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
        """Tell the controller whom we reached, and go on once it agrees."""
        if self.claim is None:
            return
        link, name = contact.wire.link, self.road.name
        way = (link.way.route, link.user, link.host_key) if link is not None else ("", "", "")
        meeting = ReachedHost(name, boot, *way, contact.reading, memory, again)
        self.claim.meet(meeting, lambda: self.post(then))

    def _claim(self, contact: _Contact) -> None:
        """Make the host obey this controller alone, and remember its journal."""
        claim, end = self.claim, self.end
        if claim is not None:
            words = f"claim {claim.epoch} {claim.controller} {end.seq} {end.hash}\n"
            if self._unswept and self.road.name in claim.known:
                words += "left\n"
            self._unswept = False
            self._transmit(contact, words.encode())

    def _forget_if_ended(self, name: str) -> None:
        """Delete outputs that are durable, which an earlier controller had no time to delete."""
        job = name.partition(",")[0]
        ended = self.claim.ended if self.claim else ()
        # Nobody waits for the answers to another controller's questions.
        asked = job.startswith("q") and "@" not in job and not job.startswith(f"q{self._own}")
        if job in ended or asked:
            self.forget(job)

    def _was_set(self, contact: _Contact, ahead: float | None) -> bool:
        """Whether the host's clock moved against the recorded one, beyond the uncertainty."""
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
        """Contact is lost: tell the followers, and reconnect."""
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
        """Whether contact lasted long enough to reconnect at once."""
        return self._phase is _Phase.OPEN and self.clock() - self._opened_at > LASTING

    def _make_no_sense(self, error: Exception) -> None:
        """Nonsense arrived; a host that goes on like that is given up."""
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
            # A follower is sending at this moment; it is told afterwards.
            self.post(lambda: self._lose(why) if self._contact is contact else None)

    def _miss(self, why: str, since: float | None = None) -> None:
        """The host is silent; tell the followers once, if it lasts."""
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
        """The host answers again."""
        self._owed_since = None
        if self._lost_at is None or self._phase is not _Phase.OPEN:
            return
        lasted, told = self.clock() - self._lost_at, self._told
        self._lost_at, self._told = None, {}
        for follower in told.values():
            follower.regained(lasted)

    def _keep_asking(self) -> None:
        """Ask for signs of life while somebody follows."""
        if not self._asking and self._following and self._phase is _Phase.OPEN:
            self._asking = True
            self.at(PING_EVERY, self._ping)

    def _ping(self) -> None:
        self._asking = False
        if self._contact is not None:
            # Bytes that arrived while this thread was busy count too.
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
        """Read the host's last words: an output may be ready to be deleted."""
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
    # The connection lives, so the host itself ended the log-in, and would do it again.
    final = phase is _Phase.PROVING and (link is None or link.alive)
    what = f"{place} did not execute the command of drrun ({why}): {shown or 'it said nothing'}"
    return NeverStarted(what, final=final)

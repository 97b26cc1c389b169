"""The rest of the model: host, launchers, runners, links, disk, and everything that can go wrong.

Rules:
- A step is one act that nobody else can be in the middle of: one system call, one line, one
  request. Whoever may act may also be slow: steps of all parties interleave in every order.
- Faults have a budget each, so that what is explored has an end. Everything else has none.
- What a launcher does is written here by the words of launcher.sh; what a controller does is the
  real code (controller.py).
"""

from collections.abc import Iterator
from typing import NamedTuple

from drrun.core.integrity.chain import Head
from drrun.core.model.outcomes import NeverStarted
from drrun.ports.hands import Memory
from drrun.ssh import launcher_answers as a
from tests.model.controller import NAME, Controllers, Input, JobKey, Start

#: What a host tells of the other one that it obeys; nothing in it decides here.
_ANOTHER = Memory(9, "another", Head(99, "h99"))


class Faults(NamedTuple):
    """How often each thing may happen."""

    cuts: int = 1
    reboots: int = 0
    #: The controller is killed, and another one takes over.
    kills: int = 0
    #: The controller is replaced while it sleeps, and wakes up later.
    sleeps: int = 0
    #: An older copy of the state is driven by another controller; it knows of the intent or not.
    copies: int = 0
    #: The disk becomes full, or has room again.
    fills: int = 0
    #: A process on the host is killed from outside.
    murders: int = 0
    #: Somebody deletes the run's folder.
    wipes: int = 0
    #: A person wants it to be ended.
    ends: int = 0
    #: A connection is refused.
    refusals: int = 0
    #: An alarm rings while somebody could still act.
    hurries: int = 1


class Kind(NamedTuple):
    """What kind of attempt, host and launcher."""

    become: bool = False
    ahead: bool = False
    reboots: bool = False
    timeout: bool = False
    #: The host has no boot id.
    bootless: bool = False
    #: Launchers that are opened at most.
    launchers: int = 3
    #: Mistakes that a launcher may have, for the tests of the model.
    mistakes: frozenset[str] = frozenset()


class Process(NamedTuple):
    """A waiting process, and the one that becomes the command."""

    pid: int
    launcher: int
    epoch: int
    #: sent, ready, made, noted, begun, done, dead, written; `shell`: another user's, whose sudo is
    #: gone.
    at: str
    #: Which of the run's folders, one after the other, it is in.
    folder: int
    code: int = 0
    #: Nobody waits for it any more.
    orphan: bool = False
    #: The exit code could not be written.
    full: bool = False


class Launcher(NamedTuple):
    """A launcher, with its channel."""

    number: int
    owner: int
    epoch: int
    #: What the host remembered when it was asked.
    seen: int
    #: Which of the run's folders, one after the other, it is in.
    folder: int
    #: The controller still holds the other end.
    up: bool = True
    requests: tuple[str, ...] = ()
    answers: tuple[a.LauncherAnswer, ...] = ()
    #: It left; what it said may still be on its way.
    left: bool = False
    #: It is in the middle of a request.
    doing: tuple[object, ...] = ()


class Controller(NamedTuple):
    """One that drives the attempt."""

    job: JobKey
    #: Its words count: it was not replaced.
    valid: bool = True
    #: It said that the attempt began, and that is durable.
    taken: bool = False
    told: bool = False
    #: The boot of the host that it recorded last.
    met: str = ""
    #: Controllers whose word to the host is in its journal.
    knows: frozenset[int] = frozenset()
    alive: bool = True


class World(NamedTuple):
    """Everything."""

    left: Faults
    controllers: tuple[Controller, ...]
    launchers: tuple[Launcher, ...] = ()
    processes: tuple[Process, ...] = ()
    #: The deciding file: "", "torn", "withdrawn", or who made it and on which boot.
    #: (its process, boot, whether its parent was gone already).
    decided: str | tuple[int, int, bool] = ""
    code: str = ""
    #: The mark of another user's shell was printed.
    mark: bool = False
    #: What the command printed is lost.
    lost: bool = False
    stored: bool = False
    #: Which controller the host obeys, and whose journal's end it remembers; -1: none.
    memory: int = -1
    #: It came to obey one whose journal lacks what it had been told.
    misled: bool = False
    full: bool = False
    boot: int = 1
    #: Which of the run's folders, one after the other, is there; 0: none.
    folder: int = 0
    folders: int = 0
    #: The journal's: the boot since which the attempt can have been asked for; "" if it never was.
    asked_on: str = ""
    effects: int = 0
    #: How often launchers were opened, and processes made.
    opened: int = 0
    born: int = 0


Step = tuple[str, World]


def broken(world: World, before: World | None) -> str:
    """The promise that does not hold in a state, or ""."""
    if world.effects > 1:
        return "it was executed twice"
    if world.misled:
        return "the host obeys a journal that lacks what it was told"
    said = [each.job for each in world.controllers if each.valid and each.job.verdict is not None]
    if found := next((why for each in said if (why := _false(world, each))), ""):
        return found
    if before is not None and world.effects > before.effects:
        for each in before.controllers:
            if each.valid and each.job.verdict is not None and each.job.verdict.final:
                return f"over, it says, and it is executed later: {each.job.verdict.why}"
    return ""


def _false(world: World, job: JobKey) -> str:
    """What is false of what a job said, or ""."""
    verdict = job.verdict
    if verdict is None:
        return ""
    if verdict.never and world.effects:
        return f"never started, it says, and it was executed: {verdict.why}"
    # For a reboot that is the step, a host that is back has ended it; verify tells the rest.
    booted = job.start.reboots and world.boot > 1
    if verdict.word == "Ended" and verdict.code == 0 and not world.effects and not booted:
        return "ended well, it says, and it was not executed"
    return ""


class Model:
    """All steps from a world."""

    def __init__(self, controllers: Controllers, kind: Kind) -> None:
        self._controllers = controllers
        self._kind = kind
        self._wrong = kind.mistakes

    def first(self, faults: Faults) -> World:
        """Before anything happened: the intent is durable."""
        return World(faults, (Controller(self._begun(Start(epoch=1)), knows=frozenset({0})),))

    def _begun(self, start: Start) -> JobKey:
        kind = self._kind
        whole = start._replace(
            reboots=kind.reboots, timeout=kind.timeout, become=kind.become, ahead=kind.ahead
        )
        return self._controllers.begin(whole)

    def usual(self, world: World) -> Iterator[Step]:
        """What goes on by itself."""
        for launcher in world.launchers:
            yield from self._launch(world, launcher)
        for process in world.processes:
            yield from self._process(world, process)
        for index, controller in enumerate(world.controllers):
            yield from self._control(world, index, controller)

    def faults(self, world: World) -> Iterator[Step]:
        """What goes wrong, or people do."""
        left = world.left
        if left.cuts:
            fewer = world._replace(left=left._replace(cuts=left.cuts - 1))
            for launcher in world.launchers:
                if launcher.up:
                    yield from self._cut(fewer, launcher)
        if left.reboots:
            yield from self._reboot(world._replace(left=left._replace(reboots=left.reboots - 1)))
        if left.fills:
            fewer = world._replace(left=left._replace(fills=left.fills - 1))
            yield (
                "room again" if world.full else "disk full",
                fewer._replace(full=not world.full),
            )
        if left.murders:
            yield from self._murder(world._replace(left=left._replace(murders=left.murders - 1)))
        if left.wipes and world.folder:
            fewer = world._replace(left=left._replace(wipes=left.wipes - 1))
            yield "somebody deletes the run's folder", _wiped(fewer)
        yield from self._people(world)

    # --- controllers ----------------------------------------------------------------------------

    def _control(self, world: World, index: int, controller: Controller) -> Iterator[Step]:
        who = f"C{index + 1}"
        if not controller.alive:
            return
        if controller.told and not controller.taken and controller.valid:
            yield f"{who} makes durable that it began", _with(world, index, taken=True)
        if controller.job.verdict is not None:
            return
        up = next((each for each in world.launchers if each.up and each.owner == index), None)
        quiet = not world.processes and not any(
            (each.left and each.up)
            or (each.requests and not each.left)
            or each.doing
            or (each.answers and _follows(world.controllers[each.owner]))
            for each in world.launchers
        )
        if quiet or world.left.hurries:
            left = world.left._replace(hurries=world.left.hurries - (not quiet))
            for alarm in controller.job.alarms:
                after = world._replace(left=left)
                yield from self._tell(after, index, ("alarm", alarm), f"alarm {alarm}")
        if up is None:
            yield from self._open(world, index, controller, who)
        elif up.answers:
            answer, *rest = up.answers
            after = _renew(world, up._replace(answers=tuple(rest)))
            name = getattr(answer, "name", "")
            told: Input = ("heard", name, answer)
            if isinstance(answer, a.InputStored):
                told = ("stored", answer)
            yield from self._tell(after, index, told, f"hears {_brief(answer)}")

    def _open(self, world: World, index: int, controller: Controller, who: str) -> Iterator[Step]:
        if world.left.refusals:
            left = world.left._replace(refusals=world.left.refusals - 1)
            outcome = NeverStarted("refused")
            told: Input = ("unreached", outcome)
            yield from self._tell(world._replace(left=left), index, told, "is not let in")
        if world.opened >= self._kind.launchers:
            return
        boot = "-" if self._kind.bootless else str(world.boot)
        if not controller.valid and controller.met != boot:
            # Nothing is asked of a host on a boot that the journal would not record.
            return
        if world.memory not in (-1, *controller.knows) and "no memory" not in self._wrong:
            what = f"{who} learns that the host knows another journal, and stops"
            yield what, _with(world, index, alive=False, valid=False)
            return
        if not world.folder and world.full:
            none = NeverStarted("no space left")
            yield from self._tell(world, index, ("unreached", none), "finds no room")
            return
        epoch, number = controller.job.start.epoch, world.opened + 1
        folders = world.folders + (not world.folder)
        folder = world.folder or folders
        launcher = Launcher(number, index, epoch, world.memory, folder, requests=("claim",))
        after = world._replace(
            launchers=(*world.launchers, launcher),
            opened=number,
            folder=folder,
            folders=folders,
            asked_on=world.asked_on or (boot if controller.valid else ""),
        )
        ready = a.LauncherReady(boot, not world.folder, "/run")
        told = ("opened", ready)
        what = f"opens L{number} on boot {boot}"
        yield from self._tell(_with(after, index, met=boot), index, told, what)

    def _tell(self, world: World, index: int, told: Input, what: str) -> Iterator[Step]:
        controller = world.controllers[index]
        done = self._controllers.tell(controller.job, told)
        after = _with(world, index, job=done.key, told=controller.told or done.begun)
        if done.sent:
            up = next(each for each in after.launchers if each.up and each.owner == index)
            after = _renew(after, up._replace(requests=(*up.requests, *done.sent)))
        if done.key.verdict is not None:
            what = f"{what}: {done.key.verdict}"
        yield f"C{index + 1} {what}", after

    def _cut(self, world: World, launcher: Launcher) -> Iterator[Step]:
        for arrives in range(len(launcher.requests) + 1):
            gone = launcher._replace(up=False, answers=(), requests=launcher.requests[:arrives])
            what = f"loses L{launcher.number}, {len(launcher.requests) - arrives} requests lost"
            after = _renew(world, gone)
            if _follows(world.controllers[launcher.owner]):
                yield from self._tell(after, launcher.owner, ("lost",), what)

    def _people(self, world: World) -> Iterator[Step]:
        """Kills, take-overs, copies, ends: of the first controller, and by it."""
        left, first = world.left, world.controllers[0]
        if left.ends:
            fewer = world._replace(left=left._replace(ends=left.ends - 1))
            for index, each in enumerate(world.controllers):
                if _follows(each):
                    yield from self._tell(fewer, index, ("end",), "is told to end it")
        if len(world.controllers) > 1:
            return
        if left.kills:
            yield from self._killed(world._replace(left=left._replace(kills=left.kills - 1)))
        if left.sleeps and first.job.verdict is None:
            fewer = world._replace(left=left._replace(sleeps=left.sleeps - 1))
            replaced = _with(fewer, 0, valid=False)
            yield "C2 takes over from C1 asleep", self._second(replaced, taken=first.taken)
        if left.copies:
            fewer = world._replace(left=left._replace(copies=left.copies - 1))
            if world.asked_on:
                yield "C2 drives a copy", self._second(fewer, taken=first.taken)
            alone = frozenset({1})
            old = self._second(fewer, taken=False, asked_on="", knows=alone)
            yield "C2 drives a copy from before the host was reached", old
            none = self._second(fewer, taken=False, asked_on="", again=False, knows=alone)
            yield "C2 drives a copy from before the intent", none

    def _killed(self, world: World) -> Iterator[Step]:
        up = next((each for each in world.launchers if each.up), None)
        dead = _with(world, 0, valid=False, alive=False)
        taken = world.controllers[0].taken
        for arrives in range(len(up.requests) + 1 if up else 1):
            after = dead
            if up is not None:
                gone = up._replace(up=False, answers=(), requests=up.requests[:arrives])
                after = _renew(dead, gone)
            yield "C1 is killed, C2 takes over", self._second(after, taken=taken)
            if world.left.ends:
                end = self._second(after, taken=taken, ending=True)
                yield "C1 is killed, C2 takes over, to end it", end

    def _second(
        self,
        world: World,
        *,
        taken: bool,
        ending: bool = False,
        again: bool = True,
        asked_on: str | None = None,
        knows: frozenset[int] = frozenset({0, 1}),
    ) -> World:
        start = Start(
            epoch=2,
            again=again,
            was_taken=taken,
            asked_on=world.asked_on if asked_on is None else asked_on,
            ending=ending,
        )
        second = Controller(self._begun(start), taken=taken, knows=knows)
        return world._replace(controllers=(*world.controllers, second))

    # --- the host -------------------------------------------------------------------------------

    def _reboot(self, world: World) -> Iterator[Step]:
        """All processes are gone; what no disk was told for certain is there, or not."""
        dark = world._replace(launchers=(), processes=(), boot=world.boot + 1, stored=False)
        for what, after in self._kept(dark):
            dead = after
            for each in world.launchers:
                if each.up:
                    ((_, dead),) = self._lost(dead, each.owner)
            yield f"reboot, {what}", dead

    def _kept(self, world: World) -> Iterator[Step]:
        for decided in {world.decided, "", "torn"} if world.decided else {""}:
            for code in {world.code, ""}:
                after = world._replace(decided=decided, code=code)
                what = f"{decided or 'no'} decision, code {code!r}"
                yield what, after
                if world.mark:
                    yield f"{what}, output empty", after._replace(mark=False)
                    yield f"{what}, output lost", after._replace(lost=True)
        if world.folder:
            yield "the folder lost", _wiped(world)

    def _lost(self, world: World, index: int) -> list[Step]:
        if not _follows(world.controllers[index]):
            return [("", world)]
        return list(self._tell(world, index, ("lost",), "loses its host"))

    def _murder(self, world: World) -> Iterator[Step]:
        for each in world.processes:
            if each.at == "begun" and self._kind.become:
                shell = each._replace(pid=world.born + 1, at="shell", orphan=True)
                after = self._after(world, each._replace(at="dead", code=137))
                yield (
                    f"the sudo of P{each.pid} is killed from outside",
                    after._replace(processes=(*after.processes, shell), born=shell.pid),
                )
            if each.at in ("sent", "ready", "made", "noted", "begun", "done"):
                dead = each._replace(at="dead", code=137)
                yield f"P{each.pid} is killed from outside", self._after(world, dead)
            if not each.orphan:
                yield (
                    f"whoever waits for P{each.pid} is killed from outside",
                    self._after(world, each._replace(orphan=True)),
                )

    def _launch(self, world: World, launcher: Launcher) -> Iterator[Step]:
        if launcher.left:
            if not launcher.up:
                yield f"L{launcher.number} is forgotten", _renew(world, launcher, gone=True)
            elif not launcher.answers:
                yield from self._cut(world, launcher)
            return
        if launcher.doing:
            yield from self._go_on(world, launcher)
            return
        if not launcher.requests:
            if not launcher.up:
                yield f"L{launcher.number} leaves", _renew(world, launcher, gone=True)
            return
        verb, *rest = launcher.requests
        ready = launcher._replace(requests=tuple(rest))
        yield from self._request(world, ready, *verb.split())

    def _request(
        self, world: World, launcher: Launcher, verb: str, name: str = ""
    ) -> Iterator[Step]:
        number = f"L{launcher.number}"
        here = launcher.folder == world.folder
        match verb:
            case "claim":
                yield self._claim(world, launcher)
            case "start":
                yield f"{number} reads start", self._start(world, launcher)
            case "withdraw":
                yield self._withdraw(world, launcher)
            case "look":
                seen = ("look", *((world.decided, world.code) if here else ("", "")))
                yield f"{number} looks at the files", _renew(world, launcher._replace(doing=seen))
            case "put" if here and not world.full:
                stored = self._say(world, launcher, a.InputStored(NAME, whole=True))
                yield f"{number} stores the input", stored._replace(stored=True)
            case "put":
                cut = a.InputStored(NAME, whole=False)
                after = self._say(world, launcher._replace(left=True), cut)
                yield f"{number} has no room for the input", after
            case "ask":
                yield self._kill(world, launcher, name)
            case _:
                raise AssertionError(verb)

    def _claim(self, world: World, launcher: Launcher) -> Step:
        number = f"L{launcher.number}"
        if world.memory in (launcher.seen, launcher.owner) or "no claim" in self._wrong:
            after = _renew(world, launcher)
            if launcher.folder == world.folder:
                knows = world.controllers[launcher.owner].knows
                misled = world.memory not in (-1, *knows)
                after = after._replace(memory=launcher.owner, misled=misled)
            return f"{number} claims the host", after
        after = self._say(world, launcher._replace(left=True), a.TokenStale("-", _ANOTHER))
        return f"{number} finds that another one was faster", after

    def _withdraw(self, world: World, launcher: Launcher) -> Step:
        number = f"L{launcher.number}"
        if launcher.folder != world.folder or (world.full and not world.decided):
            failed = a.Withdrawal(NAME, "failed")
            return f"{number} has no room to withdraw", self._say(world, launcher, failed)
        if self._is_stale(world, launcher):
            return f"{number}: stale", self._say(world, launcher, a.TokenStale(NAME, _ANOTHER))
        if world.decided and "withdraw without exclusive create" not in self._wrong:
            lost = a.Withdrawal(NAME, "lost")
            return f"{number} loses the withdrawal", self._say(world, launcher, lost)
        made = world._replace(decided="torn")
        doing = launcher._replace(doing=("withdraw",))
        return f"{number} makes the decision, to withdraw", _renew(made, doing)

    def _is_stale(self, world: World, launcher: Launcher) -> bool:
        return world.memory not in (-1, launcher.owner) and "no fence" not in self._wrong

    def _start(self, world: World, launcher: Launcher) -> World:
        if launcher.folder == world.folder:
            if self._is_stale(world, launcher):
                return self._say(world, launcher, a.TokenStale(NAME, _ANOTHER))
            if world.decided:
                return self._say(world, launcher, a.AttemptExists(NAME))
        pid = world.born + 1
        place = "sent" if self._kind.ahead else "ready"
        new = Process(pid, launcher.number, launcher.epoch, place, launcher.folder)
        after = _renew(world, launcher)
        return after._replace(processes=(*world.processes, new), born=pid)

    def _kill(self, world: World, launcher: Launcher, name: str) -> Step:
        """End the session of the process that won, by its number."""
        after = world
        if isinstance(world.decided, tuple):
            for each in world.processes:
                if each.pid == world.decided[0] and each.at in ("noted", "begun", "done"):
                    after = self._after(world, each._replace(at="dead", code=137))
        begun = a.CommandBegun(name, 0, "1", leads=True)
        gone = a.QuestionEnded(name, 0, a.KeptOutput(5, b"gone\n"), a.KeptOutput())
        if launcher.up:
            launcher = launcher._replace(answers=(*launcher.answers, begun, gone))
        return f"L{launcher.number} ends the command", _renew(after, launcher)

    def _go_on(self, world: World, launcher: Launcher) -> Iterator[Step]:
        ready = launcher._replace(doing=())
        number = f"L{launcher.number}"
        match launcher.doing:
            case ("withdraw",):
                room = launcher.folder == world.folder and not world.full
                after = world._replace(decided="withdrawn") if room else world
                yield (
                    f"{number} notes the withdrawal",
                    self._say(after, ready, a.Withdrawal(NAME, "won")),
                )
            case ("look", decided, code):
                here = launcher.folder == world.folder
                state = self._seen(world, decided, str(code), here=here)
                yield f"{number} says what it saw", self._say(world, ready, state)
            case doing:
                raise AssertionError(doing)

    def _seen(self, world: World, decided: object, code: str, *, here: bool) -> a.AttemptState:
        def state(word: str, begun: a.CommandBegun | None = None) -> a.AttemptState:
            return a.AttemptState(word, NAME, None, a.KeptOutput(), a.KeptOutput(), begun)

        match decided:
            case "":
                return state("absent")
            case "torn" | "withdrawn":
                return state(decided)
            case (int(pid), int(boot), adopted):
                begun = a.CommandBegun(NAME, pid, "1", leads=True)
                if code:
                    return self._end_seen(world, code, begun)
                if boot != world.boot and not self._kind.bootless:
                    return state("rebooted", begun)
                process = next((each for each in world.processes if each.pid == pid), None)
                if process and process.at in ("made", "noted", "begun", "done"):
                    return state("running", begun)
                if world.code and here:
                    return self._end_seen(world, world.code, begun)
                # The parent of one without is the first process of all, which always lives.
                waits = adopted or (process is not None and not process.orphan)
                return state("ending" if waits else "gone", begun)
            case _:
                raise AssertionError(decided)

    def _end_seen(self, world: World, code: str, begun: a.CommandBegun) -> a.AttemptState:
        return a.AttemptState("ended", NAME, int(code), self._out(world), a.KeptOutput(), begun)

    def _out(self, world: World) -> a.KeptOutput:
        if world.lost:
            return a.KeptOutput(gone=True)
        if self._kind.become and world.mark:
            line = f"begun {NAME}\n".encode()
            return a.KeptOutput(len(line), line)
        return a.KeptOutput()

    def _process(self, world: World, process: Process) -> Iterator[Step]:
        if process.at in ("sent", "ready", "made", "noted"):
            yield self._before(world, process)
        elif process.at in ("begun", "shell", "done"):
            yield from self._executes(world, process)
        else:
            yield self._over(world, process)

    def _before(self, world: World, process: Process) -> Step:
        """What a process does until it may execute the command."""
        who = f"P{process.pid}"
        here = process.folder == world.folder
        room = here and not world.full
        dead = process._replace(at="dead", code=125)
        beaten = world.decided and "start without exclusive create" not in self._wrong
        match process.at:
            case "sent" if world.stored and here:
                what, now = "opens what it reads", process._replace(at="ready")
            case "sent":
                what, now = "does not find what it reads", dead
            case "ready" if here and beaten:
                what, now = "loses the decision", dead
            case "ready" if not room:
                what, now = "has no room to decide", dead
            case "ready":
                what, now = "makes the decision", process._replace(at="made")
                world = world._replace(decided="torn")
            case "made" if not room:
                what, now = "has no room to note it", dead
                refused = a.StartRefused(NAME, "No space left on device", decided=True)
                world = self._said(world, process, refused)
            case "made":
                what, now = "notes it", process._replace(at="noted")
                decided = (process.pid, world.boot, process.orphan)
                world = world._replace(decided=decided)
            case _:
                what, now = "says that it begins", process._replace(at="begun")
                begun = a.CommandBegun(NAME, process.pid, "1", leads=True)
                world = self._said(world, process, begun)
        return f"{who} {what}", self._after(world, now)

    def _executes(self, world: World, process: Process) -> Iterator[Step]:
        who = f"P{process.pid}"
        if process.at == "done":
            yield f"{who} exits", self._after(world, process._replace(at="dead"))
            return
        here = process.folder == world.folder
        # What it reads is deleted, and then it has it open.
        after = world._replace(effects=world.effects + 1, mark=world.mark or here, stored=False)
        if process.at == "shell":
            yield f"{who} HAS ITS EFFECT", self._after(after, process, gone=True)
            return
        yield f"{who} HAS ITS EFFECT", self._after(after, process._replace(at="done"))
        if self._kind.become:
            none = process._replace(at="dead", code=1)
            yield f"{who} may not become another user", self._after(world, none)

    def _over(self, world: World, process: Process) -> Step:
        """It is dead: whoever waits for it tells."""
        who = f"P{process.pid}"
        gone = self._after(world, process, gone=True)
        if process.at == "written":
            ended = a.CommandEnded(
                NAME, process.code, self._out(world), a.KeptOutput(), full=process.full
            )
            return f"{who}: said that it ended", self._said(gone, process, ended)
        if process.orphan:
            return f"{who} is forgotten", gone
        decided = world.decided if process.folder == world.folder else ""
        if isinstance(decided, tuple) and decided[0] == process.pid:
            after = world if world.full else world._replace(code=str(process.code))
            written = process._replace(at="written", full=world.full)
            return f"{who}: exit code {process.code} written", self._after(after, written)
        if decided:
            return f"{who}: said that it exists", self._said(gone, process, a.AttemptExists(NAME))
        refused = a.StartRefused(NAME, "it could not be started", decided=False)
        return f"{who}: said that it could not be started", self._said(gone, process, refused)

    def _said(self, world: World, process: Process, answer: a.LauncherAnswer) -> World:
        """Whatever is said on its launcher's channel, which may be gone."""
        for each in world.launchers:
            if each.number == process.launcher:
                return self._say(world, each, answer)
        return world

    @staticmethod
    def _after(world: World, process: Process, *, gone: bool = False) -> World:
        kept = tuple(
            process if each.pid == process.pid else each
            for each in world.processes
            if not (gone and each.pid == process.pid)
        )
        return world._replace(processes=kept)

    @staticmethod
    def _say(world: World, launcher: Launcher, answer: a.LauncherAnswer) -> World:
        now = next((each for each in world.launchers if each.number == launcher.number), launcher)
        current = now._replace(
            requests=launcher.requests, doing=launcher.doing, left=launcher.left
        )
        if current.up:
            current = current._replace(answers=(*current.answers, answer))
        return _renew(world, current)


def _wiped(world: World) -> World:
    return world._replace(
        folder=0, memory=-1, decided="", code="", mark=False, lost=True, stored=False
    )


def _follows(controller: Controller) -> bool:
    return controller.alive and controller.job.verdict is None


def _with(world: World, index: int, **changes: object) -> World:
    changed = world.controllers[index]._replace(**changes)  # type: ignore[arg-type]
    controllers = list(world.controllers)
    controllers[index] = changed
    return world._replace(controllers=tuple(controllers))


def _renew(world: World, launcher: Launcher, *, gone: bool = False) -> World:
    kept = tuple(
        launcher if each.number == launcher.number else each
        for each in world.launchers
        if not (gone and each.number == launcher.number)
    )
    return world._replace(launchers=kept)


def _brief(answer: a.LauncherAnswer) -> str:
    match answer:
        case a.AttemptState(word=word, code=code):
            return f"state {word} {'' if code is None else code}".strip()
        case a.Withdrawal(word=word):
            return f"withdrawn {word}"
        case a.CommandEnded(code=code):
            return f"ended {code}"
        case _:
            return type(answer).__name__.lower()

"""The whole story of a run in one list: who drove it, what failed, who decided, what came back.

Rules:
- What `tell` says of an event is told here in the same words, so that a new kind of event is in
  the list without being named here. What only the live log needs is left out.
- What happens to many at once is one entry: a host that several jobs miss, steps blocked together.
- A controller that did not leave by itself has an entry at its last sign of life. Whether it died
  or was relieved the journal does not know.
- An answer that is not signed is said to be unsigned: whoever could write the state could give it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import assert_never

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.ids import TargetKey
from drrun.core.model.seat import Seat
from drrun.core.state.event_text import Tone, tell
from drrun.report.after.course import LevelChange
from drrun.report.facts import Fact
from drrun.report.times import span

#: Part of a step's own story, or told otherwise here.
_LEFT_OUT = (ev.ActionShown, ev.AttemptLate, ev.EndingBegan)
_GROUPED = ("blocked", "cancelled")
#: Changed lines of files that are told; the record has them all.
_LINES_OF_A_DIFF = 6

#: What tells who drives, and which hosts are seen.
Driving = ev.RunStarted | ev.ControllerTook | ev.ControllerLeft | ev.RunEnded
Contact = ev.ContactMissed | ev.ContactFound | ev.HostReached


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened."""

    at: float
    #: `driver`, `handover`, `host`, `asks`, `approved`, `failed`, `retry`, `note`, `service`, …
    word: str
    #: What it happened to: a step, a host, a service; "" for the run.
    about: str
    #: Who did it; "" for nobody.
    by: str
    text: str
    tone: Tone = Tone.PLAIN
    #: Of an answer of a person: whether it is signed.
    signed: bool | None = None
    #: Where whoever did it sat.
    seat: Seat | None = None
    #: By which route a host was reached, or why it was not, or which lines of files changed; may
    #: name addresses.
    way: str = ""

    @property
    def who(self) -> str:
        """Who did it, with the account where that has another name."""
        return self.seat.beside(self.by) if self.seat else self.by

    @property
    def whole(self) -> str:
        """The text, by which way, and whether an answer is signed."""
        mark = "" if self.signed is None else "signed" if self.signed else "unsigned"
        marks = (f"({each})" for each in (self.way, mark) if each)
        return " ".join((self.text, *marks)).strip()


def chronology(
    facts: Sequence[Fact],
    hosts: Mapping[TargetKey, str],
    levels: Iterable[LevelChange],
    titles: Mapping[str, str],
) -> tuple[Occurrence, ...]:
    """Everything that happened, in the order of time.

    Args:
        facts: The whole journal.
        hosts: Where each target acts.
        levels: How services rose and fell.
        titles: What services are called.
    """
    drivers, contacts = _Drivers(), _Contacts(hosts)
    found: list[Occurrence] = []
    for fact in facts:
        if isinstance(fact.event, Driving):
            found += drivers.told(fact.event, fact.at)
        elif isinstance(fact.event, Contact):
            found += contacts.told(fact.event, fact.at)
        else:
            found += _told(fact)
        drivers.seen_at = fact.at
    found += [_level(change, titles) for change in levels]
    return tuple(_grouped(sorted(found, key=lambda each: each.at)))


def signed(event: ev.Event) -> bool | None:
    """Whether an answer is signed; None for what is no answer of a person."""
    if not isinstance(event, ev.GateAnswered | ev.Approved) or event.by == "controller":
        return None
    return bool(event.signature)


def _told(fact: Fact) -> Iterator[Occurrence]:
    told = tell(fact.event)
    if told is None or isinstance(fact.event, _LEFT_OUT):
        return
    if isinstance(fact.event, ev.TargetReopened):
        if fact.event.freed or not told.by:
            return  # what stood behind it, or what the runbook says itself
        told = told._replace(word="retry")
    if told.quiet and not isinstance(fact.event, ev.FilesChanged):
        return
    if isinstance(fact.event, ev.StepSkipped) and not told.by:
        return  # the runbook says so itself: a condition, a variant
    by = told.by or ("" if fact.actor == "controller" else fact.actor)
    sign = signed(fact.event)
    text = f"{told.detail} (for {told.asks})" if told.asks else told.detail
    edited = fact.event.diff if isinstance(fact.event, ev.FilesChanged) else ""
    way = "; ".join(_changed_lines(edited))
    yield Occurrence(fact.at, told.word, told.about, by, text, told.tone, sign, fact.seat, way)


def _changed_lines(diff: str) -> Iterator[str]:
    """The first lines that a unified diff takes away or adds: `-  run: ecko two`."""
    lines = [
        each
        for each in diff.splitlines()
        if each.startswith(("+", "-")) and not each.startswith(("+++ ", "--- "))
    ]
    yield from lines[:_LINES_OF_A_DIFF]
    if len(lines) > _LINES_OF_A_DIFF:
        yield f"{len(lines) - _LINES_OF_A_DIFF} more changed lines"


def _level(change: LevelChange, titles: Mapping[str, str]) -> Occurrence:
    fell = change.level is None
    text = f"{change.level or 'down'}: {change.step} {change.why}"
    title = titles.get(change.service) or change.service
    return Occurrence(change.at, "service", title, "", text, Tone.BAD if fell else Tone.STRONG)


def _grouped(found: Iterable[Occurrence]) -> Iterator[Occurrence]:
    """Steps that were blocked or cancelled together as one entry, with the first reason."""
    open_: Occurrence | None = None
    for each in found:
        if open_ is not None and open_.word == each.word in _GROUPED:
            open_ = replace(open_, about=f"{open_.about}, {each.about}")
            continue
        if open_ is not None:
            yield open_
        open_ = each
    if open_ is not None:
        yield open_


@dataclass(slots=True)
class _Drivers:
    """Follows who drives the run, and for how long nobody did."""

    #: Who drives now; "" if nobody does.
    holder: str = ""
    #: Since when nobody does; None: never yet, or the run had ended.
    alone_since: float | None = None
    #: The last entry: what a controller has recorded is a sign of life, too.
    seen_at: float = 0.0

    def told(self, event: Driving, at: float) -> Iterator[Occurrence]:
        """What became of the drivers."""
        match event:
            case ev.RunStarted(mode=mode, by=by):
                yield Occurrence(at, "started", "", by, f"mode {mode}", Tone.STRONG)
            case ev.ControllerTook():
                yield from self._took(event, at)
            case ev.ControllerLeft(why=why):
                yield Occurrence(at, "driver", "", self.holder, f"left: {why}", Tone.DOUBT)
                self.holder, self.alone_since = "", at
            case ev.RunEnded(status=status):
                yield Occurrence(at, "ended", "", "", status, Tone.STRONG)
                self.holder, self.alone_since = "", None
            case _:
                assert_never(event)

    def _took(self, event: ev.ControllerTook, at: float) -> Iterator[Occurrence]:
        if self.holder:
            seen = min(max(event.sign_of_life or 0.0, self.seen_at), at)
            text = "last sign of life; it did not leave by itself, it died or was relieved"
            yield Occurrence(seen, "driver", "", self.holder, text, Tone.BAD)
            self.alone_since = seen
        seat = Seat(event.user, event.host, event.terminal) if event.user else event.host
        text = f"drives the run from {seat}"
        if self.alone_since is not None:
            text += f"; nobody drove for {span(at - self.alone_since)}"
        yield Occurrence(at, "driver", "", event.holder, text, Tone.STRONG)
        self.holder, self.alone_since = event.holder, None


@dataclass(slots=True)
class _Contacts:
    """Follows which hosts are not seen; several jobs on a host are one host."""

    hosts: Mapping[TargetKey, str]
    gone: dict[str, float] = field(default_factory=dict)

    def told(self, event: Contact, at: float) -> Iterator[Occurrence]:
        """That a host went, or came back."""
        match event:
            case ev.ContactMissed(silent=silent, why=why):
                host = self._host(event)
                if host not in self.gone:
                    self.gone[host] = since = at - silent
                    text = "cannot be reached; what runs there is not known until it is back"
                    yield Occurrence(since, "host", host, "", text, Tone.BAD, way=why)
            case ev.ContactFound(route=route):
                yield from self._back(self._host(event), route, at)
            case ev.HostReached(host=host, route=route):  # by the next controller
                yield from self._back(host, route, at)
            case _:
                assert_never(event)

    def _back(self, host: str, route: str, at: float) -> Iterator[Occurrence]:
        since = self.gone.pop(host, None)
        if since is not None:
            way = f"by route {route}" if route else ""
            yield Occurrence(at, "host", host, "", f"is back after {span(at - since)}", way=way)

    def _host(self, event: ev.TargetEvent) -> str:
        return self.hosts.get(event.key) or "the controller's machine"

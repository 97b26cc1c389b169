"""A tabletop with people: a facilitator reads what happens, players choose, all of it is kept.

Rules:
- The same simulation as `drrun simulate`: whatever players choose, the rules are the real ones.
- A record says that it is a tabletop; nothing in it counts as a test (contract section 1).
- Whenever it ends, also in the middle, what was said so far is kept.
"""

from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any

from drrun.cases.simulate import Scenario, conditions, durations, status_of
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.actions import DecisionAction
from drrun.core.model.ids import StepId
from drrun.core.state.run_state import RunState
from drrun.core.tabletop.fiction import Moment, ScriptedAnswer
from drrun.core.tabletop.injects import fiction_of
from drrun.core.tabletop.simulation import Simulation
from drrun.report.facts import Fact
from drrun.report.tabletop.text import when
from drrun.report.text.lines import take_in

#: What players and facilitator may type beside an answer.
HELP = """\
  confirm | reject | OPTION   answer; add WHO, and a reason behind a colon:
                              reject drew: the standby is too late
  nobody                      nobody answers this; the run continues
  finding TEXT                something to fix
  note TEXT                   something to remember
  lose site:phl               something is lost now (host:, provider:, person: too)
  quit                        the exercise ends here
"""


class ExerciseEnded(Exception):
    """The exercise was ended by its people."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line of the record."""

    #: Seconds of simulated time.
    at: float
    #: `inject`, `answer`, `finding`, `note`, `step`.
    kind: str
    text: str
    by: str = ""
    step: str = ""


@dataclass(slots=True)
class Exercise:
    """One exercise while it goes on."""

    scenario: Scenario
    #: Shows a line to everybody.
    tell: Callable[[str], None]
    #: Asks for a line; None: nobody is there any more.
    read: Callable[[str], str | None]
    record: list[Utterance] = field(default_factory=list)
    status: str = ""
    length: float = 0.0
    _simulation: Simulation = field(init=False)
    _seen: RunState = field(init=False)
    _told: int = 0

    def play(self) -> None:
        """From the start to the end, or until it is ended."""
        plan = self.scenario.plan
        self._seen = RunState(plan)
        self._simulation = Simulation(
            plan,
            durations(self.scenario, None),
            fiction_of(self.scenario.injects, None),
            condition=conditions(plan),
            ask=self._ask,
            hear=self._hear,
        )
        try:
            self._simulation.drive()
            self.status = str(status_of(self._simulation.state))
        except ExerciseEnded:
            self.status = "ended before its end"
        self._narrate()
        self.length = self._simulation.now
        self.tell(f"{when(self.length)} {self.status}")

    def _narrate(self) -> None:
        """Tell what happened since the last time."""
        news = self._simulation.journal[self._told :]
        self._told += len(news)
        for at, event in news:
            fact = Fact(0, at, "simulation", event)
            for line in take_in(self._seen, fact):
                text = f"{line.word} {line.text}"
                self.tell(f"{when(at)} {text}")
                if not isinstance(event, ev.GateOpened | ev.Noted | ev.GateAnswered):
                    self.record.append(Utterance(at, "step", text))

    def _hear(self, moment: Moment) -> None:
        self._narrate()
        self.tell(f"{when(moment.at)} INJECT {moment.what}")
        self.record.append(Utterance(moment.at, "inject", moment.what))

    def _ask(self, opened: ev.GateOpened, now: float) -> ScriptedAnswer | None:
        self._narrate()
        plan = self.scenario.plan
        step = plan.steps[StepId(opened.step)].step
        options: tuple[str, ...] = ()
        if opened.gate == "decision" and isinstance(step.action, DecisionAction):
            options = tuple(step.action.options)
            self.tell(f"       options: {', '.join(options)}")
        while True:
            typed = self.read(f"{opened.step}> ")
            if typed is None:
                raise ExerciseEnded
            found = self._typed(typed.strip(), opened, options, now)
            if found != "":
                return found if isinstance(found, ScriptedAnswer) else None

    def _typed(
        self, typed: str, opened: ev.GateOpened, options: Iterable[str], now: float
    ) -> ScriptedAnswer | str | None:
        """The answer; None for nobody; "" if something else is still to be typed."""
        word, _, rest = typed.partition(" ")
        match word:
            case "quit":
                raise ExerciseEnded
            case "finding" | "note" if rest:
                self.record.append(Utterance(now, word, rest, step=opened.step))
                return ""
            case "lose" if rest:
                self._lose(rest, now)
                return ""
            case "nobody":
                self.record.append(Utterance(now, "answer", "nobody answers", step=opened.step))
                return None
            case _:
                return self._answer(typed, opened, tuple(options), now)

    def _lose(self, thing: str, now: float) -> None:
        self._simulation.inject(Moment(now, "lost", thing))
        self.record.append(Utterance(now, "inject", f"{thing} is lost"))

    def _answer(
        self, typed: str, opened: ev.GateOpened, options: tuple[str, ...], now: float
    ) -> ScriptedAnswer | str:
        said, _, reason = typed.partition(":")
        answer, _, who = said.strip().partition(" ")
        known = (*options, "reject") if options else ("confirm", "reject")
        if answer not in known:
            self.tell(f"       {', '.join(known)}, or:\n{HELP}")
            return ""
        by = who.strip() or "a player"
        text = f"{answer}{': ' + reason.strip() if reason else ''}"
        self.record.append(Utterance(now, "answer", text, by=by, step=opened.step))
        usual = answer if options or answer == "reject" else ""
        return ScriptedAnswer(usual, by, reason.strip())

    def document(self) -> dict[str, Any]:
        """The record, for JSON."""
        return {
            "mode": "tabletop",
            "counts_as_test": False,
            "runbook": self.scenario.plan.runbook.name,
            "status": self.status,
            "length": self.length,
            "findings": [each.text for each in self.record if each.kind == "finding"],
            "record": [
                {"at": each.at, "kind": each.kind, "text": each.text, "by": each.by or None,
                 "step": each.step or None}
                for each in self.record
            ],
        }  # fmt: skip

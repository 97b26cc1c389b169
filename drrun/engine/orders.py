"""Turns a decision into an order: everything rendered, nothing left open.

Rules:
- A step is rendered when it acts, with what is known then. The journal gets the result, masked,
  before a host gets it.
- A template that cannot be rendered is an attempt that never started, not a crash.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, assert_never

from drrun.core.integrity.masking import Mask
from drrun.core.model.actions import Action, DecisionAction, ManualAction, RunAction, UsesAction
from drrun.core.model.errors import InputError, NotReady
from drrun.core.model.execution import Execution
from drrun.core.model.ids import RunId, TargetKey
from drrun.core.model.inventory import Host
from drrun.core.model.plan import Plan, PlannedTarget, hosts_matching
from drrun.core.model.probes import Expect, Probe, ProbeKind, Purpose, asked_in_a_line
from drrun.core.model.runbook import Mode, StandIn, Step
from drrun.core.model.values import Duration, written
from drrun.core.rules.probe_lists import asked_of
from drrun.core.state.run_state import RunState
from drrun.engine.naming import LateSecrets, run_names, step_values, target_names
from drrun.ports.places import AttemptOrder, Question, Renderer

#: Where a template goes on with something that is not written in it.
_BEFORE_VALUES = re.compile(r"\{[{%#]")


class Orders:
    """Renders the steps of one run."""

    def __init__(
        self, state: RunState, run: RunId, renderer: Renderer, secrets: LateSecrets, folder: Path
    ) -> None:
        self._state = state
        self._run = run
        self._renderer = renderer
        self._secrets = secrets
        self._folder = folder
        self._common: tuple[Plan, float | None, Mapping[str, Any]] | None = None

    @property
    def mask(self) -> Mask:
        """A mask for every secret used so far, also by earlier controllers."""
        return self._secrets.mask

    def outdated(self, key: TargetKey) -> Mapping[str, str]:
        """See `AttemptOrder.outdated`."""
        return self._state.secrecy.outdated(key, self._secrets.known)

    def names(self, key: TargetKey | None = None) -> dict[str, Any]:
        """All names that a target may use, or without a key those of the run."""
        common = self._run_names()
        if key is None:
            return dict(common)
        return target_names(self._state, key, self._target(key), common)

    def _run_names(self) -> Mapping[str, Any]:
        """Names that all targets share; built again when the plan was amended."""
        plan, started = self._state.plan, self._state.started_at
        known = self._common
        if known is None or known[0] is not plan or known[1] != started:
            names = run_names(plan, self._run, started, self._secrets)
            self._common = known = plan, started, names
        return known[2]

    def attempt(self, key: TargetKey) -> AttemptOrder:
        """The order for the target's current attempt.

        Raises:
            InputError: A template cannot be rendered.
            NotReady: A secret cannot be resolved.
        """
        step = self._state.plan.steps[key.step].step
        target = self._state.targets[key]
        chosen, execution = self._to_execute(key, step)
        names = self.names(key)
        action, arguments = self._rendered(step, chosen, names)
        given = chosen.arguments if isinstance(chosen, UsesAction) else {}
        return AttemptOrder(
            run=self._run,
            step=key.step,
            target=key.target,
            attempt=target.attempt,
            epoch=self._state.epoch,
            host=self._host(key),
            action=action,
            arguments=arguments,
            execution=self._execution(execution, names, self._home_of(key, self._host(key))),
            timeout=None if step.on_timeout == "ask" else step.timeout,
            mask=self.mask,
            folder=self._folder_of(key),
            heard=_heard(self._renderer, given),
            names=names,
            was_taken=target.taken,
            mark=target.mark,
            ending=target.ending,
            reboots=step.reboots,
            questions=self._asked_by(chosen, key, names),
            captures=step.capture if chosen is step.action else (),
            checks=self._checks(key, names) if isinstance(chosen, RunAction) else {},
        )

    def _rendered(
        self, step: Step, action: Action, names: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        """What is executed, and its arguments."""
        match action:
            case RunAction(text=text):
                return "run", {"text": self._renderer.text(text, names, shell=True)}  # noqa: S604 - values are no text
            case UsesAction(name=name, arguments=given):
                plain = {name: each for name, each in given.items() if not isinstance(each, Probe)}
                return name, self._renderer.value(plain, names)
            case ManualAction() | DecisionAction():
                raise InputError(f"step {step.id} has nothing to execute")
            case _:
                assert_never(action)

    def _checks(self, key: TargetKey, names: Mapping[str, Any]) -> dict[int, Question]:
        """Probes of its `verify` that may go along with an attempt; see `AttemptOrder.checks`.

        A check that cannot be rendered before the attempt, that is asked elsewhere, or that
        needs a host to come back first, is asked in its turn.
        """
        host, found = self._host(key), dict[int, Question]()
        state, reboots = self._state, self._state.plan.steps[key.step].step.reboots
        if reboots or state.plan.mode is Mode.DRY_RUN or state.targets[key].undoing:
            return found
        for index, probe in enumerate(asked_of(state, key, Purpose.VERIFY)):
            if probe.kind is not ProbeKind.RUN:
                continue
            with suppress(InputError, NotReady):
                if self._places(probe, key, names) == [host]:
                    found[index] = self._question(probe, host, names, key)
        return found

    def _asked_by(
        self, action: Action, key: TargetKey, names: Mapping[str, Any]
    ) -> tuple[Question, ...]:
        """What a `fact` asks."""
        probe = action.arguments.get("probe") if isinstance(action, UsesAction) else None
        if not isinstance(probe, Probe):
            return ()
        places = self._places(probe, key, names)
        return tuple(self._question(probe, place, names, key) for place in places)

    def _to_execute(self, key: TargetKey, step: Step) -> tuple[Action, Execution]:
        """The step's action, or what stands in its place now."""
        instead: object = None
        if self._state.plan.mode is Mode.DRY_RUN:
            instead = step.dry_run
        elif self._state.targets[key].undoing:
            instead = step.undo
        elif key in self._state.in_lost_form:
            instead = step.when_lost
        if isinstance(instead, StandIn):
            return instead.action, instead.execution
        return step.action, step.execution

    def described(self, order: AttemptOrder) -> dict[str, Any]:
        """What an attempt does, for the record."""
        if order.action == "run":
            command = str(order.arguments["text"])
        elif order.action == "wait" and "for" in order.arguments:
            command = f"wait {_span(order.arguments['for'])}"
        else:
            # Mask first: quoting changes what a secret looks like.
            arguments = self.mask.structure(order.arguments)
            given = [f"{name}={_spelled(value)}" for name, value in arguments.items()]
            asked = dict.fromkeys(f"{each.kind} {self._subject(each)}" for each in order.questions)
            command = " ".join([order.action, *given, *asked])
        return {
            "action": order.action,
            "command": command,
            "host": order.host.name if order.host else "local",
            "environment": tuple(order.execution.env),
            "become": order.execution.become or "",
        }

    def _subject(self, question: Question) -> str:
        return asked_in_a_line(self.mask.structure(question.ask))

    def shown(self, key: TargetKey) -> dict[str, Any]:
        """What a live run would do, for the record; unknown values stay as written."""
        try:
            return self.described(self.attempt(key))
        except (InputError, NotReady):
            action = self._state.plan.steps[key.step].step.action
        host = self._target(key).host
        named = {"host": host.name if host else "local"}
        match action:
            case RunAction(text=text):
                return {"action": "run", "command": text, **named}
            case UsesAction(name=name, arguments=given):
                words = " ".join(f"{each}={_spelled(value)}" for each, value in given.items())
                return {"action": name, "command": f"{name} {words}", **named}
            case ManualAction(text=text):
                return {"action": "manual", "command": self._told(key, text), "host": "local"}
            case DecisionAction():
                return {"action": "decision", "command": "", "host": "local"}
            case _:
                assert_never(action)

    def _told(self, key: TargetKey, template: str) -> str:
        try:
            return self.text(key, template)
        except (InputError, NotReady):
            return template

    def questions(self, key: TargetKey, purpose: Purpose, index: int) -> list[Question]:
        """One question for each place where the probe is asked.

        Raises:
            InputError: A template cannot be rendered, or its `on` matches nothing.
            NotReady: A secret cannot be resolved.
        """
        probe = asked_of(self._state, key, purpose)[index]
        names = self.names(key)
        return [
            self._question(probe, host, names, key) for host in self._places(probe, key, names)
        ]

    def watch(self, key: TargetKey | None, probe: Probe) -> list[Question]:
        """The questions of a watch; without a key, those of an invariant.

        Raises:
            InputError: A template cannot be rendered.
            NotReady: Its hosts were declared lost.
        """
        names = self.names(key)
        if key is not None:
            places = self._places(probe, key, names)
        else:
            places = self._named(probe.on or ("local",), names)
        return [self._question(probe, host, names, key) for host in places]

    def text(self, key: TargetKey, template: str) -> str:
        """A text for people, rendered for a target."""
        return self._renderer.text(template, self.names(key))

    def duration(self, key: TargetKey, given: object) -> float:
        """Seconds of a duration that may be a template.

        Raises:
            ValueError: It is none.
        """
        value = self._renderer.value(given, self.names(key))
        return float(value) if isinstance(value, float | int) else Duration.parse(str(value))

    def condition(self, key: TargetKey, expression: str) -> bool:
        """Whether an expression holds for a step."""
        return self._renderer.condition(expression, self.names(key))

    def seen(self, key: TargetKey, expression: str, *, outside: bool = False) -> Mapping[str, str]:
        """What the names in a condition stand for.

        Args:
            key: Whose condition.
            expression: The condition.
            outside: It is that of a step which this one is inside of.
        """
        names = self._outside() if outside else self.names(key)
        return self._renderer.seen(expression, names)

    def _outside(self) -> dict[str, Any]:
        return self.names(None) | {"steps": step_values(self._state)}

    def may_take_part(self, key: TargetKey) -> str:
        """The false condition of an enclosing step, or ""."""
        outside = self._outside()
        for expression in self._state.plan.steps[key.step].step.only_if:
            if not self._renderer.condition(expression, outside):
                return expression
        return ""

    def _host(self, key: TargetKey) -> Host | None:
        """Where a target acts now: by the chosen route; an error if the host was declared lost."""
        if key in self._state.in_lost_form:
            return None
        return self._routed(self._target(key).host)

    def to_visit(self) -> list[Host | None]:
        """Places that were reached before and are not lost, by the chosen routes."""
        inventory, lost = self._state.plan.inventory, self._state.circumstances.lost_hosts
        names = [name for name in self._state.reached.boots if name not in lost]
        known = [name for name in names if not name or name in inventory.hosts]
        return [self._routed(inventory.hosts.get(name)) for name in known]

    def _routed(self, host: Host | None) -> Host | None:
        chosen = self._state.circumstances.routes.get(host.name) if host else None
        if host is None or chosen is None:
            return host
        routes = sorted(host.routes, key=lambda route: route.label != chosen)
        return replace(host, routes=tuple(routes), chosen_route=chosen)

    def _target(self, key: TargetKey) -> PlannedTarget:
        return self._state.acts_on[key]

    def _places(self, probe: Probe, key: TargetKey, names: Mapping[str, Any]) -> list[Host | None]:
        if probe.on is None:
            return self._there([None if _asked_from_here(probe) else self._host(key)])
        return self._named(probe.on, names)

    def _named(self, on: Sequence[str], names: Mapping[str, Any]) -> list[Host | None]:
        inventory = self._state.plan.inventory
        patterns = [str(self._renderer.value(pattern, names)) for pattern in on]
        hosts, unmatched = hosts_matching(patterns, inventory)
        if unmatched:
            raise InputError(f"no host, group or site matches {', '.join(map(repr, unmatched))}")
        return self._there([self._routed(inventory.hosts.get(host)) for host in hosts])

    def _there(self, hosts: list[Host | None]) -> list[Host | None]:
        """Hosts that were not declared lost; a lost host has no substitute."""
        lost = self._state.circumstances.lost_hosts
        there = [host for host in hosts if host is None or host.name not in lost]
        if hosts and not there:
            gone = ", ".join(f"{host.name} ({lost[host.name]})" for host in hosts if host)
            raise NotReady(f"declared lost, so it is not asked: {gone}")
        return there

    def _question(
        self, probe: Probe, host: Host | None, names: Mapping[str, Any], key: TargetKey | None
    ) -> Question:
        ask = {
            name: self._ask_member(probe.kind, name, value, names)
            for name, value in probe.ask.items()
        }
        return Question(
            kind=probe.kind,
            ask=ask,
            expect=self._expect(probe.expect, names),
            timeout=probe.timeout,
            host=host,
            execution=self._execution(probe.execution, names, self._home_of(key, host)),
            mask=self.mask,
            folder=self._folder_of(key),
            heard=_heard(self._renderer, probe.ask),
        )

    def _folder_of(self, key: TargetKey | None) -> Path:
        """The folder for file names: that of the runbook in which the step is written."""
        scope = self._state.plan.steps[key.step].step.scope if key else None
        return self._folder / (scope.folder if scope else ".")

    def _ask_member(self, kind: ProbeKind, name: str, value: Any, names: Mapping[str, Any]) -> Any:
        if kind is ProbeKind.RUN and name == "text":
            return self._renderer.text(str(value), names, shell=True)  # noqa: S604 - values are no text
        return self._renderer.value(value, names)

    def _expect(self, expect: Expect, names: Mapping[str, Any]) -> Expect:
        rendered: dict[str, Any] = {
            member: str(self._renderer.value(value, names))
            for member in ("equals", "matches", "contains", "absent", "lt", "le", "gt", "ge")
            if isinstance(value := getattr(expect, member), str) and "{" in value
        }
        return replace(expect, **rendered) if rendered else expect

    def _home_of(self, key: TargetKey | None, host: Host | None) -> Path | None:
        """Where commands of the controller begin: beside the runbook, as its local files are."""
        return self._folder_of(key).absolute() if host is None else None

    def _execution(
        self, execution: Execution, names: Mapping[str, Any], home: Path | None
    ) -> Execution:
        def render(value: str | None) -> str | None:
            return None if value is None else str(self._renderer.value(value, names))

        chdir = render(execution.chdir)
        return replace(
            execution,
            env={name: render(value) or "" for name, value in execution.env.items()},
            become=render(execution.become),
            chdir=chdir if home is None else str(home / (chdir or "")),
            stdin=render(execution.stdin),
        )


def _heard(renderer: Renderer, given: Mapping[str, Any]) -> Mapping[str, str]:
    """See `AttemptOrder.heard`."""
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    return {
        name: "".join(_BEFORE_VALUES.split(text, 1)[0].rpartition("/")[:2])
        for name, text in texts.items()
        if "steps" in text and renderer.told_by_steps(text)
    }


def _spelled(value: object) -> str:
    """An argument as a shell spells it; values that no shell has are JSON."""
    if isinstance(value, list | tuple):
        return shlex.join(written(each) for each in value)
    return written(value)


def _asked_from_here(probe: Probe) -> bool:
    """Whether a probe without `on` is asked by the controller: it names whom it asks itself."""
    match probe.kind:
        case ProbeKind.HTTP | ProbeKind.DNS:
            return True
        case ProbeKind.TCP:
            return "host" in probe.ask
        case ProbeKind.RUN | ProbeKind.SQL | ProbeKind.FILE | ProbeKind.ASK:
            return False
        case _:
            assert_never(probe.kind)


def _span(given: object) -> str:
    """A duration as people see it; other values unchanged."""
    try:
        return str(Duration.parse(str(given)))
    except ValueError:
        return str(given)

"""From a decision to something that can be executed: everything rendered, nothing left open.

Rules:
- Rendering happens when the step acts, with what is known then; the result goes into the journal
  (masked) before it goes to a host.
- A template that cannot be rendered is an attempt that never started, not a crash.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from drrun.core.actions import Action, ManualAction, RunAction, UsesAction
from drrun.core.asked import probes_of
from drrun.core.errors import InputError, NotReady
from drrun.core.execution import Execution
from drrun.core.ids import RunId
from drrun.core.inventory import Host
from drrun.core.masking import Mask
from drrun.core.plan import PlannedTarget, hosts_matching
from drrun.core.probes import Expect, Probe, ProbeKind, Purpose
from drrun.core.runbook import Mode, Step
from drrun.core.state import Key, RunState
from drrun.core.values import Duration
from drrun.engine.naming import LateSecrets, run_names, target_names
from drrun.engine.ports import AttemptOrder, Question, Renderer


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

    @property
    def mask(self) -> Mask:
        """Hides every secret that was used so far."""
        return Mask(self._secrets.used)

    def names(self, key: Key | None = None) -> dict[str, Any]:
        """All names that a target may use."""
        state = self._state
        names = run_names(state.plan, self._run, state.started_at, self._secrets)
        if key is not None:
            names |= target_names(state, key, self._target(key))
        return names

    def attempt(self, key: Key) -> AttemptOrder:
        """The order for the target's current attempt.

        Raises:
            InputError: A template cannot be rendered.
            NotReady: A secret cannot be resolved.
        """
        step = self._state.plan.steps[key.step].step
        target = self._state.targets[key]
        written, written_execution = self._to_execute(step)
        names = self.names(key)
        match written:
            case RunAction(text=text):
                action = "run"
                arguments = {"text": self._renderer.text(text, names, shell=True)}  # noqa: S604 - quotes
            case UsesAction(name=action, arguments=given):
                arguments = self._renderer.value(dict(given), names)
            case _:
                raise InputError(f"step {step.id} has nothing to execute")
        return AttemptOrder(
            run=self._run,
            step=key.step,
            target=key.target,
            attempt=target.attempt,
            epoch=self._state.epoch,
            host=self._target(key).host,
            action=action,
            arguments=arguments,
            execution=self._execution(written_execution, names),
            timeout=step.timeout,
            secrets=self._secrets.used,
            folder=self._folder,
            names=names,
            was_taken=target.taken,
            ending=target.ending,
            reboots=step.reboots,
        )

    def _to_execute(self, step: Step) -> tuple[Action, Execution]:
        """The step's action, or in a dry-run what is written in its place."""
        if self._state.plan.mode is Mode.DRY_RUN and step.dry_run is not None:
            return step.dry_run.action, step.dry_run.execution
        return step.action, step.execution

    def described(self, order: AttemptOrder) -> dict[str, Any]:
        """What an attempt does, for the record."""
        if order.action == "run":
            command = str(order.arguments["text"])
        else:
            given = " ".join(f"{name}={value}" for name, value in order.arguments.items())
            command = f"{order.action} {given}"
        return {
            "action": order.action,
            "command": self.mask.text(command),
            "host": order.host.name if order.host else "local",
            "environment": tuple(order.execution.env),
            "become": order.execution.become or "",
        }

    def shown(self, key: Key) -> dict[str, Any]:
        """What a live run would do, for the record; what is not known yet stays as written."""
        try:
            return self.described(self.attempt(key))
        except (InputError, NotReady):
            action = self._state.plan.steps[key.step].step.action
        host = self._target(key).host
        named = {"host": host.name if host else "local"}
        match action:
            case RunAction(text=text):
                return {"action": "run", "command": self.mask.text(text), **named}
            case UsesAction(name=name, arguments=given):
                words = " ".join(f"{each}={value}" for each, value in given.items())
                return {"action": name, "command": self.mask.text(f"{name} {words}"), **named}
            case ManualAction(text=text):
                return {"action": "manual", "command": self._told(key, text), "host": "local"}
            case _:
                return {"action": "decision", "command": "", "host": "local"}

    def _told(self, key: Key, template: str) -> str:
        try:
            return self.text(key, template)
        except (InputError, NotReady):
            return self.mask.text(template)

    def questions(self, key: Key, purpose: Purpose, index: int) -> list[Question]:
        """One question for each place where the probe is asked.

        Raises:
            InputError: A template cannot be rendered, or its `on` matches nothing.
            NotReady: A secret cannot be resolved.
        """
        probe = probes_of(self._state.plan.steps[key.step].step, purpose)[index]
        names = self.names(key)
        return [self._question(probe, host, names) for host in self._places(probe, key, names)]

    def text(self, key: Key, template: str) -> str:
        """A text for people, rendered for a target and masked."""
        return self.mask.text(self._renderer.text(template, self.names(key)))

    def duration(self, key: Key, written: object) -> float:
        """Seconds of a duration that may be a template.

        Raises:
            ValueError: It is none.
        """
        value = self._renderer.value(written, self.names(key))
        return float(value) if isinstance(value, float | int) else Duration.parse(str(value))

    def condition(self, key: Key, expression: str) -> bool:
        """Whether an expression holds for a step."""
        return self._renderer.condition(expression, self.names(key))

    def _target(self, key: Key) -> PlannedTarget:
        planned = self._state.plan.steps[key.step]
        return next(target for target in planned.targets if target.name == key.target)

    def _places(self, probe: Probe, key: Key, names: Mapping[str, Any]) -> list[Host | None]:
        if probe.on is None:
            return [None if _asked_from_here(probe) else self._target(key).host]
        inventory = self._state.plan.inventory
        patterns = [str(self._renderer.value(pattern, names)) for pattern in probe.on]
        hosts, unmatched = hosts_matching(patterns, inventory)
        if unmatched:
            raise InputError(f"no host, group or site matches {', '.join(map(repr, unmatched))}")
        return [inventory.hosts.get(host) for host in hosts]

    def _question(self, probe: Probe, host: Host | None, names: Mapping[str, Any]) -> Question:
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
            execution=self._execution(probe.execution, names),
            secrets=self._secrets.used,
        )

    def _ask_member(self, kind: ProbeKind, name: str, value: Any, names: Mapping[str, Any]) -> Any:
        if kind is ProbeKind.RUN and name == "text":
            return self._renderer.text(str(value), names, shell=True)  # noqa: S604 - it quotes
        return self._renderer.value(value, names)

    def _expect(self, expect: Expect, names: Mapping[str, Any]) -> Expect:
        rendered: dict[str, Any] = {
            member: str(self._renderer.value(value, names))
            for member in ("equals", "matches", "contains", "absent", "lt", "le", "gt", "ge")
            if isinstance(value := getattr(expect, member), str) and "{" in value
        }
        return replace(expect, **rendered) if rendered else expect

    def _execution(self, execution: Execution, names: Mapping[str, Any]) -> Execution:
        def render(value: str | None) -> str | None:
            return None if value is None else str(self._renderer.value(value, names))

        return replace(
            execution,
            env={name: render(value) or "" for name, value in execution.env.items()},
            become=render(execution.become),
            chdir=render(execution.chdir),
            stdin=render(execution.stdin),
        )


def _asked_from_here(probe: Probe) -> bool:
    """Whether a probe without `on` is asked by the controller: it names whom it asks itself."""
    names_host = probe.kind is ProbeKind.TCP and "host" in probe.ask
    return names_host or probe.kind in (ProbeKind.HTTP, ProbeKind.DNS)

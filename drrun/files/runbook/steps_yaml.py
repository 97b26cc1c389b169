"""Steps as written: every key that docs/reference/runbook.md lists.

Rules:
- `defaults` stand for keys that a step does not have; of `env`, for single variables. Those about
  acting (`retry`, `timeout`, `shell` …) do not apply to manual steps and decisions.
- `threshold` and `every` may stand beside `watch` or inside it.
"""

from collections.abc import Mapping
from typing import Any, Final

from drrun.core.model.actions import Action, RunAction, UsesAction
from drrun.core.model.errors import Place
from drrun.core.model.execution import Execution
from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Mode, OnFailure, OnUnknown, StandIn, Step
from drrun.files.runbook.actions_yaml import ACTION, action_schema, take_action
from drrun.files.runbook.probes_yaml import EXECUTION, hosts, take_execution
from drrun.files.runbook.shared_probes import probes
from drrun.files.runbook.step_parts import (
    approval,
    batch,
    captures,
    estimate,
    levels,
    needs,
    retry,
    workaround,
)
from drrun.files.yaml.scalars import (
    OneOf,
    Text,
    anything,
    boolean,
    choice,
    literally,
    one_of,
    period,
    share,
    slug,
    text,
)
from drrun.files.yaml.shape import (
    WRONG,
    ByForm,
    Converted,
    Definitions,
    ListOf,
    MappingOf,
    Reading,
    RecordKey,
    RecordShape,
    Schema,
    Shape,
    Wrong,
    with_entries,
)
from drrun.files.yaml.written import Listing, Scalar, Table, TableItem, Written

_THRESHOLD = Text("a threshold like '3 of 5'", r"[1-9][0-9]{0,3} of [1-9][0-9]{0,3}")
_words: Shape[tuple[str, ...]] = ListOf(text, or_one=True)
_ids: Shape[tuple[str, ...]] = ListOf(slug, or_one=True)


class _Watch(Shape[dict[str, Any]]):
    """Probes to go on asking; `{probes, threshold, every}` or the probes alone."""

    expects = "a list of probes"
    _record = RecordShape[dict[str, Any]](
        "watch",
        {
            "probes": RecordKey(probes, "what is asked", required=True),
            "threshold": RecordKey(_THRESHOLD, "how many of the last answers must fail: 3 of 5"),
            "every": RecordKey(period, "how often"),
        },
        lambda values, _, __: values,
    )

    def read(self, written: Written, reading: Reading) -> dict[str, Any] | Wrong:
        """The probes and the threshold."""
        if isinstance(written, Table) and "probes" in written.entries:
            return self._record.read(_pass_on_every(written), reading)
        found = probes.read(written, reading)
        return WRONG if found is WRONG else {"probes": found}

    def schema(self, definitions: Definitions) -> Schema:
        """Either form."""
        return {"anyOf": [probes.schema(definitions), self._record.schema(definitions)]}


def _pass_on_every(watch: Table) -> Table:
    """Give the probes of a watch its `every` where they have none."""
    every = watch.entries.get("every")
    inner = watch.entries["probes"]
    if every is None:
        return watch
    given = {"every": every}
    if isinstance(inner.value, Listing):
        items = [_with_given(item, given) for item in inner.value.items]
        passed: Written = Listing(items, inner.value.line, inner.value.column)
    else:
        passed = _with_given(inner.value, given)
    return Table(
        {**watch.entries, "probes": TableItem(inner.key, passed)}, watch.line, watch.column
    )


def _with_given(written: Written, given: Mapping[str, TableItem]) -> Written:
    """A probe, written out or by its name, with entries that it has not itself."""
    if isinstance(written, Table):
        return with_entries(written, given)
    if isinstance(written, Scalar) and not written.is_null:
        name = {"use": TableItem(written, written)}
        return Table({**name, **given}, written.line, written.column)
    return written


def _stand_in(values: dict[str, Any], table: Table, reading: Reading) -> StandIn | Wrong:
    action = take_action(values, table, reading)
    execution = take_execution(values)
    if action is WRONG:
        return WRONG
    return StandIn(action, execution, values.get("verify", ()))


_record: RecordShape[StandIn] = RecordShape(
    "stand-in",
    {
        **ACTION,
        **EXECUTION,
        "stdin": RecordKey(literally, "what the command reads on standard input"),
        "verify": RecordKey(probes, "must hold afterwards"),
    },
    _stand_in,
    about="An action beside the step's own.",
    extra=action_schema,
)
_shell: Shape[StandIn] = Converted(text, lambda words: StandIn(RunAction(words)))
_stand_in_form: Shape[StandIn] = ByForm(word=_shell, table=_record)


def _undo_word(words: str) -> str | StandIn:
    return words if words == "none" else StandIn(RunAction(words))


_none: RecordShape[str] = RecordShape(
    "no-undo",
    {"none": RecordKey(text, "why it cannot be undone", required=True)},
    lambda values, _, __: str(values["none"]),
)


class _Undo(Shape[str | StandIn]):
    """An action, `none`, or `{none: why}`."""

    expects = "an action, or none"
    _forms = ByForm(word=Converted(text, _undo_word), table=_record)

    def read(self, written: Written, reading: Reading) -> Any:
        """The action, or the text that says why there is none."""
        if isinstance(written, Table) and "none" in written.entries:
            return _none.read(written, reading)
        return self._forms.read(written, reading)

    def schema(self, definitions: Definitions) -> Schema:
        """Either form."""
        return {"anyOf": [self._forms.schema(definitions), _none.schema(definitions)]}


#: Keys for which `defaults` may stand in.
DEFAULTS: Final[Mapping[str, RecordKey]] = {
    "owner": RecordKey(text, "the role that looks after the step"),
    "on_failure": RecordKey(
        choice(OnFailure),
        "what a failure does to the run: stop (what needs the step is blocked), "
        "continue (the steps that need it continue as if it had passed), pause, abort, rollback",
        default="stop",
    ),
    "on_unknown": RecordKey(
        choice(OnUnknown),
        "what happens when the outcome is not known: reconcile (look, then ask a "
        "person), ask, rerun",
        default="reconcile",
    ),
    "modes": RecordKey(
        ListOf(choice(Mode), or_one=True),
        "the step exists in these modes only; in every mode by default",
    ),
    "retry": RecordKey(retry, "how often to try, and after what"),
    "timeout": RecordKey(
        period, "hard limit from when the command began; without one a step is never killed"
    ),
    "batch": RecordKey(
        batch,
        "how many targets at once: 1, 25%, or a canary list [1, 10%, 100%]; all by default",
    ),
    "max_failures": RecordKey(share, "how many targets may fail, 2 or 10%", default=0),
    **EXECUTION,
}
#: Defaults that also make sense where a person acts.
_FOR_PEOPLE = ("owner", "on_failure", "modes")
STEP: Final[Mapping[str, RecordKey]] = {
    "title": RecordKey(text, "one line for people"),
    "description": RecordKey(text, "why and how, for people"),
    "tags": RecordKey(_words, "words to find it by; `cleanup` ends a rehearsal"),
    "links": RecordKey(_words, "pages that people may want to read"),
    "estimate": RecordKey(estimate, "expected duration: 20m, or {p50: 20m, p90: 1h}"),
    "needs": RecordKey(needs, "ids that must have passed or been skipped; {any_of: [a, b]}"),
    "when": RecordKey(text, "expression; false: the step is skipped"),
    "variants": RecordKey(_ids, "the step exists in these variants only"),
    "superseded_by": RecordKey(
        slug,
        "the step that makes this one needless: once that has passed (and not only by a person's "
        "word), this one is skipped, also where it failed, and what needs it goes on",
    ),
    "when_lost": RecordKey(
        ByForm(word=OneOf({"skip": "skip", "block": "block"}), table=_record),
        "what happens to the step when something that it needs is declared lost",
    ),
    "on": RecordKey(
        hosts, "host, group, site:NAME, glob, a list of these; the controller (local) by default"
    ),
    "for_each": RecordKey(
        ByForm(word=text, listing=anything), "fan out over items instead of hosts: {{ item }}"
    ),
    "locks": RecordKey(_ids, "held while the step acts"),
    "not_before": RecordKey(text, "UTC time 14:00, timestamp, or expression"),
    "guard": RecordKey(probes, "must hold before the action"),
    "done_when": RecordKey(probes, "if they hold, the action is not executed"),
    "verify": RecordKey(probes, "must hold after the action; only they make the step passed"),
    "watch": RecordKey(_Watch(), "asked again and again after the step has passed"),
    "threshold": RecordKey(_THRESHOLD, "of watch: 3 of 5"),
    "on_regressed": RecordKey(
        one_of("pause", "continue", "rerun"),
        "what happens when it breaks after it has passed",
        default="pause",
    ),
    "capture": RecordKey(captures, "values taken from the output: steps.ID.NAME"),
    "stdin": RecordKey(literally, "what the command reads on standard input"),
    "on_timeout": RecordKey(
        one_of("ask", "fail"), "ask: a person decides whether it continues; fail: it is ended"
    ),
    "reboots": RecordKey(
        boolean, "losing contact is expected; done when the host is back", default=False
    ),
    "approval": RecordKey(approval, "who must approve first"),
    "irreversible": RecordKey(boolean, "true: the point of no return", default=False),
    "dry_run": RecordKey(_stand_in_form, "read-only action to execute in dry-run"),
    "undo": RecordKey(_Undo(), "action that takes the step back, or none"),
    "restores": RecordKey(ListOf(text, or_one=True), "stores that the step restores"),
    "raises": RecordKey(levels, "the level that a service reaches once the step passed"),
    "workaround": RecordKey(workaround, "{reason, expires: 30d}: collected into the report"),
    "follow_up": RecordKey(_words, "what is to be done afterwards"),
    **DEFAULTS,
    **ACTION,
}


class StepShape(RecordShape[Step]):
    """A step, with the runbook's defaults for the keys that it does not have."""

    def __init__(self, defaults: Mapping[str, Any]) -> None:
        self._defaults = defaults
        super().__init__("step", STEP, self._make, extra=action_schema)

    def _make(self, values: dict[str, Any], table: Table, reading: Reading) -> Step:
        """The step; an action that could not be read is replaced, as its finding is noted."""
        made = take_action(values, table, reading)
        action: Action = RunAction("") if made is WRONG else made
        values = _with_defaults(values, self._defaults, action)
        watch = values.pop("watch", {})
        values["watch"] = watch.get("probes", ())
        values["watch_threshold"] = watch.get("threshold", values.pop("threshold", None))
        if "follow_up" in values:
            values["follow_up"] = "\n".join(values["follow_up"])
        execution: Execution = take_execution(values)
        return Step(
            id=StepId(reading.path[-1]),
            action=action,
            execution=execution,
            place=reading.place_of_key(),
            places=_places(table, reading),
            **values,
        )


def _with_defaults(
    values: dict[str, Any], defaults: Mapping[str, Any], action: Action
) -> dict[str, Any]:
    if not defaults:
        return values
    acts = isinstance(action, RunAction | UsesAction)
    used = {name: value for name, value in defaults.items() if acts or name in _FOR_PEOPLE}
    merged = {**used, **values}
    if "env" in used and "env" in values:
        merged["env"] = {**used["env"], **values["env"]}
    return merged


def _places(table: Table, reading: Reading) -> dict[str, Place]:
    return {
        name: Place(reading.file, entry.key.line, entry.key.column)
        for name, entry in table.entries.items()
    }


def steps_shape(defaults: Mapping[str, Any]) -> Shape[dict[str, Step]]:
    """All steps by id."""
    return MappingOf(StepShape(defaults), name=slug, what="step")


defaults_shape: Shape[dict[str, Any]] = RecordShape(
    "defaults", DEFAULTS, lambda values, _, __: values, about="For keys that a step does not have."
)

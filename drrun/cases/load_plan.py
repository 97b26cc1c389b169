"""From files to a plan. The plan is a function of documents, so that a resumed run has the same.

Rules:
- `load` reads files into documents; `plan_of` makes the plan from documents alone. A run stores
  its documents, and resuming it calls `plan_of` again (contract guarantee 6).
- All errors of all files are reported at once.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from drrun.cases.known_values import wrong_values
from drrun.core.dataclass import dataclass
from drrun.core.events import PlanAmended
from drrun.core.garbage import without_collection
from drrun.core.model.actions import Action, UsesAction
from drrun.core.model.errors import Finding, InputError, NotSupported, Place, Severity
from drrun.core.model.ids import StepId
from drrun.core.model.plan import Plan, PlannedStep, Selection, bind
from drrun.core.model.runbook import Estimate, Mode, Runbook, StandIn
from drrun.core.model.support import unsupported
from drrun.core.model.values import Duration
from drrun.core.rules.dry_run import reaching
from drrun.core.state.run_state import Replan
from drrun.files.runbook.amendments import Amendment
from drrun.files.runbook.inputs import bind_inputs
from drrun.files.runbook.parts import expand, part_of
from drrun.files.runbook.runbook_yaml import read_draft
from drrun.files.templates.templating import Templates
from drrun.files.validation import validate
from drrun.ports.journal import Document

#: The first key of a pinned plan; no runbook has it.
PINNED_KEY = "drrun-plan"
#: Before the name of a runbook inside the runbook, in the kind of its document.
_PART = "part:"
#: Files of an inventory folder that are read.
_INVENTORY_FILES = (".yml", ".yaml", ".ini")


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What the user asked to be planned."""

    runbook: Path
    inventories: Sequence[Path] = ()
    #: As given: texts of `-e NAME=VALUE`, values of `-e @FILE`.
    inputs: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = Mode.LIVE
    variant: str = ""
    left_out: Mapping[StepId, str] = field(default_factory=dict)
    #: Patterns of hosts: nothing acts on others.
    limit: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan, and the documents that it follows from."""

    plan: Plan
    documents: tuple[Document, ...]
    #: Folder of the runbook, for local files.
    folder: Path
    warnings: tuple[Finding, ...] = ()


def load(wanted: PlanRequest) -> LoadedPlan:
    """Read the files and make the plan.

    Raises:
        InputError: Every finding in every file.
    """
    return first_plan_of(read_documents(wanted))


def first_plan_of(documents: Sequence[Document]) -> LoadedPlan:
    """Make the plan of a run that is to begin here.

    Raises:
        InputError: Every finding in every document; or a file that a step sends is not here, or a
            value cannot stand where it is used.
    """
    loaded = plan_of(documents)
    missing = [*_missing_files(loaded), *_wrong_mode(loaded.plan), *wrong_values(loaded.plan)]
    if missing:
        raise InputError(missing)
    return loaded


def read_documents(wanted: PlanRequest) -> tuple[Document, ...]:
    """The files and choices that a plan follows from.

    Raises:
        InputError: A file does not exist or cannot be read; and what is wrong with those that can.
    """
    found = [_read("runbook", wanted.runbook)]
    missing = [*_read_parts(found, wanted.runbook.parent)]
    inventory: list[Document] = []
    lacking: list[Finding] = []
    for path in wanted.inventories:
        try:
            inventory.extend(_read("inventory", each) for each in inventory_files(path))
        except InputError as error:
            lacking += error.findings
    if missing or lacking:
        # Of an inventory that is not whole nothing can be said about hosts.
        beside = None if lacking or not inventory else _texts(inventory)
        wrong = [*lacking, *missing, *_wrong_texts(found, beside)]
        raise InputError(sorted(dict.fromkeys(wrong), key=lambda each: each.place))
    found += inventory
    choices = {
        "inputs": dict(wanted.inputs),
        "mode": str(wanted.mode),
        "variant": wanted.variant,
        "left_out": dict(wanted.left_out),
        "limit": list(wanted.limit),
        "folder": str(wanted.runbook.resolve().parent),
    }
    text = json.dumps(choices, sort_keys=True, default=str)
    found.append(_document("choices", "", text))
    return tuple(found)


def inventory_files(path: Path) -> list[Path]:
    """The inventory files that a path given with `-i` stands for.

    Raises:
        InputError: There are none.
    """
    if not path.is_dir():
        return [path]
    files = sorted(each for each in path.iterdir() if each.suffix in _INVENTORY_FILES)
    if not files:
        raise InputError(f"{path} holds no inventory: no file ends with .yml, .yaml or .ini")
    return files


def plan_of(
    documents: Sequence[Document], amended: Sequence[PlanAmended] = (), *, judged: bool = False
) -> LoadedPlan:
    """Make the plan from documents, and from what was amended since.

    Args:
        documents: The files and choices.
        amended: What was amended since, in order.
        judged: A run began with these documents. Whatever is found wrong with such files since,
            by a later drrun, its record can be read.

    Raises:
        InputError: Every finding in every document.
    """
    runbook_text = next(each for each in documents if each.kind == "runbook")
    documents = current(documents, amended)
    amendments = [each for event in amended for each in _amendments(event)]
    choices = json.loads(next(each.content for each in documents if each.kind == "choices"))
    inventory = _texts(documents)
    valid = validate(_raw(runbook_text), runbook_text.path, inventory, amendments, judged=judged)
    parts, wrong = _parts(documents, inventory)
    errors = [each for each in valid.findings if each.severity is Severity.ERROR]
    if errors or wrong or valid.runbook is None:
        raise InputError([*errors, *wrong])
    selection = Selection(
        Mode(choices["mode"]),
        choices["variant"],
        {StepId(step): why for step, why in choices["left_out"].items()},
        tuple(choices.get("limit", ())),
    )
    inputs = bind_inputs(valid.runbook, choices["inputs"])
    runbook = expand(valid.runbook, parts, inputs, Templates().value)
    runbook = _estimated(runbook, choices.get("estimates", {}))
    with without_collection():
        plan = bind(runbook, valid.inventory, inputs, selection, Templates().value)
    if plan.mode is Mode.DRY_RUN:
        plan = replace(plan, steps=reaching(plan.steps))
    warnings = [each for each in valid.findings if each.severity is Severity.WARNING]
    return LoadedPlan(plan, tuple(documents), Path(choices["folder"]), tuple(warnings))


def current(documents: Sequence[Document], amended: Sequence[PlanAmended]) -> tuple[Document, ...]:
    """The files that count for a run: those it began with, or as they were edited since."""
    found = {(each.kind, each.path): each for each in documents}
    for event in amended:
        for file in event.files:
            kind, path = file["kind"], file["path"]
            found[kind, path] = _document(kind, path, file["content"])
    return tuple(found.values())


def _amendments(event: PlanAmended) -> Iterator[Amendment]:
    if event.text or not event.files:
        yield Amendment(event.path, event.text)
    for file in event.files:
        if file["kind"] == "runbook":
            yield Amendment(
                file["path"], file["content"].encode("utf-8", "surrogateescape"), whole=True
            )


def with_estimates(
    documents: Sequence[Document], learned: Mapping[StepId, tuple[float, float, str]]
) -> LoadedPlan:
    """A plan where steps without an estimate have these: p50, p90, where they come from.

    They are pinned with the other choices of a run, so that resuming it plans the same.
    """
    made = []
    for each in documents:
        if each.kind != "choices":
            made.append(each)
            continue
        choices = json.loads(each.content)
        choices["estimates"] = {step: list(given) for step, given in learned.items()}
        made.append(_document("choices", "", json.dumps(choices, sort_keys=True)))
    return plan_of(made)


def _estimated(runbook: Runbook, learned: Mapping[str, Sequence[Any]]) -> Runbook:
    steps = dict(runbook.steps)
    for name, (middle, bad, source) in learned.items():
        step = steps.get(StepId(name))
        if step is not None and step.estimate is None:
            estimate = Estimate(Duration(middle), Duration(bad), source)
            steps[step.id] = replace(step, estimate=estimate)
    return replace(runbook, steps=steps) if learned else runbook


def _parts(
    documents: Sequence[Document], inventory: Sequence[tuple[str, bytes]]
) -> tuple[dict[str, Runbook], list[Finding]]:
    """The runbooks inside the runbook, each judged by itself, and what is wrong with them."""
    found: dict[str, Runbook] = {}
    findings: list[Finding] = []
    for document in documents:
        if not document.kind.startswith(_PART):
            continue
        valid = validate(_raw(document), document.path, inventory)
        findings += valid.errors
        if valid.runbook is not None:
            found[document.kind.removeprefix(_PART)] = valid.runbook
    return found, findings


def _read_parts(found: list[Document], folder: Path) -> Iterator[Finding]:
    """Put the files that `uses: runbook` names, near and far, behind the runbook, each once.

    Yields:
        A finding for each step whose file cannot be read, or may not.
    """
    known: set[str] = set()
    waiting = found[:]
    while waiting:
        asking = waiting.pop()
        draft, _ = read_draft(_raw(asking), asking.path)
        for step in draft.steps.values() if draft else ():
            name = part_of(step)
            if not name or name in known:
                continue
            place = step.places.get("with", step.place)
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                message = f"step {step.id}: {name} must be below the runbook's folder"
                yield Finding(place, message)
                continue
            try:
                part = _read(f"{_PART}{name}", folder / name)
            except InputError as error:
                yield Finding(place, f"step {step.id}: {error}")
                continue
            known.add(name)
            found.append(part)
            waiting.append(part)


def _wrong_texts(
    runbooks: Sequence[Document], inventory: Sequence[tuple[str, bytes]] | None
) -> Iterator[Finding]:
    """What is wrong with the texts of runbooks that can be read."""
    for each in runbooks:
        yield from validate(_raw(each), each.path, inventory).errors


def _texts(documents: Sequence[Document]) -> list[tuple[str, bytes]]:
    """Name and content of the files of the inventory."""
    return [(each.path, _raw(each)) for each in documents if each.kind == "inventory"]


def part_documents(runbook: Document) -> list[Document]:
    """The runbooks inside a runbook as they are in its folder now.

    Raises:
        InputError: One is not there, or not below that folder.
    """
    found = [runbook]
    missing = list(_read_parts(found, Path(runbook.path).parent))
    if missing:
        raise InputError(missing)
    return found[1:]


def replanner(documents: Sequence[Document], *, judged: bool = False) -> Replan:
    """Makes the plan of a run anew, with amendments.

    The result raises InputError for amendments that cannot be, unless all were `judged` before.
    """

    def replan(amendments: Sequence[PlanAmended]) -> Plan:
        plan = plan_of(documents, amendments, judged=judged).plan
        refuse_unsupported(plan)
        return plan

    return replan


def refuse_unsupported(plan: Plan) -> None:
    """Stop before a plan that this version cannot execute.

    Raises:
        NotSupported: Names every key and action with its place.
    """
    found = unsupported(plan)
    if found:
        raise NotSupported(found)


def _wrong_mode(plan: Plan) -> Iterable[Finding]:
    """A rehearsal called live is a lie in its record; one on hosts in use may be an outage."""
    if plan.inventory.rehearsal is True and plan.mode is Mode.LIVE:
        message = "the inventory is one to rehearse on: give --mode rehearsal"
        yield Finding(plan.runbook.place, message, code="rehearsal-inventory")
    if plan.inventory.rehearsal is False and plan.mode is Mode.REHEARSAL:
        message = (
            "the inventory says 'rehearsal: false', its hosts are in use: give another one to "
            "rehearse on with -i"
        )
        yield Finding(plan.runbook.place, message, code="rehearsal-inventory")


def is_unmarked_rehearsal(plan: Plan) -> bool:
    """Whether a rehearsal would act on hosts of which nobody said that they are there for it."""
    unmarked = plan.mode is Mode.REHEARSAL and plan.inventory.rehearsal is None
    return unmarked and bool(hosts_of(plan))


def hosts_of(plan: Plan) -> list[str]:
    """Hosts that steps of the plan act on, each once, in the order of the plan."""
    targets = (each for step in plan.steps.values() if not step.left_out for each in step.targets)
    return list(dict.fromkeys(each.host.name for each in targets if each.host is not None))


def _missing_files(loaded: LoadedPlan) -> Iterable[Finding]:
    for planned, path in _sent(loaded):
        if not path.is_file():
            place = planned.step.places.get("with", planned.step.place)
            yield Finding(place, f"step {planned.step.id}: no such file: {path}")


def sent_files(loaded: LoadedPlan) -> Iterable[Path]:
    """Local files that steps send, each once; not those whose name is known only in the run."""
    return dict.fromkeys(path for _, path in _sent(loaded))


def _sent(loaded: LoadedPlan) -> Iterator[tuple[PlannedStep, Path]]:
    for planned in loaded.plan.steps.values():
        step = planned.step
        instead = [each for each in (step.undo, step.dry_run, step.when_lost) if each]
        stand_ins = [each.action for each in instead if isinstance(each, StandIn)]
        for action in (step.action, *stand_ins):
            inputs = step.scope.inputs if step.scope else loaded.plan.inputs
            source = _source(action, inputs)
            if source is not None:
                yield planned, loaded.folder / (step.scope.folder if step.scope else ".") / source


def _source(action: Action, inputs: Mapping[str, Any]) -> str | None:
    """The local file that an action sends; None: none, or known only in the run."""
    if not isinstance(action, UsesAction) or action.name not in ("copy", "template", "script"):
        return None
    source = str(action.arguments.get("source") or "")
    if "{{" in source:
        try:
            source = str(Templates().value(source, {"inputs": inputs}))
        except InputError:
            return None
    return source or None


def _read(kind: str, path: Path) -> Document:
    try:
        raw = path.read_bytes()
        if f'"{PINNED_KEY}"'.encode() in raw[:200]:
            message = "a pinned plan, for drrun run and drrun plan; this one was altered, or"
            message += " this command needs the runbook it was made from"
            raise InputError([Finding(Place(str(path)), message)])
    except FileNotFoundError:
        raise InputError([Finding(Place(str(path)), "no such file")]) from None
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise InputError([Finding(Place(str(path)), reason.lower())]) from None
    # Bytes that are no UTF-8 are kept as they are, so that validation can name their place.
    return _document(kind, str(path), raw.decode("utf-8", "surrogateescape"))


def _raw(document: Document) -> bytes:
    return document.content.encode("utf-8", "surrogateescape")


def _document(kind: str, path: str, content: str) -> Document:
    digest = hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()
    return Document(kind, path, content, digest)

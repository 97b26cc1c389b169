"""From the words of a command line to what is to be planned: files, inputs, parts of a runbook."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from drrun.cases.load_plan import LoadedPlan, PlanRequest, load
from drrun.cli.out import say
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Finding, InputError, Place
from drrun.core.model.graph import ancestors_of
from drrun.core.model.ids import StepId
from drrun.core.model.plan import NAMED_BY_SKIP, Plan
from drrun.core.model.runbook import Mode
from drrun.core.nearest import did_you_mean
from drrun.files.runbook.inputs import parse_assignments, read_inputs_file


@dataclass(frozen=True, slots=True)
class StepSelection:
    """Which steps of a runbook, by flags."""

    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    since: Sequence[str] = ()

    @property
    def is_all(self) -> bool:
        """Whether no flag was given."""
        return not (self.only or self.skip or self.since)


def wanted(
    runbook: Path, inventories: Sequence[Path], inputs: Sequence[str], mode: str, variant: str
) -> PlanRequest:
    """What is to be planned.

    Raises:
        InputError: An input cannot be read.
    """
    return PlanRequest(
        runbook=runbook,
        inventories=inventories or found_inventory(runbook),
        inputs=read_inputs(inputs),
        mode=Mode(mode),
        variant=variant,
    )


def found_inventory(runbook: Path, here: Path = Path()) -> tuple[Path, ...]:
    """The inventory of a runbook where none was named.

    `inventory/` beside the runbook's folder (contract section 3), else in it; else in the working
    folder `here`, and then it says so, because that depends on where the command is typed.
    """
    folder = runbook.absolute().parent
    for each in (folder.parent / "inventory", folder / "inventory"):
        if each.is_dir():
            return (_short(each),)
    own = here / "inventory"
    if own.is_dir():
        say(f"using the inventory of this folder, {_short(own)}; -i names another one")
        return (_short(own),)
    return ()


def _short(path: Path) -> Path:
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path


def read_inputs(words: Iterable[str]) -> dict[str, Any]:
    """Values of `-e NAME=VALUE` and `-e @FILE`; single values win over files.

    Raises:
        InputError: A file cannot be read, or a word is no input.
    """
    from_files: dict[str, Any] = {}
    single = []
    for word in words:
        if word.startswith("@"):
            from_files |= _file(Path(word[1:]))
        else:
            single.append(word)
    return {**from_files, **parse_assignments(single)}


def _file(path: Path) -> Mapping[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise InputError([Finding(Place(str(path)), f"inputs: {reason}")]) from None
    return read_inputs_file(raw, str(path))


def load_part(asked: PlanRequest, part: StepSelection) -> LoadedPlan:
    """Load a plan, or a part of it.

    Raises:
        InputError: Every finding; or a flag names a step that does not exist.
    """
    loaded = load(asked)
    if part.is_all:
        return loaded
    return load(replace(asked, left_out=left_out(loaded.plan, part)))


def left_out(plan: Plan, part: StepSelection) -> dict[StepId, str]:
    """Which steps the flags leave out, and why.

    `--from STEP` leaves out everything that STEP needs, directly or not; branches that STEP does
    not need are executed as ever, because nobody said that they are done.

    Raises:
        InputError: A flag names a step that does not exist.
    """
    named = {
        flag: [_step(plan, flag, name) for name in names]
        for flag, names in (("--only", part.only), ("--skip", part.skip), ("--from", part.since))
    }
    why: dict[StepId, str] = {}
    if part.only:
        why |= {step: "not named by --only" for step in plan.order if step not in named["--only"]}
    for step in named["--from"]:
        before = ancestors_of(plan.runbook.steps, step)
        why |= {each: f"before --from {step}" for each in plan.order if each in before}
    why |= dict.fromkeys(named["--skip"], NAMED_BY_SKIP)
    return why


def _step(plan: Plan, flag: str, name: str) -> StepId:
    if StepId(name) not in plan.steps:
        raise InputError(f"{flag}: there is no step {name!r}{did_you_mean(name, plan.steps)}")
    return StepId(name)


def must_exist(plan: Plan, flag: str, names: Iterable[str]) -> None:
    """Refuse names of steps that do not exist.

    Raises:
        InputError: There is no such step.
    """
    for name in names:
        _step(plan, flag, name)

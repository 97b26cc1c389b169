"""Tests of runbooks: what steps are said to do, and what must come of it. `drrun test`."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import Place
from drrun.core.model.runbook import Level, Mode
from drrun.core.model.status import RunStatus, Status
from drrun.core.model.values import Duration
from drrun.core.tabletop.fiction import ScriptedStep
from drrun.core.tabletop.injects import Inject
from drrun.files.runbook.fiction_yaml import happens, read_whole, script
from drrun.files.runbook.runbook_yaml import Version
from drrun.files.yaml.scalars import Number, anything, choice, duration, identifier, text
from drrun.files.yaml.shape import ListOf, MappingOf, Reading, RecordKey, RecordShape, Shape, into
from drrun.files.yaml.written import Table

_name: Shape[str] = text
_steps: Shape[tuple[str, ...]] = ListOf(text)


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a test; None: anything may."""

    run: RunStatus | None = None
    #: These begin in this order, whatever begins between them.
    order: tuple[str, ...] | None = None
    steps: Mapping[str, Status] = field(default_factory=dict)
    #: Exactly these are blocked.
    blocked: tuple[str, ...] | None = None
    services: Mapping[str, Level] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    #: The run is over by then.
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class RunbookTest:
    """One test."""

    name: str
    expect: Expected
    results: Mapping[str, ScriptedStep] = field(default_factory=dict)
    happens: tuple[Inject, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    mode: Mode = Mode.LIVE
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class TestFile:
    """Tests of one runbook. Paths are relative to the file."""

    runbook: str
    tests: tuple[RunbookTest, ...]
    inventory: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)


_expected: RecordShape[Expected] = RecordShape(
    "expected",
    {
        "run": RecordKey(choice(RunStatus), "the state of the run in the end"),
        "order": RecordKey(_steps, "these begin in this order, whatever begins between them"),
        "steps": RecordKey(
            MappingOf(choice(Status), name=_name), "the states of steps in the end"
        ),
        "blocked": RecordKey(_steps, "exactly these steps are blocked"),
        "services": RecordKey(
            MappingOf(choice(Level), name=_name), "the levels of services in the end"
        ),
        "attempts": RecordKey(
            MappingOf(Number(0, 100_000), name=_name), "how often a step was tried"
        ),
        "within": RecordKey(duration, "the run is over by then"),
    },
    into(Expected),
)


def _test(values: dict[str, Any], table: Table, reading: Reading) -> RunbookTest:
    return RunbookTest(place=reading.place(table), **values)


_test_shape: RecordShape[RunbookTest] = RecordShape(
    "test",
    {
        "name": RecordKey(text, "what is promised", required=True),
        "inputs": RecordKey(MappingOf(anything, name=identifier), "more than those of the file"),
        "variant": RecordKey(text),
        "mode": RecordKey(choice(Mode)),
        "results": RecordKey(MappingOf(script, name=_name), "what steps, or step@target, do"),
        "happens": RecordKey(happens, "what goes wrong meanwhile, as in a file of injects"),
        "expect": RecordKey(_expected, "what must come of it", required=True),
    },
    _test,
)


def _file(values: dict[str, Any], _: Table, __: Reading) -> TestFile:
    del values["drrun-test"]
    return TestFile(**values)


shape: Final[RecordShape[TestFile]] = RecordShape(
    "tests",
    {
        "drrun-test": RecordKey(Version(), "format version", required=True),
        "runbook": RecordKey(text, "relative to this file", required=True),
        "inventory": RecordKey(
            ListOf(text, or_one=True), "relative to this file; found if not given"
        ),
        "inputs": RecordKey(MappingOf(anything, name=identifier), "of the runbook"),
        "tests": RecordKey(ListOf(_test_shape, least=1), required=True),
    },
    _file,
)


def read_tests(raw: bytes, file: str) -> TestFile:
    """Read a file of tests.

    Raises:
        InputError: Everything that is wrong with it.
    """
    found: TestFile = read_whole(shape, raw, file)
    return found

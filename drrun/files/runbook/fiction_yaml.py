"""Written results of steps, and injects, to the model: `drrun test`, `simulate --inject`."""

from typing import Any, Final

from drrun.core.model.errors import Finding, InputError, Severity
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.tabletop.fiction import OUTCOMES, ScriptedAnswer, ScriptedAttempt, ScriptedStep
from drrun.core.tabletop.injects import KINDS, Inject
from drrun.files.yaml.scalars import (
    Number,
    OneOf,
    anything,
    boolean,
    duration,
    identifier,
    one_of,
    text,
)
from drrun.files.yaml.shape import (
    WRONG,
    ByForm,
    Converted,
    ListOf,
    MappingOf,
    Reading,
    RecordKey,
    RecordShape,
    Shape,
    Wrong,
    into,
)
from drrun.files.yaml.written import Table, describe
from drrun.files.yaml.yaml_reader import read_yaml

_VERDICTS: Shape[tuple[Verdict, ...]] = ListOf(
    OneOf(
        {
            "holds": Verdict.HOLDS,
            "fails": Verdict.DOES_NOT_HOLD,
            "could-not-tell": Verdict.COULD_NOT_TELL,
        }
    ),
    or_one=True,
    least=1,
)
_PURPOSES: Final = {
    "guard": Purpose.GUARD,
    "until": Purpose.UNTIL,
    "verify": Purpose.VERIFY,
    "undone": Purpose.UNDONE,
}
_ATTEMPT: Final = {
    "outcome": RecordKey(one_of(*OUTCOMES), "how it ends; `ended` if not given"),
    "exit": RecordKey(Number(0, 255), "its exit status"),
    "captured": RecordKey(MappingOf(anything, name=identifier), "values that it captures"),
}
_attempt: RecordShape[ScriptedAttempt] = RecordShape("attempt", _ATTEMPT, into(ScriptedAttempt))


def _script(values: dict[str, Any], table: Table, reading: Reading) -> ScriptedStep | Wrong:
    one = {name: values.pop(name) for name in _ATTEMPT if name in values}
    attempts = values.pop("attempts", ())
    if one and attempts:
        return reading.wrong(table, "write either 'attempts' or the result of all of them")
    verdicts = {purpose: values.pop(name) for name, purpose in _PURPOSES.items() if name in values}
    if values.pop("done", False):
        verdicts[Purpose.DONE_WHEN] = (Verdict.HOLDS,)
    answer = values.pop("answer", "")
    said = ScriptedAnswer("" if answer == "none" else answer, values.pop("by", "simulation"),
                given=values.pop("input", {}))  # fmt: skip
    return ScriptedStep(
        attempts=(ScriptedAttempt(**one),) if one else attempts,
        verdicts=verdicts,
        said=said,
        silent=answer == "none",
        **values,
    )


script: RecordShape[ScriptedStep] = RecordShape(
    "result",
    {
        **_ATTEMPT,
        "attempts": RecordKey(ListOf(_attempt, least=1), "the results of its attempts, in order"),
        "guard": RecordKey(_VERDICTS, "what its guards say, for each attempt"),
        "done": RecordKey(boolean, "it is done already"),
        "until": RecordKey(_VERDICTS, "whether what it waits for comes"),
        "verify": RecordKey(_VERDICTS, "what its verify says, for each attempt"),
        "undone": RecordKey(_VERDICTS, "whether its undo is seen to have worked"),
        "when": RecordKey(boolean, "its condition; evaluated if not given"),
        "answer": RecordKey(
            text, "confirm, reject, the option of a decision, or none: nobody answers"
        ),
        "by": RecordKey(text, "who answers"),
        "input": RecordKey(MappingOf(anything, name=identifier), "values that are typed in"),
        "takes": RecordKey(duration, "instead of its estimate"),
    },
    _script,
    about="What happens to one step; everything that is not written succeeds.",
)

_span: Shape[tuple[float, float]] = ByForm(
    word=Converted(duration, lambda at: (float(at), float(at))),
    table=RecordShape(
        "span",
        {
            "between": RecordKey(
                ListOf(duration, least=2), "the earliest and the latest", required=True
            )
        },
        lambda values, table, reading: (
            tuple(map(float, values["between"]))
            if len(values["between"]) == 2 and values["between"][0] <= values["between"][1]
            else reading.wrong(table, "between: the earliest, then the latest")
        ),
    ),
)


def _moment(values: dict[str, Any], table: Table, reading: Reading) -> Inject | Wrong:
    kinds = [kind for kind in KINDS if kind in values]
    if len(kinds) != 1:
        return reading.wrong(table, f"needs exactly one of {', '.join(KINDS)}")
    (kind,) = kinds
    what = values.pop(kind)
    if KINDS[kind] and "at" not in values:
        return reading.wrong(table, f"{kind}: when? Write at: 2h, or at: {{between: [1h, 6h]}}")
    if not KINDS[kind] and "at" in values:
        return reading.wrong(table.entries["at"].key, f"{kind} takes no moment")
    if kind == "slow" and "factor" not in values:
        return reading.wrong(table, "slow: by how much? Write by: 3")
    return Inject(kind, what, place=reading.place(table), **values)


_inject: RecordShape[Inject] = RecordShape(
    "inject",
    {
        "fail": RecordKey(text, "a step that fails"),
        "times": RecordKey(Number(1, 1000), "so many attempts fail; all if not given"),
        "outcome": RecordKey(one_of(*OUTCOMES), "how it fails; with an exit status if not given"),
        "slow": RecordKey(text, "a step that takes longer"),
        "by": RecordKey(Number(0, 1_000_000, whole=False), "the factor", into="factor"),
        "silent": RecordKey(text, "a step that nobody answers"),
        "lose": RecordKey(text, "site:, host:, provider: or person: and a name"),
        "find": RecordKey(text, "what was lost, and is back"),
        "relapse": RecordKey(text, "a step that had passed and breaks again"),
        "say": RecordKey(text, "a text that is read out"),
        "at": RecordKey(_span, "when, from the start"),
        "chance": RecordKey(Number(0, 1, whole=False), "from 0 to 1; always if not given"),
    },
    _moment,
    about="One thing that goes wrong, or may.",
)
happens: Shape[tuple[Inject, ...]] = ListOf(_inject)
_file: RecordShape[tuple[Inject, ...]] = RecordShape(
    "injects",
    {"injects": RecordKey(happens, "what goes wrong", required=True)},
    lambda values, _, __: values["injects"],
)


def read_injects(raw: bytes, file: str) -> tuple[Inject, ...]:
    """Read a file of injects.

    Raises:
        InputError: Everything that is wrong with it.
    """
    found: tuple[Inject, ...] = read_whole(_file, raw, file)
    return found


def read_whole(shape: Shape[Any], raw: bytes, file: str) -> Any:
    """Read a file of one shape.

    Raises:
        InputError: Everything that is wrong with it.
    """
    written, findings = read_yaml(raw, file)
    reading = Reading(file)
    found: Any = WRONG
    if isinstance(written, Table):
        found = shape.read(written, reading)
    elif written is not None:
        message = f"must be {shape.expects}, not {describe(written)}"
        findings.append(Finding(reading.place(written), message))
    wrong = [each for each in (*findings, *reading.findings) if each.severity is Severity.ERROR]
    if wrong or found is WRONG:
        raise InputError(sorted(wrong, key=lambda finding: finding.place))
    return found

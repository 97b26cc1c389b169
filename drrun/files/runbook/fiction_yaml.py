"""Written results of steps, and injects, to the model: `drrun test`, `simulate --inject`."""

from typing import Any, Final

from drrun.core.model.errors import Finding, InputError, Severity
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.tabletop.fiction import OUTCOMES, Acted, Said, Script
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
    Key,
    ListOf,
    MappingOf,
    Reading,
    Record,
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
    "outcome": Key(one_of(*OUTCOMES), "how it ends; `ended` if not given"),
    "exit": Key(Number(0, 255), "its exit status"),
    "captured": Key(MappingOf(anything, name=identifier), "values that it captures"),
}
_attempt: Record[Acted] = Record("attempt", _ATTEMPT, into(Acted))


def _script(values: dict[str, Any], table: Table, reading: Reading) -> Script | Wrong:
    one = {name: values.pop(name) for name in _ATTEMPT if name in values}
    attempts = values.pop("attempts", ())
    if one and attempts:
        return reading.wrong(table, "write either 'attempts' or the result of all of them")
    verdicts = {purpose: values.pop(name) for name, purpose in _PURPOSES.items() if name in values}
    if values.pop("done", False):
        verdicts[Purpose.DONE_WHEN] = (Verdict.HOLDS,)
    answer = values.pop("answer", "")
    said = Said("" if answer == "none" else answer, values.pop("by", "simulation"),
                given=values.pop("input", {}))  # fmt: skip
    return Script(
        attempts=(Acted(**one),) if one else attempts,
        verdicts=verdicts,
        said=said,
        silent=answer == "none",
        **values,
    )


script: Record[Script] = Record(
    "result",
    {
        **_ATTEMPT,
        "attempts": Key(ListOf(_attempt, least=1), "the results of its attempts, in order"),
        "guard": Key(_VERDICTS, "what its guards say, for each attempt"),
        "done": Key(boolean, "it is done already"),
        "until": Key(_VERDICTS, "whether what it waits for comes"),
        "verify": Key(_VERDICTS, "what its verify says, for each attempt"),
        "undone": Key(_VERDICTS, "whether its undo is seen to have worked"),
        "when": Key(boolean, "its condition; evaluated if not given"),
        "answer": Key(text, "confirm, reject, the option of a decision, or none: nobody answers"),
        "by": Key(text, "who answers"),
        "input": Key(MappingOf(anything, name=identifier), "values that are typed in"),
        "takes": Key(duration, "instead of its estimate"),
    },
    _script,
    about="What becomes of one step; what is not written goes well.",
)

_span: Shape[tuple[float, float]] = ByForm(
    word=Converted(duration, lambda at: (float(at), float(at))),
    table=Record(
        "span",
        {"between": Key(ListOf(duration, least=2), "the earliest and the latest", required=True)},
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
        return reading.wrong(table.entries["at"].key, f"{kind} has no moment of its own")
    if kind == "slow" and "factor" not in values:
        return reading.wrong(table, "slow: by how much? Write by: 3")
    return Inject(kind, what, place=reading.place(table), **values)


_inject: Record[Inject] = Record(
    "inject",
    {
        "fail": Key(text, "a step that fails"),
        "times": Key(Number(1, 1000), "so many attempts fail; all if not given"),
        "outcome": Key(one_of(*OUTCOMES), "how it fails; with an exit status if not given"),
        "slow": Key(text, "a step that takes longer"),
        "by": Key(Number(0, 1_000_000, whole=False), "the factor", into="factor"),
        "silent": Key(text, "a step that nobody answers"),
        "lose": Key(text, "site:, host:, provider: or person: and a name"),
        "find": Key(text, "what was lost, and is back"),
        "relapse": Key(text, "a step that had passed and breaks again"),
        "say": Key(text, "a text that is read out"),
        "at": Key(_span, "when, from the start"),
        "chance": Key(Number(0, 1, whole=False), "from 0 to 1; always if not given"),
    },
    _moment,
    about="One thing that goes wrong, or may.",
)
happens: Shape[tuple[Inject, ...]] = ListOf(_inject)
_file: Record[tuple[Inject, ...]] = Record(
    "injects",
    {"injects": Key(happens, "what goes wrong", required=True)},
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

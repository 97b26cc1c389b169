"""Inputs of a run: values that an operator gives, by the types that the runbook declares.

Rules:
- All mistakes are reported at once; nothing starts with a value that was guessed.
- A value is data: text with a NUL is refused, everything else arrives as it was given (fault F21).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from drrun.core.model.errors import Finding, InputError, Place
from drrun.core.model.runbook import Input, Runbook
from drrun.core.model.values import Duration, Size
from drrun.core.nearest import did_you_mean
from drrun.files.yaml.written import Table, plain_number, plain_value, shortened
from drrun.files.yaml.yaml_reader import read_yaml

#: Longest word that can be a number, a duration or a size.
_LONGEST: Final = 40
#: Where words of the command line stand.
_COMMAND: Final = Place("command line")
#: Two halves of one character, after no backslash or a whole number of escaped ones.
_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE
)


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        _refuse("text", value)
    if "\0" in str(value):
        raise ValueError("must not contain a NUL character")
    return str(value)


def _int(value: Any) -> int:
    number = plain_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int):
        _refuse("a whole number", value)
    return number


def _float(value: Any) -> float:
    if isinstance(value, str) and len(value) <= _LONGEST:
        try:
            value = float(value)
        except ValueError:
            _refuse("a number", value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        _refuse("a number", value)
    return float(value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        _refuse("true or false", value)
    return bool(value == "true")


def _duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str) or len(value) > _LONGEST:
        _refuse("a duration like 5m", value)
    return Duration.parse(value)


def _size(value: Any) -> Size:
    if isinstance(value, Size):
        return value
    if not isinstance(value, str) or len(value) > _LONGEST:
        _refuse("a size like 20GiB", value)
    return Size.parse(value)


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        _refuse("a list", value)
    return list(value)


#: Type of an input -> how its values are read, from text or from YAML.
TYPES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "string": _string,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "duration": _duration,
    "size": _size,
    "list": _list,
    "choice": _string,
}


def read_value(value: Any, declared: Input) -> Any:
    """Read one value by the declared type and choices.

    Raises:
        ValueError: It is of another type, or none of the choices.
    """
    read = TYPES[declared.type](value)
    if not declared.choices:
        return read
    for one in read if isinstance(read, list) else [read]:
        if one not in declared.choices:
            known = [str(choice) for choice in declared.choices]
            hint = did_you_mean(str(one), known)
            raise ValueError(f"must be one of {', '.join(known)}, not {_shown(one)}{hint}")
    return read


def bind_inputs(runbook: Runbook, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give every input of `runbook` its value.

    Args:
        runbook: Declares the inputs.
        given: Values by name: texts from `-e NAME=VALUE`, or plain values from a YAML file.

    Raises:
        InputError: Values are missing, unknown or of another type; all of them are named.
    """
    findings: list[Finding] = []

    def wrong(message: str, code: str, declared: Input | None = None) -> Finding:
        place = declared.place if declared else runbook.place
        return Finding(place, message, code=code)

    bound: dict[str, Any] = {}
    for name in given:
        if name not in runbook.inputs:
            hint = did_you_mean(name, runbook.inputs)
            findings.append(wrong(f"unknown input {shortened(name)}{hint}", "unknown-input"))
    for name, declared in runbook.inputs.items():
        if name not in given:
            if declared.required:
                about = f" ({declared.description})" if declared.description else ""
                message = f"input '{name}'{about} is missing: give it with -e {name}=VALUE"
                findings.append(wrong(message, "missing-input", declared))
            bound[name] = declared.default
            continue
        try:
            bound[name] = read_value(given[name], declared)
        except ValueError as error:
            findings.append(wrong(f"input '{name}': {error}", "wrong-input", declared))
    if findings:
        raise InputError(findings)
    return bound


def parse_assignments(words: Sequence[str]) -> dict[str, str]:
    """Read `NAME=VALUE` words of the command line.

    Raises:
        InputError: A word has no `=`, or a name is given twice with different values.
    """
    findings: list[Finding] = []
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            findings.append(
                Finding(_COMMAND, f"{shortened(word)} is not an input: write NAME=VALUE")
            )
        elif given.get(name, value) != value:
            findings.append(Finding(_COMMAND, f"input '{name}' is given twice"))
        else:
            given[name] = value
    if findings:
        raise InputError(findings)
    return given


def read_inputs_file(raw: bytes | str, file: str) -> dict[str, Any]:
    """Read the YAML or JSON mapping of `-e @FILE`.

    Raises:
        InputError: The text is no mapping of names.
    """
    written, findings = read_yaml(_pairs_joined(raw), file)
    if not findings and not isinstance(written, Table):
        findings = [Finding(Place(file, 1, 1), "must be a mapping of inputs: NAME: VALUE")]
    if findings or written is None:
        raise InputError(findings)
    value: dict[str, Any] = plain_value(written)
    return value


def _pairs_joined(raw: bytes | str) -> bytes | str:
    """JSON, with characters from U+10000 on escaped as YAML does: as one, not as two halves."""
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        if not _PAIR.search(text):
            return raw
        json.loads(text)
    except (ValueError, RecursionError):  # then it is YAML, or nothing, and is told as such
        return raw
    return _PAIR.sub(_joined, text)


def _joined(found: re.Match[str]) -> str:
    high, low = int(found[2], 16), int(found[3], 16)
    return f"{found[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


def _refuse(wanted: str, value: Any) -> NoReturn:
    raise ValueError(f"must be {wanted}, not {_shown(value)}")


def _shown(value: Any) -> str:
    return shortened(value) if isinstance(value, str) else _kind(value)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return shortened(str(value))

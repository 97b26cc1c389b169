"""What commands do with their words: which of them are computed with, or read as a program.

Rules:
- The shell's own commands that compute with a word (`let`, `unset`, `printf -v`, `[[ a -eq b ]]`)
  get a guard: such a value has to be a number, or a name. Measured with bash, zsh, dash, busybox.
- Other interpreters (`sh -c`, `awk`, `ssh`) are a warning, from a list that can be extended
  (`interpreters.toml`).
- Names of commands are taken as they stand: what a variable or an alias means is not known.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

from drrun.core.dataclass import dataclass
from drrun.files.templates.shell_spots import Context, Guard, Spot
from drrun.files.templates.shell_words import OPAQUE, ShellCommand, ShellWord

_INTEGER, _DIGITS, _NUMBER, _NAME = Guard.INTEGER, Guard.DIGITS, Guard.NUMBER, Guard.NAME


@dataclass(frozen=True, slots=True)
class _Computing:
    """A command of the shell that computes with its words."""

    operands: Guard | None = None
    #: Letter of an option -> what its argument has to be; None: anything.
    options: Mapping[str, Guard | None] = field(default_factory=dict)


_TEST = _Computing(options={"v": _NAME, "R": _NAME, "t": _DIGITS})
_COUNT = _Computing(_INTEGER)
_LINES: Final = {"d": None, "n": _DIGITS, "O": _DIGITS, "s": _DIGITS, "u": _DIGITS, "c": _DIGITS}
_READ: Final = {
    "a": _NAME, "A": _NAME, "d": None, "i": None, "n": _DIGITS, "N": _DIGITS, "k": _DIGITS,
    "p": None, "t": _NUMBER, "u": _DIGITS,
}  # fmt: skip
_COMPUTING: Final[Mapping[str, _Computing]] = {
    "let": _COUNT,
    "exit": _Computing(_DIGITS),
    "return": _Computing(_DIGITS),
    "logout": _Computing(_DIGITS),
    "shift": _COUNT,
    "break": _COUNT,
    "continue": _COUNT,
    "unset": _Computing(_NAME),
    "read": _Computing(_NAME, _READ),
    "mapfile": _Computing(_NAME, {**_LINES, "C": None}),
    "readarray": _Computing(_NAME, {**_LINES, "C": None}),
    "getopts": _Computing(_NAME),
    "wait": _Computing(options={"p": _NAME}),
    "set": _Computing(options={"A": _NAME}),
    "printf": _Computing(options={"v": _NAME}),
    "[": _TEST,
    "[[": _TEST,
    "test": _TEST,
}
_DECLARING: Final = frozenset(
    {"export", "readonly", "declare", "typeset", "local", "integer", "float"}
)
_COMPARING: Final = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
#: Variables that are numbers to some shell: what is assigned to them is computed.
_NUMBERS: Final = {
    "BAUD", "COLUMNS", "DIRSTACKSIZE", "EGID", "ERRNO", "EUID", "FUNCNEST", "GID",
    "HISTFILESIZE", "HISTSIZE", "KEYTIMEOUT", "LINENO", "LINES", "LISTMAX", "LOGCHECK",
    "MAILCHECK", "OPTIND", "PERIOD", "PPID", "RANDOM", "SAVEHIST", "SECONDS", "SHLVL", "TMOUT",
    "TRY_BLOCK_ERROR", "UID",
}  # fmt: skip
_WRAPPING: Final = frozenset({"command", "builtin", "exec", "noglob", "nocorrect", "-"})
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=")
#: The index of an array begins, and does not end.
_INDEX = re.compile(r"(?:[A-Za-z_]\w*)?\[[^\]]*")
_CONVERSION = re.compile(r"%[-+ #0']*(\*|[0-9]+)?(?:\.(\*|[0-9]+))?[hlLjzt]*([A-Za-z])")


def judge(commands: Iterable[ShellCommand]) -> None:
    """Give every value the guard that it needs, or the reason why it may not stand there."""
    for command in commands:
        words = command.words
        for number, word in enumerate(words):
            if not word.values:
                continue
            if command.tested or (words and words[0].text in {"[", "test"}):
                _compared(words, number, Guard.INTEGER if command.tested else _DIGITS)
            if command.listed:
                _indexed(word)
        if command.tested:
            _computed(_TEST, words)
        if not command.listed:
            _assigned(words)


def _compared(words: list[ShellWord], number: int, guard: Guard) -> None:
    beside = [words[at].text for at in (number - 1, number + 1) if 0 <= at < len(words)]
    if any(each in _COMPARING for each in beside):
        _guard(words[number], guard)


def _guard(word: ShellWord, guard: Guard) -> None:
    for before, spot in word.values:
        index = guard is _NAME and _INDEX.fullmatch(before)
        spot.guard = spot.guard or (_INTEGER if index else guard)


def _indexed(word: ShellWord) -> None:
    for before, spot in word.values:
        if _INDEX.fullmatch(before):
            spot.guard = _INTEGER


def _assigned(words: list[ShellWord]) -> None:
    """Assignments before the command, then the command itself."""
    for number, word in enumerate(words):
        match = _ASSIGNED.match(word.text)
        _indexed(word)
        if match is None:
            _called(words[number:])
            return
        _assignment(match[1], word)


def _assignment(name: str, word: ShellWord) -> None:
    if name in _NUMBERS:
        _guard(word, _INTEGER)
    if name in _expanded():
        for spot in _all_of(word):
            spot.warned = (
                f"is expanded by the shell, as the value of {name}: write it there itself"
            )


def _called(words: list[ShellWord]) -> None:
    while words and words[0].text in _WRAPPING:
        words = words[1:]
    if not words:
        return
    name, arguments = words[0].text, words[1:]
    if name in _DECLARING:
        _declared(name, arguments)
    if name == "printf":
        _printed(arguments)
    if name in _COMPUTING:
        _computed(_COMPUTING[name], arguments)


def _computed(rule: _Computing, arguments: list[ShellWord]) -> None:
    for word, letter in _sorted_out(arguments, "".join(rule.options)):
        guard = rule.operands if not letter else rule.options.get(letter)
        if guard is not None:
            _guard(word, guard)


def _declared(name: str, arguments: list[ShellWord]) -> None:
    letters = "".join(word.text for word in arguments if word.text[:1] in {"-", "+"})
    computed = name in {"integer", "float"} or bool(set(letters) & set("iEF"))
    for word, letter in _sorted_out(arguments, ""):
        if letter:
            continue
        for before, spot in word.values:
            if "=" not in before or "n" in letters:
                spot.guard = _NAME
            elif computed:
                spot.guard = _INTEGER
            elif set(letters) & set("aA"):
                spot.refused = f"is used where {name} reads a list: write name=({{{{ … }}}})"
        match = _ASSIGNED.match(word.text)
        if match is not None:
            _assignment(match[1], word)


def _printed(arguments: list[ShellWord]) -> None:
    """Numbers that printf writes are computed by zsh and ksh."""
    operands = [word for word, letter in _sorted_out(arguments, "v") if not letter]
    if len(operands) < 2:
        return
    wanted: list[Guard | None] = []
    for width, precision, letter in _CONVERSION.findall(operands[0].text.replace("%%", "")):
        wanted += [_DIGITS for each in (width, precision) if each == "*"]
        wanted.append(_NUMBER if letter in "aAeEfFgG" else _DIGITS if letter in "diouxX" else None)
    for number, word in enumerate(operands[1:]):
        guard = wanted[number % len(wanted)] if wanted else None
        if guard is not None:
            _guard(word, guard)


def _sorted_out(arguments: list[ShellWord], takes: str) -> Iterator[tuple[ShellWord, str]]:
    """Words with the letter of the option that they belong to; "" for an operand."""
    letter, options = "", True
    for word in arguments:
        text = word.text
        if letter:
            yield word, letter
            letter = ""
        elif options and len(text) > 1 and text[0] == "-" and text != "--":
            letter = text[-1] if text[-1] in takes and text[:2] != "--" else ""
            # Its argument may be glued to it.
            glued = next((each for each in text[1:-1] if each in takes), "-")
            yield word, glued
        else:
            options = options and text != "--"
            if text != "--":
                yield word, ""


@dataclass(frozen=True, slots=True)
class _Interpreter:
    """One entry of the list."""

    program: tuple[str, ...]
    takes: str
    #: With how many operands at most standard input is the program; -1: never.
    input: int
    #: Found as the command only, not behind another.
    first: bool
    instead: str


@cache
def _list() -> dict[str, Any]:
    return tomllib.loads(files("drrun.files").joinpath("interpreters.toml").read_text("utf-8"))


@cache
def _expanded() -> frozenset[str]:
    return frozenset(_list()["variables"]["names"])


@cache
def _interpreters() -> Mapping[str, _Interpreter]:
    found: dict[str, _Interpreter] = {}
    for each in _list()["interpreter"]:
        entry = _Interpreter(
            program=tuple(each["program"]),
            takes=each.get("takes", ""),
            input=each.get("input", -1),
            first=each.get("builtin", False),
            instead=each["instead"],
        )
        found |= dict.fromkeys(each["names"], entry)
    return found


def warn(commands: Iterable[ShellCommand]) -> None:
    """Mark the values that become part of another interpreter's program."""
    for command in commands:
        for number, word in enumerate(command.words):
            name = word.text.rpartition("/")[2]
            entry = _interpreters().get(name)
            if entry is not None and not (entry.first and _is_behind(command, number)):
                _warn(name, entry, command, command.words[number + 1 :])


def _is_behind(command: ShellCommand, number: int) -> bool:
    """Whether a word is an argument of another command."""
    before = (word.text for word in command.words[:number])
    return not all(text in _WRAPPING or _ASSIGNED.match(text) for text in before)


def _warn(
    name: str, entry: _Interpreter, command: ShellCommand, arguments: list[ShellWord]
) -> None:
    named, operands = _sorted_program(entry, arguments)
    program = list(named)
    if "all" in entry.program:
        program = arguments
    if "first" in entry.program and not named:
        program += operands[:1]
    if "second" in entry.program:
        program += operands[1:]
    reached = [spot for word in program for spot in _all_of(word)]
    if not named and _reads_input(entry, operands, arguments):
        reached += [spot for values in command.inputs for spot in values]
        files = [word for word in arguments if word.text == f"<{OPAQUE}"]
        reached += [spot for word in files for spot in word.inner]
    for spot in reached:
        if spot.context is not Context.COMMENT:
            spot.warned = f"becomes part of a program that {name} reads: write {entry.instead}"


def _reads_input(
    entry: _Interpreter, operands: list[ShellWord], arguments: list[ShellWord]
) -> bool:
    given = [word for word in operands if word.text not in {"-", f"<{OPAQUE}"}]
    return len(given) <= entry.input or (
        entry.input == 0 and any(re.fullmatch("-[a-z]*s", word.text) for word in arguments)
    )


def _all_of(word: ShellWord) -> list[Spot]:
    return [spot for _, spot in word.values] + word.inner


def _sorted_program(
    entry: _Interpreter, arguments: list[ShellWord]
) -> tuple[list[ShellWord], list[ShellWord]]:
    """The words that options name as the program, and the operands."""
    short = "".join(each[1] for each in entry.program if re.fullmatch("-[A-Za-z]", each))
    long = tuple(each for each in entry.program if re.fullmatch("-.{2,}", each))
    behind = {id(word) for before, word in pairwise(arguments) if before.text in long}
    named, operands = [], []
    for word, letter in _sorted_out(arguments, short + entry.takes):
        if (letter and letter in short) or id(word) in behind or word.text.startswith(long):
            named.append(word)
        elif not letter:
            operands.append(word)
    return named, operands

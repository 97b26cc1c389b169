"""Tables of keys for the reference, read off the JSON Schemas: type, default, required, example.

Rules:
- A type is said in words that an author can follow: `a duration like 5m`, a link to another table.
- Every definition has an example; tests/docs/test_examples.py reads them all.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
#: Part of the reference -> name of a definition -> an example of it.
EXAMPLES: Mapping[str, Mapping[str, str]] = tomllib.loads(
    (Path(__file__).parent / "examples.toml").read_text("utf-8")
)
_PLAIN = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}


def tables(part: str, definitions: Mapping[str, Schema], names: Iterable[str]) -> Iterator[str]:
    """A section for each definition: its table, and its example."""
    for name in names:
        shape = definitions[name]
        yield f"## {name}\n"
        if "description" in shape:
            yield f"{shape['description']}\n"
        yield "| key | type | required or default | |\n|---|---|---|---|"
        required = shape.get("required", ())
        for key, value in shape["properties"].items():
            holds = "required" if key in required else _default(value)
            about = _cell(str(value.get("description", "")))
            yield f"| `{key}` | {_cell(kind(value, names))} | {holds} | {about} |"
        yield f"\n{example(part, name)}"


def example(part: str, name: str) -> str:
    """The example of a definition, as a block of YAML."""
    return f"```yaml\n{EXAMPLES[part][name].strip()}\n```\n"


def kind(schema: Schema, here: Iterable[str] = ()) -> str:
    """What a value must be, in words; definitions of the names `here` become links."""
    kinds = list(dict.fromkeys(_kinds(schema, here)))
    return "anything" if "anything" in kinds else " or ".join(kinds)


def _kinds(schema: Schema, here: Iterable[str]) -> Iterator[str]:
    match schema:
        case {"$ref": reference}:
            name = str(reference).rpartition("/")[2]
            page = "" if name in here else "runbook.md"
            yield f"[{name}]({page}#{name})"
        case {"anyOf": [*others, {"type": "array", "items": item}]} if item in others:
            yield f"{kind({'anyOf': others}, here)}, or a list"
        case {"allOf": parts} | {"anyOf": parts}:
            for part in parts:
                yield from _kinds(part, here)
        case {"const": value}:
            yield f"`{json.dumps(value)}`"
        case {"enum": values}:
            yield ", ".join(f"`{_word(value)}`" for value in values)
        case {"title": title}:
            yield str(title)
        case {"type": "array"}:
            yield f"a list of: {kind(schema['items'], here)}" if schema.get("items") else "a list"
        case {"type": "object", "additionalProperties": dict(value)}:
            yield f"a mapping of names to: {kind(value, here)}"
        case {"type": kinds}:
            yield _typed(schema, [kinds] if isinstance(kinds, str) else kinds)
        case _:
            yield "anything"


def _typed(schema: Schema, kinds: list[str]) -> str:
    if "string" in kinds:
        return "text"
    words = " or ".join(_PLAIN[each] for each in kinds if each != "null")
    if "minimum" in schema:
        words += f" from {schema['minimum']:g} to {schema['maximum']:g}"
    return words


def _default(value: Schema) -> str:
    if "default" not in value:
        return ""
    default = value["default"]
    words = default if isinstance(default, list) else [default]
    return ", ".join(f"`{_word(each)}`" for each in words)


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

"""Comments cite what a reader can open: this repository's catalogue and contract."""

import re
from collections.abc import Iterator
from pathlib import Path

import faults

ROOT = Path(__file__).parents[2]
FILES = [
    path
    for folder in ("drrun", "tests", "benchmarks", "docs")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".sh", ".sql", ".md", ".yml"} and path != Path(__file__)
]
#: `fault F31`, `facts L4 and L5`, `faults F1, F2 and F9 to F16`.
NUMBERS = re.compile(
    r"\b(fault|rule|case|fact|method|goal)s? ([A-Z]\d+(?:(?:, | and | to )[A-Z]\d+)*)",
    re.IGNORECASE,
)
NOUNS = {"fault": "F", "rule": "RT", "case": "C", "fact": "L", "method": "M", "goal": "G"}
#: `contract section 4`, `contract guarantees 1 and 2`.
CONTRACT = re.compile(r"\bcontract (section|guarantee)s? (\d+)(?: and (\d+))?", re.IGNORECASE)
#: Names of documents that are not here.
OUTSIDE = re.compile(r"\b(SPEC|FAULTS|CASES|LIBRARIES) (section|guarantee|case|[A-Z]?\d)")


def cited(pattern: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str]]]:
    for path in FILES:
        for found in pattern.finditer(path.read_text("utf-8")):
            yield f"{path.relative_to(ROOT)}: {found.group()}", found


def contract() -> dict[str, set[str]]:
    """The numbers of sections and of guarantees."""
    text = (ROOT / "docs/reference/contract.md").read_text("utf-8")
    fifth = text.partition("\n## 5.")[2].partition("\n## ")[0]
    return {
        "section": set(re.findall(r"^## (\d+)\.", text, re.MULTILINE)),
        "guarantee": set(re.findall(r"^(\d+)\. ", fifth, re.MULTILINE)),
    }


def test_every_number_that_is_cited_is_in_the_catalogue_and_of_its_kind() -> None:
    known = faults.entries()
    numbers = list(cited(NUMBERS))
    assert numbers
    assert not [
        where
        for where, found in numbers
        for number in re.findall(r"[A-Z]\d+", found.group(2))
        if number not in known or number[0] not in NOUNS[found.group(1).lower()]
    ]


def test_every_section_and_guarantee_that_is_cited_is_in_the_contract() -> None:
    known = contract()
    places = list(cited(CONTRACT))
    assert places
    assert not [
        where
        for where, found in places
        if not {each for each in found.groups()[1:] if each} <= known[found.group(1).lower()]
    ]


def test_no_document_is_cited_that_is_not_in_the_repository() -> None:
    assert not [where for where, _ in cited(OUTSIDE)]

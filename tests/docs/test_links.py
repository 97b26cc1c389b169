"""Every link inside the repository leads to a file, and to a heading where it names one."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob(".github/**/*.md")])


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[tuple[str, str]]:
    """File and heading of each link that stays in the repository."""
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text("utf-8"))):
        if not re.match(r"[a-z]+:", link):
            file, _, heading = link.partition("#")
            yield file, heading


def anchors(page: Path) -> set[str]:
    """The headings, spelled as a forge spells them in an address."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def broken(page: Path) -> Iterator[str]:
    for file, heading in links(page):
        target = page.parent / file if file else page
        if not target.exists() or (heading and heading not in anchors(target)):
            yield f"{page.relative_to(ROOT)}: {file}#{heading}"


def test_every_link_leads_somewhere() -> None:
    assert not [each for page in PAGES for each in broken(page)]


def test_every_page_of_the_documentation_is_linked_itself_or_with_its_folder() -> None:
    linked = {(page.parent / file).resolve() for page in PAGES for file, _ in links(page) if file}
    pages = [page for page in PAGES if (ROOT / "docs") in page.parents]
    assert not [str(page.relative_to(ROOT)) for page in pages if not linked & {page, page.parent}]

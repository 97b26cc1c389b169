"""A real browser, headless, that opens a file and says what it then sees."""

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

#: Milliseconds of the page's own time until it is looked at.
_BUDGET = 3000


@dataclass(frozen=True)
class Seen:
    """A page after its scripts have run."""

    dom: str
    #: What it wrote to the console: errors, refused requests.
    console: tuple[str, ...]


#: Inside a frame as wide as a phone: what of the page is cut at the right, and does not scroll.
_LOOK = """
f.onload = () => setTimeout(() => {
  const d = f.contentDocument, wide = d.documentElement.clientWidth;
  const cut = [...d.querySelectorAll('main *, header *')].filter((each) =>
    !each.closest('.wide, pre, .track, .axis, .stripe, .columns') &&
    each.getBoundingClientRect().right > wide + 1);
  document.body.dataset.cut = JSON.stringify(cut.map((each) => each.outerHTML.slice(0, 80)));
  document.body.dataset.over = d.documentElement.scrollWidth - wide;
  const view = d.querySelector('.wide'), wrong = d.querySelector('.node.critical.s-failed');
  if (wrong) {
    const frame = view.getBoundingClientRect(), box = wrong.getBoundingClientRect();
    document.body.dataset.failed = box.left >= frame.left && box.right <= frame.right;
  }
}, 100);
"""


@dataclass(frozen=True)
class OnPhone:
    """What a reader with a narrow screen sees of a page."""

    #: Elements that are cut, and nobody can scroll to.
    cut: list[str]
    #: Pixels that the page is wider than the screen.
    over: int
    #: Whether the failed step that the end waited for is in view of the graph; None: no such.
    failed_in_view: bool | None


def on_phone(page: Path, width: int = 390) -> OnPhone:
    """Open a page on a screen that is so many pixels wide."""
    frame = page.with_name(f"phone-{page.name}")
    style = f"width:{width}px;height:800px;border:0"
    body = f'<iframe id="f" src="{page.name}" style="{style}"></iframe>'
    frame.write_text(f"<body>{body}<script>{_LOOK}</script></body>", "utf-8")
    dom = browse(frame, flags=("--allow-file-access-from-files",)).dom
    found = {name: re.search(f'data-{name}="([^"]*)"', dom) for name in ("cut", "over", "failed")}
    assert found["cut"], "the page was not looked at"
    assert found["over"]
    failed = found["failed"]
    return OnPhone(
        json.loads(html.unescape(found["cut"][1])),
        int(found["over"][1]),
        None if failed is None else failed[1] == "true",
    )


def browse(page: Path, then: str = "", fragment: str = "", flags: Sequence[str] = ()) -> Seen:
    """Open a copy of a page, execute `then` in it, and look.

    Args:
        page: An HTML file.
        then: JavaScript of the visitor.
        fragment: What stands behind `#` in the address.
        flags: More of the browser's own.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        pytest.fail("chromium is missing: install chromium")
    copy = page.with_name(f"visited-{page.name}")
    text = page.read_text("utf-8")
    copy.write_text(text.replace("</body>", f"<script>{then}</script></body>"), "utf-8")
    with tempfile.TemporaryDirectory(prefix="drrun-chromium") as profile:
        done = subprocess.run(
            [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom",
                f"--virtual-time-budget={_BUDGET}", *flags, f"{copy.as_uri()}#{fragment}",
            ],
            capture_output=True,
            env={**os.environ, "HOME": profile},
            timeout=120,
            check=False,
        )  # fmt: skip
    said = done.stderr.decode("utf-8", "replace")
    console = tuple(re.findall(r"CONSOLE[^\n]*", said))
    return Seen(done.stdout.decode("utf-8", "replace"), console)

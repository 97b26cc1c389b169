"""A real browser, headless, that opens a file and says what it then sees."""

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

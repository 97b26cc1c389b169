"""Keeps a public text of how the services are, for a status page: a file that others serve.

Rules:
- Only services and their levels, and when that was: no host, no person, no step.
- Written aside and renamed, so that nobody serves half of it.
"""

import threading
from dataclasses import field
from datetime import UTC
from pathlib import Path

from drrun.core.dataclass import dataclass
from drrun.core.rules.notices import Notice

_PLAIN = """\
{% for service, level in services.items() %}{{ service }}: {{ level }}
{% endfor %}{% if ended %}Recovery: {{ ended }}
{% endif %}Updated {{ updated }} UTC
"""


@dataclass(slots=True)
class StatusText:
    """One file. A `Notifier`."""

    file: Path
    template: Path | None = None
    _levels: dict[str, str] = field(default_factory=dict)
    _ended: str = ""

    def wants(self, notice: Notice) -> bool:
        """Only what users notice."""
        return notice.kind in ("service", "ended")

    def deliver(self, notice: Notice, cancel: threading.Event) -> str:
        """Write the text anew."""
        del cancel
        self._levels |= notice.levels
        if notice.kind == "ended":
            self._ended = notice.text.rpartition(": ")[2]
        try:
            text = self._rendered()
            aside = self.file.with_name(f"{self.file.name}.new")
            aside.write_text(text, "utf-8")
            aside.replace(self.file)
        except (OSError, ValueError) as error:
            return str(error)
        return ""

    def _rendered(self) -> str:
        from datetime import datetime

        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import SandboxedEnvironment

        source = self.template.read_text("utf-8") if self.template else _PLAIN
        environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        now = datetime.now(UTC)  # noqa: TID251 - what a reader of the page wants to know
        try:
            return environment.from_string(source).render(
                services=self._levels,
                ended=self._ended,
                updated=now.strftime("%Y-%m-%d %H:%M"),
            )
        except TemplateError as error:
            raise ValueError(f"{self.template or 'status text'}: {error}") from error

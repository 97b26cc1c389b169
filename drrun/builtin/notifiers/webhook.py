"""Posts notices to a webhook, as Slack, Mattermost and others understand them."""

import json
import threading
import urllib.error
import urllib.request

from drrun.builtin.notifiers.trying import a_few_times
from drrun.core.dataclass import dataclass
from drrun.core.rules.notices import Notice

#: Seconds for one try.
WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class WebhookNotifier:
    """One address. A `Notifier`."""

    on: frozenset[str]
    url: str

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"webhook: {self.url!r} is not an http address")

    def wants(self, notice: Notice) -> bool:
        """Whether it was subscribed to."""
        return notice.kind in self.on

    def deliver(self, notice: Notice, cancel: threading.Event) -> str:
        """Post it."""
        body = {
            "text": f"[{notice.run}] {notice.text}",
            "kind": notice.kind,
            "run": notice.run,
            "step": notice.step,
            "to": list(notice.to),
            "services": notice.levels,
        }
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self.url,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )

        def post() -> None:
            with urllib.request.urlopen(request, timeout=WITHIN) as answer:  # noqa: S310 - same
                answer.read(1024)

        return a_few_times(post, cancel, (OSError, urllib.error.URLError))

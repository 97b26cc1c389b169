"""Sends notices as e-mail, by SMTP to a relay."""

import smtplib
import threading
from email.message import EmailMessage

from drrun.builtin.notifiers.trying import a_few_times
from drrun.core.dataclass import dataclass
from drrun.core.rules.notices import Notice

#: Seconds for one try.
WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class MailNotifier:
    """One recipient. A `Notifier`."""

    on: frozenset[str]
    to: str
    server: str
    sender: str

    def __post_init__(self) -> None:
        if "@" not in self.to:
            raise ValueError(f"email: {self.to!r} is not an address")

    def wants(self, notice: Notice) -> bool:
        """Whether it was subscribed to."""
        return notice.kind in self.on

    def deliver(self, notice: Notice, cancel: threading.Event) -> str:
        """Send it."""
        message = EmailMessage()
        first = " ".join(notice.text.split())[:120]
        message["Subject"] = f"[drrun] {notice.kind}: {first}"
        message["From"], message["To"] = self.sender, self.to
        meant = f"\n\nMeant for: {', '.join(notice.to)}" if notice.to else ""
        message.set_content(
            f"{notice.text}{meant}\n\nRun: {notice.run}\nLook: drrun status {notice.run}\n"
        )
        host, _, port = self.server.partition(":")

        def send() -> None:
            with smtplib.SMTP(host, int(port or 25), timeout=WITHIN) as relay:
                relay.send_message(message)

        return a_few_times(send, cancel, (OSError, smtplib.SMTPException))

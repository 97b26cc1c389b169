"""Gives notices to a command of the user's: text on standard input, facts in the environment."""

import subprocess
import threading

from drrun.core.dataclass import dataclass
from drrun.core.rules.notices import Notice
from drrun.engine.environment import for_helpers

#: Seconds that the command may take.
WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class CommandNotifier:
    """One command, for /bin/sh. A `Notifier`."""

    on: frozenset[str]
    command: str

    def wants(self, notice: Notice) -> bool:
        """Whether the user subscribed to this kind of notice."""
        return notice.kind in self.on

    def deliver(self, notice: Notice, cancel: threading.Event) -> str:
        """Execute the command once; no retry, because a failed command may have acted."""
        del cancel
        facts = {
            "DRRUN_KIND": notice.kind,
            "DRRUN_RUN": notice.run,
            "DRRUN_STEP": notice.step,
            "DRRUN_TO": ",".join(notice.to),
        }
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", self.command],
                input=notice.text.encode(),
                env={**for_helpers(), **facts},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=WITHIN,
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            return f"it took longer than {WITHIN:.0f} s"
        if done.returncode == 0:
            return ""
        return f"exit {done.returncode}: {done.stderr.decode('utf-8', 'replace')[:200].strip()}"

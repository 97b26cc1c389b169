"""`python -m tests.lab`."""

import signal
import sys

from tests.lab.cli import main

# `status | head` is no error.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
sys.exit(main())

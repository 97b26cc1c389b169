"""Points at which a test kills this process. Methods M1 and M2.

Rules:
- One stands before and after every journal write and every word with a host. The crash
  test counts the points of one run and then dies at each of them in turn; a new call to the world
  without points around it is a hole in that test.
- Without the environment's say a point is one comparison with None.
"""

import itertools
import os
import signal

#: The number of the point to die at, counted from 1 over the whole process; for tests only.
_DIE_AT = os.environ.get("DRRUN_DIE_AT")
#: A file to which the name of every point passed is appended; for tests only.
_LIST = os.environ.get("DRRUN_LIST_POINTS")
_count = itertools.count(1)


def point(name: str) -> None:
    """Pass the point `name`, or die there without a chance to clean up."""
    if _DIE_AT is None and _LIST is None:
        return
    number = next(_count)
    if _LIST is not None:
        with open(_LIST, "a", encoding="utf-8") as listed:  # noqa: PTH123 - as short as it can be
            listed.write(f"{number} {name}\n")
    if _DIE_AT is not None and number == int(_DIE_AT):
        os.kill(os.getpid(), signal.SIGKILL)

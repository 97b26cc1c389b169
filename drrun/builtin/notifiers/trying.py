"""Retries a delivery that may fail for a moment."""

import threading
from collections.abc import Callable

#: How often, and the longest pause between two tries, in seconds.
TRIES = 4
LONGEST_PAUSE = 20.0


def a_few_times(
    deliver: Callable[[], None], cancel: threading.Event, faults: tuple[type[Exception], ...]
) -> str:
    """Try until it works; return the last error, or "" on success.

    Args:
        deliver: One try.
        cancel: Ends the pauses, so that the last tries come at once.
        faults: Exceptions after which to try again.
    """
    import tenacity

    def pause(seconds: float) -> None:
        cancel.wait(seconds)

    trying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(faults),
        wait=tenacity.wait_random_exponential(0.5, LONGEST_PAUSE),
        stop=tenacity.stop_after_attempt(TRIES),
        sleep=pause,
        reraise=True,
    )
    try:
        trying(deliver)
    except faults as error:
        return f"{type(error).__name__}: {error}"
    return ""

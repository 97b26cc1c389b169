"""How long to wait before the next attempt. The arithmetic is tenacity's; nothing sleeps here."""

from drrun.core.model.runbook import Retry


def delay_before(retry: Retry, verdicts: int) -> float:
    """Seconds to wait after so many attempts with a verdict: grows by `backoff`, with jitter."""
    import tenacity

    grows = tenacity.wait_exponential(
        multiplier=retry.delay, exp_base=retry.backoff, max=retry.max_delay
    )
    waits = grows + tenacity.wait_random(0, retry.jitter)
    tries = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    tries.attempt_number = max(1, verdicts)
    return float(waits(tries))

"""The name of one attempt on its host: the same for every controller that ever asks for it."""

import hashlib
from urllib.parse import quote

from drrun.core.model.ids import StepId, TargetName

#: Longer names of targets are hashed: a folder's name has an end.
_LONGEST = 100


def job_of(step: StepId, target: TargetName, attempt: int) -> str:
    """`STEP@TARGET.ATTEMPT`, safe as a word of a request and as a folder's name."""
    name = quote(target, safe="")
    if len(name) > _LONGEST:
        name = hashlib.sha256(target.encode()).hexdigest()[:40]
    return f"{step}@{name}.{attempt}"
